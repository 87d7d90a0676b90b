"""The test set as a batch of networks sees it: outputs, their rate at the start, kernels and how they change."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from simulate.dynamics.flow import Point, rms
from simulate.networks import ntk
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Inputs, Linearisation, Weights

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

    def output_rms(self, members: Tensor, weights: Weights) -> Tensor:
        """Return the root mean square of F over the test points, shape (len(members),)."""
        return rms(self.predictor(members, weights))

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
        initial = [w[self.seed_of] for w in self.initial]
        linearisation = self.network.linearise(initial, self.inputs.select(self.seed_of))
        return self.alpha.unsqueeze(-1) * linearisation.pushforward(point.weight_velocity())

    def kernel_change(self, members: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        """Return ||Theta - Theta_0||_F / ||Theta_0||_F, shape (m,), and the same for each layer's part, (m, L+1)."""
        totals, layers = [], []
        for group in self._groups(len(members)):
            seeds = self.seed_of[members[group]]
            now = self.network.linearise([w[group] for w in weights], self.kernel_inputs.select(seeds))
            comparison = ntk.compare(now, self._initial_kernels(seeds))
            totals.append(comparison.change / self.norm_initial[seeds])
            layer_norm = self.layer_norm_initial[seeds]
            # a part that can't change (0/0) has not changed
            layers.append((comparison.change_layers / layer_norm).where(layer_norm > 0, 0.0))
        return torch.cat(totals), torch.cat(layers)

    def _initial_kernels(self, seeds: Tensor) -> Linearisation:
        return self.network.linearise([w[seeds] for w in self.initial], self.kernel_inputs.select(seeds))

    def _groups(self, count: int) -> Iterator[Tensor]:
        a = self.kernel_inputs.a
        # two linearisations, and a few tiles of their kernels
        each = (2 * self.network.size.kept_per_point * len(a) + 6 * min(len(a), 512) ** 2) * a.element_size()
        return iter(torch.arange(count, device=a.device).split(max(1, _KERNEL_BYTES // each)))
