"""Arms: the same training with a kernel that does not change, beside each network.

An arm starts from the network's F, stops by the same criterion, and is followed in function space
(`simulate.dynamics.frozen_kernel`). Its kernel is the tangent kernel at the start or at the end of the network's
training, or the part of it that belongs to the last layer, sigma(z) sigma(z)^T/h of the last hidden layer: what
training the last layer alone would follow. The initial kernels are the same at every alpha, and so are their arms, if
F starts at zero.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, finite
from simulate.dynamics.frozen_kernel import frozen_flow
from simulate.dynamics.losses import LOSSES, Loss
from simulate.integrators.chebyshev import Chebyshev
from simulate.integrators.error_control import ErrorControl
from simulate.integrators.exponential import Exponential
from simulate.integrators.protocol import Stepper
from simulate.integrators.rosenbrock import Rosenbrock
from simulate.measure.observers import HeldOut, Stop
from simulate.networks.linearisation import Linearisation, Weights
from simulate.training.driver import integrate
from simulate.training.events import Moment
from simulate.training.status import Status

_BYTES = 2**28  # arms are followed for as many networks at once as fit into this
_IMPLICIT = 1000  # training points, up to which a factorisation a step costs less than the products of explicit stages


@dataclass
class Arm:
    """What became of frozen flows: F on the test points (members, n_test), times and statuses (members,)."""

    output: Tensor
    time_end: Tensor
    status: Tensor


def grams(train: Linearisation, test: Linearisation, *, features: bool) -> tuple[Tensor, Tensor]:
    """Return the kernels of training points (members, n, n) and of test with training points (members, n_test, n)."""
    if features:
        return _last(train.kernel_parts()), _last(test.kernel_parts(train))
    return train.kernel(), _sum(test.kernel_parts(train))


def _last(parts: Iterator[Tensor]) -> Tensor:
    return deque(parts, maxlen=1).pop()


def _sum(parts: Iterator[Tensor]) -> Tensor:
    total = next(parts)
    for part in parts:
        total += part
    return total


def group_size(n_train: int, n_test: int, element_size: int) -> int:
    """How many networks' arms are followed at once: it follows from shapes alone."""
    return max(1, _BYTES // (element_size * n_train * (6 * n_train + 2 * n_test)))


@dataclass
class Arms:
    """All arms of a batch of networks.

    ``flow`` is the networks', ``held_out`` their test set, ``weights_end`` (None if no arm needs them) what they ended
    with; ``loss``, ``tolerance``, ``max_steps`` are the experiment's.
    """

    flow: GradientFlow
    held_out: HeldOut
    weights_end: Weights | None
    tolerance: float
    max_steps: int

    def follow(self, name: str) -> Arm:
        """Follow the arm ``name`` (not "network") of every network."""
        features = name.endswith("features")
        if name.startswith("final"):
            assert self.weights_end is not None
            return self._in_groups(self.weights_end, self.held_out.seed_of, self.flow, features)
        seed_of = self.held_out.seed_of
        if self.held_out.subtract:
            # one network a seed, whatever alpha is
            first = torch.stack([torch.nonzero(seed_of == seed)[0, 0] for seed in seed_of.unique()])
            own = self._in_groups(self.held_out.initial, seed_of[first], self.flow.select(first), features)
            return Arm(own.output[seed_of], own.time_end[seed_of], own.status[seed_of])
        return self._in_groups([w[seed_of] for w in self.held_out.initial], seed_of, self.flow, features)

    def _in_groups(self, weights: Weights, seeds: Tensor, flow: GradientFlow, features: bool) -> Arm:
        inputs, network = self.held_out.inputs, flow.network
        n_train, n_test = len(flow.y), self.held_out.output_initial.shape[1]
        size = group_size(n_train, n_test, weights[0].element_size())
        found = []
        for group in torch.arange(len(seeds), device=seeds.device).split(size):
            own = flow.select(group)
            train = network.linearise([w[group] for w in weights], own.inputs)
            test = network.linearise([w[group] for w in weights], inputs.select(seeds[group]))
            theta, theta_test = grams(train, test, features=features)
            start, start_test = torch.zeros_like(train.output), torch.zeros_like(test.output)
            if not self.held_out.subtract:
                alpha, initial = own.alpha.unsqueeze(-1), [w[seeds[group]] for w in self.held_out.initial]
                start = alpha * network.output(initial, own.inputs)
                start_test = alpha * self.held_out.output_initial[seeds[group]]
            found.append(self._sound(theta, theta_test, start, start_test))
        return Arm(
            *(torch.cat(parts) for parts in zip(*((a.output, a.time_end, a.status) for a in found), strict=True))
        )

    def _sound(self, theta: Tensor, theta_test: Tensor, start: Tensor, start_test: Tensor) -> Arm:
        """Follow the members whose kernels are finite; the others' networks have diverged, and their arms with them."""
        found = Arm(
            torch.full_like(start_test, torch.nan),
            torch.full_like(start[:, 0], torch.nan, dtype=torch.float64),
            torch.full_like(start[:, 0], Status.DIVERGED, dtype=torch.int8),
        )
        sound = torch.nonzero(finite(theta, theta_test)).squeeze(-1)
        if len(sound):
            arm = follow(
                theta[sound],
                theta_test[sound],
                start[sound],
                start_test[sound],
                self.flow.y,
                loss=self.flow.loss,
                tolerance=self.tolerance,
                max_steps=self.max_steps,
            )
            found.output[sound], found.time_end[sound], found.status[sound] = arm.output, arm.time_end, arm.status
        return found


def needs_end(names: Sequence[str]) -> bool:
    """Whether one of these arms needs the trained networks."""
    return any(name.startswith("final") for name in names)


def follow(
    theta: Tensor,
    theta_test: Tensor,
    start: Tensor,
    start_test: Tensor,
    y: Tensor,
    *,
    loss: Loss,
    tolerance: float,
    max_steps: int,
) -> Arm:
    """Train with the frozen kernels ``theta`` (members, n, n), ``theta_test`` (members, n_test, n).

    ``start``, ``start_test`` are F at the beginning, zero where it is subtracted. The square loss is followed exactly,
    others with the error control of networks, ``tolerance`` (see `ErrorControl`).
    """
    flow, coefficients = frozen_flow(theta, loss, y, start)
    arm = Arm(torch.full_like(start_test, torch.nan), torch.zeros_like(start[:, 0]), torch.zeros(0))

    def keep(end: Moment) -> None:
        pushed = torch.bmm(theta_test[end.members], end.weights[0]).squeeze(-1)
        arm.output[end.members] = start_test[end.members] + pushed

    stepper: Stepper = Rosenbrock() if len(y) <= _IMPLICIT else Chebyshev()
    if loss is LOSSES["square"]:
        stepper = Exponential()
    scale = torch.full_like(start[:, 0], 0.3)
    result = integrate(
        flow,
        coefficients,
        [Stop(flow)],
        keep,
        stepper=stepper,
        controller=ErrorControl(scale, tolerance, stepper.order),
        max_steps=max_steps,
    )
    arm.time_end, arm.status = result.time_end, result.status
    return arm


def arm_columns(arms: Sequence[Arm], network: Tensor, y_test: Tensor) -> dict[str, Tensor]:
    """Return what the store keeps of arms, (members, arms) each; ``network`` is the networks' F on the test points."""
    outputs = torch.stack([arm.output for arm in arms], dim=1)
    wrong = (outputs * y_test <= 0).to(outputs.dtype).mean(-1)
    apart = (outputs - network.unsqueeze(1)).square().mean(-1) / network.unsqueeze(1).square().mean(-1)
    return {
        "test_error": wrong.where(torch.isfinite(outputs).all(-1), torch.nan),
        "arm_time_end": torch.stack([arm.time_end for arm in arms], dim=1),
        "arm_distance": apart.sqrt(),
        "arm_status": torch.stack([arm.status for arm in arms], dim=1),
    }
