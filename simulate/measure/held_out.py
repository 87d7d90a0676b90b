"""The test set as a batch of networks sees it: outputs, their rate at the start, kernels and how they change."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from simulate.dynamics.flow import Point, rms
from simulate.networks import ntk
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Inputs, Linearisation, Weights
from simulate.planning.operations import EVENT_POINTS

_KERNEL_BYTES = 2**27  # held-out kernels are formed for as many networks at once as fit into this
_OUTPUT_BYTES = 2**30  # outputs on the test points are computed in tiles whose forward pass fits into this


class HeldOut:
    """The test set as every member sees it: predictor, tangent at time zero, kernel and its change.

    Members of one seed share their initial weights whatever their alpha, so ``initial`` and ``inputs`` hold one network
    a seed and ``seed_of`` (members,) says which is whose. The first ``n_kernel`` test points carry the kernels; what is
    looked at in each step (`growth`, `rate`) is so on the first `EVENT_POINTS`. Without ``subtract``, F = alpha f.
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
        all_points = len(inputs.a) <= EVENT_POINTS
        self.event_inputs = inputs if all_points else inputs.select_points(slice(EVENT_POINTS))
        self.subtract = subtract
        self._bytes_per_point = network.size.kept_per_point * inputs.a.element_size()
        self.output_initial = self._output(torch.arange(len(initial[0]), device=alpha.device), initial)
        norms = [ntk.norms(self._initial_kernels(group)) for group in self._groups(len(initial[0]))]
        self.norm_initial = torch.cat([total for total, _ in norms])
        self.layer_norm_initial = torch.cat([layers for _, layers in norms])

    def predictor(self, members: Tensor, weights: Weights) -> Tensor:
        """Return F on the test points, shape (len(members), n_test)."""
        seeds = self.seed_of[members]
        output = self._output(seeds, weights)
        if self.subtract:
            output = output - self.output_initial[seeds]
        return self.alpha[members].unsqueeze(-1) * output

    def output_rms(self, members: Tensor, weights: Weights) -> Tensor:
        """Return the root mean square of F over the test points, shape (len(members),)."""
        return rms(self.predictor(members, weights))

    def growth(self, members: Tensor, weights: Weights) -> Tensor:
        """Return F - F(0) on the first `EVENT_POINTS` test points, shape (len(members), points)."""
        seeds = self.seed_of[members]
        output = self.network.output(weights, self.event_inputs.select(seeds))
        initial = self.output_initial[seeds, : output.shape[1]]
        return self.alpha[members].unsqueeze(-1) * (output - initial)

    def rate(self, members: Tensor, point: Point) -> Tensor:
        """Return dF/dt of ``members`` (m,) at their initial weights on the first `EVENT_POINTS`, (m, points).

        ``point`` is their flow there.
        """
        seeds = self.seed_of[members]
        linearisation = self.network.linearise([w[seeds] for w in self.initial], self.event_inputs.select(seeds))
        return self.alpha[members].unsqueeze(-1) * linearisation.pushforward(point.weight_velocity())

    def _output(self, seeds: Tensor, weights: Weights) -> Tensor:
        """Return f of networks of these ``seeds`` on all test points, (len(seeds), n_test), in tiles that fit."""
        n = len(self.inputs.a)
        points = max(1, min(n, _OUTPUT_BYTES // self._bytes_per_point))
        networks = max(1, _OUTPUT_BYTES // (self._bytes_per_point * points))
        if points == n and networks >= len(seeds):
            return self.network.output(weights, self.inputs.select(seeds))
        output = weights[0].new_empty(len(seeds), n)
        for start in range(0, n, points):
            rows = slice(start, start + points)
            tile = self.inputs.select_points(rows)
            for group in torch.arange(len(seeds), device=seeds.device).split(networks):
                output[group, rows] = self.network.output([w[group] for w in weights], tile.select(seeds[group]))
        return output

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

    def initial_kernel_diagonal(self) -> Tensor:
        """Return Theta_0(x, x) on the kernels' points, shape (networks of a seed each, n_kernel)."""
        return torch.cat([ntk.diagonal(self._initial_kernels(group)) for group in self._groups(len(self.initial[0]))])

    def _initial_kernels(self, seeds: Tensor) -> Linearisation:
        return self.network.linearise([w[seeds] for w in self.initial], self.kernel_inputs.select(seeds))

    def _groups(self, count: int) -> Iterator[Tensor]:
        a = self.kernel_inputs.a
        # two linearisations, and a few tiles of their kernels
        bytes_per_network = (
            2 * self.network.size.kept_per_point * len(a) + 6 * min(len(a), 512) ** 2
        ) * a.element_size()
        return iter(torch.arange(count, device=a.device).split(max(1, _KERNEL_BYTES // bytes_per_network)))
