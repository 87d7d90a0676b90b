r"""Fully connected residual networks: each block adds beta times a layer to the stream that it reads.

    x_0 = W_0 x/sqrt(d),
    x_l = x_(l-1) + beta W_l sigma(x_(l-1))/sqrt(h),    l = 1...L-1,
    f = W_L sigma(x_(L-1))/sqrt(h):

L - 1 blocks, and with L = 1 none: a fully connected network. At initialisation the stream's variance Sigma and its
tangent kernel of one point follow, at infinite width and for ReLU (normalised, E[sigma(z)²] = E[sigma'(z)²] = 1),

    Sigma_l = (1 + beta²) Sigma_(l-1),    Sigma_0 = 1,
    Theta_l = (1 + beta²) Theta_(l-1) + beta² Sigma_(l-1),    Theta_0 = 1,

so that beta = (L-1)^(-1/2) is the largest branch scale at which neither grows with depth. With beta = 1/(L-1), the
discretisation of a differential equation, the blocks' share of both vanishes as 1/L.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Weights


class Residual(Architecture):
    """Blocks scaled with beta = (L-1)^(-1/2).

    A class derived from it with another ``branch_exponent`` has other blocks.
    """

    name = "residual"
    layers_in_sequence = False
    branch_exponent: ClassVar[float] = 0.5  #: beta = (number of blocks)^(-branch_exponent)

    @property
    def branch_scale(self) -> float:
        """beta."""
        return max(1, self.depth - 1) ** -self.branch_exponent

    def weight_shapes(self) -> Sequence[tuple[int, int]]:
        """See `Architecture`."""
        return [(self.width, self.input_dim), *[(self.width, self.width)] * (self.depth - 1), (1, self.width)]

    def forward(self, weights: Weights, x: Tensor) -> Tensor:
        """See `Architecture`."""
        first, *blocks, last = weights
        stream = x @ first.mT / math.sqrt(self.input_dim)
        for w in blocks:
            stream = stream + (self.branch_scale / math.sqrt(self.width)) * (self.sigma(stream) @ w.mT)
        return (self.sigma(stream) @ last.mT / math.sqrt(self.width)).squeeze(-1)


class ResidualODE(Residual):
    """Blocks scaled with beta = 1/(L-1)."""

    name = "residual_ode"
    branch_exponent = 1.0
