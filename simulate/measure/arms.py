"""Arms: the same training with a kernel that does not change, beside each network.

An arm starts from the network's F, stops by the same criterion, and is integrated in function space
(`simulate.dynamics.frozen_kernel`). Its kernel is the tangent kernel at the start or at the end of the network's
training, or the part of it that belongs to the last layer, sigma(z) sigma(z)^T/h of the last hidden layer: what
training the last layer alone would follow. The initial kernels are the same at every alpha, and so are their arms, if
F starts at zero.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.campaign.arms import ARMS
from simulate.dynamics.flow import GradientFlow, finite
from simulate.dynamics.frozen_kernel import frozen_flow
from simulate.dynamics.losses import LOSSES, Loss
from simulate.integrators.chebyshev import Chebyshev
from simulate.integrators.error_control import ErrorControl
from simulate.integrators.exponential import Exponential
from simulate.integrators.protocol import Stepper
from simulate.integrators.rosenbrock import Rosenbrock
from simulate.measure.network_batch import NetworkBatch
from simulate.measure.stop import Stop
from simulate.networks.linearisation import Linearisation, Weights
from simulate.training.driver import integrate
from simulate.training.moment import Moment
from simulate.training.status import Status

_BYTES = 2**28  # as many arms are trained at once as fit into this
_IMPLICIT = 1000  # training points, up to which a factorisation a step costs less than the products of explicit stages


@dataclass
class TrainedArm:
    """Results of frozen flows: F on the test points (members, n_test), times and statuses (members,)."""

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
    """Return how many networks' arms are trained at once: it follows from shapes alone."""
    return max(1, _BYTES // (element_size * n_train * (6 * n_train + 2 * n_test)))


def train_arm(batch: NetworkBatch, name: str, weights_end: Weights) -> TrainedArm:
    """Train the arm ``name`` of `ARMS` (not "network") of every network of a batch.

    ``weights_end`` are the trained networks' weights, used where the arm's kernel is the final one.
    """
    features = ARMS[name].last_layer_only
    flow, held_out, seed_of = batch.flow, batch.held_out, batch.seed_of
    if ARMS[name].weights == "final":
        return _train_in_groups(batch, weights_end, seed_of, flow, features)
    if held_out.subtract:
        # F starts at zero, so that all amplitudes of a seed have the same arm
        first = torch.stack([torch.nonzero(seed_of == seed)[0, 0] for seed in seed_of.unique()])
        arm = _train_in_groups(batch, batch.initial, seed_of[first], flow.select(first), features)
        return TrainedArm(arm.output[seed_of], arm.time_end[seed_of], arm.status[seed_of])
    return _train_in_groups(batch, batch.initial_weights(), seed_of, flow, features)


def _train_in_groups(
    batch: NetworkBatch, weights: Weights, seeds: Tensor, flow: GradientFlow, features: bool
) -> TrainedArm:
    """Train arms with the kernels of the networks ``weights``, as many at once as memory is meant for.

    ``seeds`` and ``flow`` are those of these networks, one each.
    """
    held_out, network = batch.held_out, flow.network
    n_train, n_test = len(flow.y), len(batch.y_test)
    size = group_size(n_train, n_test, weights[0].element_size())
    arms = []
    for group in torch.arange(len(seeds), device=seeds.device).split(size):
        group_flow = flow.select(group)
        train = network.linearise([w[group] for w in weights], group_flow.inputs)
        test = network.linearise([w[group] for w in weights], held_out.inputs.select(seeds[group]))
        theta, theta_test = grams(train, test, features=features)
        start, start_test = torch.zeros_like(train.output), torch.zeros_like(test.output)
        if not held_out.subtract:
            alpha, initial = group_flow.alpha.unsqueeze(-1), [w[seeds[group]] for w in held_out.initial]
            start = alpha * network.output(initial, group_flow.inputs)
            start_test = alpha * held_out.output_initial[seeds[group]]
        arms.append(_train_finite(batch, theta, theta_test, start, start_test))
    return TrainedArm(
        *(torch.cat(parts) for parts in zip(*((a.output, a.time_end, a.status) for a in arms), strict=True))
    )


def _train_finite(
    batch: NetworkBatch, theta: Tensor, theta_test: Tensor, start: Tensor, start_test: Tensor
) -> TrainedArm:
    """Train the members whose kernels are finite; the others' networks have diverged, and their arms with them."""
    result = TrainedArm(
        torch.full_like(start_test, torch.nan),
        torch.full_like(start[:, 0], torch.nan, dtype=torch.float64),
        torch.full_like(start[:, 0], Status.DIVERGED, dtype=torch.int8),
    )
    sound = torch.nonzero(finite(theta, theta_test)).squeeze(-1)
    if len(sound):
        arm = train_with_kernel(
            theta[sound],
            theta_test[sound],
            start[sound],
            start_test[sound],
            batch.flow.y,
            loss=batch.flow.loss,
            tolerance=batch.experiment.tolerance,
            max_steps=batch.experiment.max_steps,
        )
        result.output[sound], result.time_end[sound], result.status[sound] = arm.output, arm.time_end, arm.status
    return result


def train_with_kernel(
    theta: Tensor,
    theta_test: Tensor,
    start: Tensor,
    start_test: Tensor,
    y: Tensor,
    *,
    loss: Loss,
    tolerance: float,
    max_steps: int,
) -> TrainedArm:
    """Train with the frozen kernels ``theta`` (members, n, n), ``theta_test`` (members, n_test, n).

    ``start``, ``start_test`` are F at the beginning, zero where it is subtracted. The square loss is integrated
    exactly, others with the error control of networks, ``tolerance`` (see `ErrorControl`).
    """
    flow, coefficients = frozen_flow(theta, loss, y, start)
    arm = TrainedArm(torch.full_like(start_test, torch.nan), torch.zeros_like(start[:, 0]), torch.zeros(0))

    def store_outputs(end: Moment) -> None:
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
        store_outputs,
        stepper=stepper,
        controller=ErrorControl(scale, tolerance, stepper.order),
        max_steps=max_steps,
    )
    arm.time_end, arm.status = result.time_end, result.status
    return arm


def distance(output: Tensor, network: Tensor) -> Tensor:
    """Return rms_test|F_arm - F| / rms_test|F|, (members,), of outputs (members, n_test)."""
    return ((output - network).square().mean(-1) / network.square().mean(-1)).sqrt()
