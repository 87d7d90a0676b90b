r"""Gradient flow of a model that is linear in its parameters: a frozen kernel, followed in function space.

With coefficients p, one a training point, F = F_0 + Theta p and dp/dt = -l'(F y) y/n, the flow is

    dF/dt = -Theta l'(F y) y / n,

whatever alpha is (article convention), and there are no weights. To the driver this is a network with one "layer" p,
whose tangent kernel is Theta: steppers, controllers and events are those of networks. For the W-method the Gauss-Newton
Jacobian is now the exact one, which makes it an L-stable Rosenbrock method.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import Loss
from simulate.networks import ntk
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Linearisation, Weights


@dataclass
class Kernel:
    """The "inputs" of a frozen flow: Theta on the training set, (members, n, n)."""

    a: Tensor

    def select(self, index: Tensor | slice) -> Kernel:
        """See `simulate.networks.architecture.Inputs`."""
        return Kernel(self.a[index])

    def select_points(self, rows: slice | Tensor) -> Kernel:
        """See `simulate.networks.architecture.Inputs`."""
        return Kernel(self.a[:, rows, rows])

    def norm(self, v: Tensor) -> Tensor:
        """Return the norm of a change of coefficients, sqrt(v Theta v)."""
        return (v * torch.bmm(self.a, v)).sum(dim=(-2, -1)).clamp_min(0.0).sqrt()


@dataclass
class FrozenLinearisation(Linearisation):
    """Theta and Theta p."""

    theta: Tensor
    output: Tensor

    def select(self, index: Tensor) -> FrozenLinearisation:
        """See `Linearisation`."""
        return FrozenLinearisation(self.theta[index], self.output[index])

    def put(self, index: Tensor, other: FrozenLinearisation) -> None:
        """See `Linearisation`; the kernel is the same at all times."""
        self.output[index] = other.output

    def select_points(self, rows: slice) -> FrozenLinearisation:
        """See `Linearisation`."""
        return replace(self, theta=self.theta[:, rows, rows], output=self.output[:, rows])

    def pullback(self, q: Tensor) -> Weights:
        """See `Linearisation`: forces are rates of coefficients."""
        return [q.unsqueeze(-1)]

    def pushforward(self, v: Weights) -> Tensor:
        """See `Linearisation`."""
        return ntk.product(self.theta, v[0].squeeze(-1))

    def kernel_parts(self, other: FrozenLinearisation | None = None) -> Iterator[Tensor]:
        """See `Linearisation`."""
        yield self.theta.clone()

    def kernel(self) -> Tensor:
        """See `Linearisation`."""
        return self.theta

    def kernel_trace(self) -> Tensor:
        """See `Linearisation`."""
        return self.theta.diagonal(dim1=-2, dim2=-1).sum(-1)

    @property
    def tile_size(self) -> int:
        """See `Linearisation`."""
        return self.output.shape[1]


class FrozenModel:
    """What stands for the network: p -> Theta p."""

    def linearise(self, weights: Weights, inputs: Kernel) -> FrozenLinearisation:
        """See `simulate.networks.architecture.Architecture`."""
        return FrozenLinearisation(inputs.a, self.output(weights, inputs))

    def output(self, weights: Weights, inputs: Kernel) -> Tensor:
        """See `simulate.networks.architecture.Architecture`."""
        return ntk.product(inputs.a, weights[0].squeeze(-1))


def frozen_flow(theta: Tensor, loss: Loss, y: Tensor, start: Tensor) -> tuple[GradientFlow, Weights]:
    """Return the flow with kernels ``theta`` (members, n, n) from F = ``start`` (members, n), and its coefficients."""
    model = cast(Architecture, FrozenModel())
    flow = GradientFlow(model, loss, Kernel(theta), y, torch.ones_like(start[:, 0]), -start)
    return flow, [torch.zeros_like(start).unsqueeze(-1)]
