"""What is measured on the way: the moments that end linear dynamics, halve the loss, stop; held-out kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point, rms
from simulate.networks import ntk
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Inputs, Linearisation, Weights
from simulate.training.events import Moment

_KERNEL_BYTES = 2**27  # held-out kernels are formed for as many networks at once as fit into this


class HeldOut:
    """The test set as every member sees it: predictor, tangent at time zero, kernel and its change.

    Members of one seed share their initial weights whatever their alpha, so ``initial`` and ``inputs`` hold one network
    a seed and ``seed_of`` (members,) says which is whose. The first ``n_kernel`` test points carry the kernels. Without
    ``subtract``, F = alpha f.
    """

    def __init__(
        self,
        network: Architecture,
        initial: Weights,
        seed_of: Tensor,
        alpha: Tensor,
        inputs: Inputs,
        n_kernel: int,
        *,
        subtract: bool = True,
    ) -> None:
        self.network = network
        self.initial = initial
        self.seed_of = seed_of
        self.alpha = alpha
        self.inputs = inputs
        self.kernel_inputs = inputs.select_points(slice(n_kernel))
        self.output_initial = network.output(initial, inputs)
        self.subtract = subtract
        norms = [ntk.norms(self._initial_kernels(group)) for group in self._groups(len(initial[0]))]
        self.norm_initial = torch.cat([total for total, _ in norms])
        self.layer_norm_initial = torch.cat([layers for _, layers in norms])

    def predictor(self, members: Tensor, weights: Weights) -> Tensor:
        """Return F on the test points, shape (len(members), n_test)."""
        return self._predictor(members, weights, subtract=self.subtract)

    def growth(self, members: Tensor, weights: Weights) -> Tensor:
        """Return F - F(0) on the test points, shape (len(members), n_test)."""
        return self._predictor(members, weights, subtract=True)

    def _predictor(self, members: Tensor, weights: Weights, *, subtract: bool) -> Tensor:
        seeds = self.seed_of[members]
        output = self.network.output(weights, self.inputs.select(seeds))
        if subtract:
            output = output - self.output_initial[seeds]
        return self.alpha[members].unsqueeze(-1) * output

    def rate(self, point: Point) -> Tensor:
        """Return dF/dt on the test points at the initial weights of all members, shape (members, n_test)."""
        at = self.network.linearise([w[self.seed_of] for w in self.initial], self.inputs.select(self.seed_of))
        return self.alpha.unsqueeze(-1) * at.pushforward(point.weight_velocity())

    def kernel_change(self, members: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        """Return ||Theta - Theta_0||_F / ||Theta_0||_F, shape (m,), and the same for each layer's part, (m, L+1)."""
        totals, layers = [], []
        for group in self._groups(len(members)):
            seeds = self.seed_of[members[group]]
            now = self.network.linearise([w[group] for w in weights], self.kernel_inputs.select(seeds))
            found = ntk.compare(now, self._initial_kernels(seeds))
            totals.append(found.change / self.norm_initial[seeds])
            layer_norm = self.layer_norm_initial[seeds]
            # a part that can't change (0/0) has not changed
            layers.append((found.change_layers / layer_norm).where(layer_norm > 0, 0.0))
        return torch.cat(totals), torch.cat(layers)

    def _initial_kernels(self, seeds: Tensor) -> Linearisation:
        return self.network.linearise([w[seeds] for w in self.initial], self.kernel_inputs.select(seeds))

    def _groups(self, count: int) -> Iterator[Tensor]:
        a = self.kernel_inputs.a
        # two linearisations, and a few tiles of their kernels
        each = (2 * self.network.size.kept_per_point * len(a) + 6 * min(len(a), 512) ** 2) * a.element_size()
        return iter(torch.arange(count, device=a.device).split(max(1, _KERNEL_BYTES // each)))


class LinearEnd:
    """rms_test|F(t) - F(0) - t F'(0)| reaches half of rms_test|t F'(0)|: the trajectory has left its tangent (t1)."""

    tolerance = 4e-3
    terminal = False
    value_from_output = None

    def __init__(self, held_out: HeldOut, rate: Tensor, tau: Tensor) -> None:
        self.held_out = held_out
        self.tau = tau
        self.rate = rate
        self.rate_rms = rms(rate)
        self.time = torch.full_like(self.rate_rms, torch.nan, dtype=torch.float64)
        self.output_rms = torch.full_like(self.rate_rms, torch.nan)
        self.kernel_change = torch.full_like(self.rate_rms, torch.nan)

    def value(self, moment: Moment) -> Tensor:
        """Return rms|F - F(0) - t F'(0)| / rms|t F'(0)| - 1/2; it starts at -1/2 and grows linearly in t."""
        members, time = moment.members, self._elapsed(moment).to(self.rate)
        tangent = time.unsqueeze(-1) * self.rate[members]
        departure = rms(self.held_out.growth(members, moment.weights) - tangent)
        return departure / (time * self.rate_rms[members]).clamp_min(torch.finfo(time.dtype).tiny) - 0.5

    def _elapsed(self, moment: Moment) -> Tensor:
        """The time t, less what the start from rest takes where there is momentum: t - tau (1 - exp(-t/tau))."""
        tau = self.tau[moment.members]
        started = torch.expm1(-moment.time / tau.clamp_min(torch.finfo(tau.dtype).tiny)) * tau
        return torch.where(tau > 0.0, moment.time + started, moment.time)

    def record(self, moment: Moment) -> None:
        """Keep the time, the output's size and the kernel's change."""
        members = moment.members
        self.time[members] = moment.time
        self.output_rms[members] = rms(self.held_out.predictor(members, moment.weights))
        self.kernel_change[members] = self.held_out.kernel_change(members, moment.weights)[0]


class _OfOutput(ABC):
    """An event that outputs on the training set tell, without a look at networks."""

    @abstractmethod
    def value_from_output(self, output: Tensor) -> Tensor:
        """Return the event function of F, (members, n_train)."""

    def value(self, moment: Moment) -> Tensor:
        """See `value_from_output`."""
        return self.value_from_output(moment.output)


class HalfLoss(_OfOutput):
    """The mean loss l(F·y) over the training set falls to 1/2."""

    tolerance = 2e-3
    terminal = False

    def __init__(self, held_out: HeldOut, flow: GradientFlow) -> None:
        self.held_out = held_out
        self.flow = flow
        self.time = torch.full_like(flow.alpha, torch.nan, dtype=torch.float64)
        self.output_rms = torch.full_like(flow.alpha, torch.nan)

    def value_from_output(self, output: Tensor) -> Tensor:
        """Return 1/2 minus the mean loss."""
        return 0.5 - self.flow.mean_loss(output)

    def record(self, moment: Moment) -> None:
        """Keep the time and the output's size."""
        self.time[moment.members] = moment.time
        self.output_rms[moment.members] = rms(self.held_out.predictor(moment.members, moment.weights))


class Stop(_OfOutput):
    """The loss's own stopping criterion is met: training ends."""

    tolerance = 1e-3
    terminal = True

    def __init__(self, flow: GradientFlow) -> None:
        self.flow = flow

    def value_from_output(self, output: Tensor) -> Tensor:
        """Return the loss's progress: zero where the criterion is met."""
        return self.flow.progress(output)

    def record(self, moment: Moment) -> None:
        """Nothing: what is measured at the end is measured for every member, however it ended."""


class Checkpoints:
    """What is stored at checkpoints, each (members, checkpoints, ...): NaN where a member did not get so far."""

    def __init__(self, held_out: HeldOut, flow: GradientFlow, count: int, layers: int) -> None:
        self.held_out = held_out
        self.flow = flow
        shape = (len(flow.alpha), count)
        self.loss, self.output_rms, self.kernel_change = (
            torch.full(shape, torch.nan, dtype=flow.alpha.dtype, device=flow.alpha.device) for _ in range(3)
        )
        self.time = torch.full_like(self.loss, torch.nan, dtype=torch.float64)
        self.velocity = torch.full((*shape, layers), torch.nan, dtype=flow.alpha.dtype, device=flow.alpha.device)

    def record(self, moment: Moment, rows: Tensor) -> None:
        """Keep what members show at their checkpoints ``rows`` (m,)."""
        members = moment.members
        at = members, rows
        self.time[at] = moment.time
        self.loss[at] = self.flow.mean_loss(moment.output)
        self.output_rms[at] = rms(self.held_out.predictor(members, moment.weights))
        self.kernel_change[at] = self.held_out.kernel_change(members, moment.weights)[0]
        flow = self.flow.select(members)
        point = flow(moment.weights)
        rates = point.weight_velocity()
        self.velocity[at] = flow.network.preactivation_velocity(moment.weights, rates, flow.inputs)
