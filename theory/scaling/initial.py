"""Sizes at initialisation, and what a flow of a given duration changes them by to first order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy

from theory.model import Model
from theory.scaling.linear_forms import H, T


@dataclass(frozen=True)
class Initial:
    """The lazy balance: sizes at initialisation, and the changes that a flow of duration T adds, to first order.

    All are linear forms in log h, log A and (for changes) log T.
    """

    model: Model

    @cached_property
    def activations(self) -> list[sympy.Expr]:
        """x_0..x_L per neuron; a random matrix adds h terms of random sign."""
        sizes = [sympy.S.Zero, sympy.S.Zero]  # inputs of size 1, and a first layer normalised by its fan-in
        for _ in range(self.model.depth - 1):
            sizes.append(self.model.degree * (self._gain + sizes[-1]))
        return sizes

    @property
    def _gain(self) -> sympy.Expr:
        return (sympy.Rational(1, 2) - self.model.hidden) * H

    @cached_property
    def preactivations(self) -> list[sympy.Expr]:
        """z_1..z_L per neuron (index 0 is z_1)."""
        return [sympy.S.Zero] + [self._gain + x for x in self.activations[1:-1]]

    @cached_property
    def deltas(self) -> list[sympy.Expr]:
        """d_1..d_L = df/dz per neuron (index 0 is d_1)."""
        slopes = [x - z for x, z in zip(self.activations[1:], self.preactivations, strict=True)]
        backward = [-self.model.output * H + slopes[-1]]
        for slope in reversed(slopes[:-1]):
            backward.append(self._gain + backward[-1] + slope)
        return backward[::-1]

    @cached_property
    def relative_changes(self) -> list[sympy.Expr]:
        """u_0..u_L: what the update of each matrix adds to its layer's signal, relative to that signal."""
        changes = [T + self.deltas[0] - self.preactivations[0]]
        for x, delta, z in zip(self.activations[1:-1], self.deltas[1:], self.preactivations[1:], strict=True):
            changes.append(T + (1 - 2 * self.model.hidden) * H + 2 * x + delta - z)
        changes.append(T - self.model.output * H + self.activations[-1])  # v is of size 1
        return changes

    @cached_property
    def output_changes(self) -> list[sympy.Expr]:
        """f - f_0 due to each matrix: h·d·z·u for those below a hidden layer, h^(1-e) x_L·dv for the last."""
        below = [
            H + delta + z + u
            for delta, z, u in zip(self.deltas, self.preactivations, self.relative_changes[:-1], strict=True)
        ]
        return [*below, (1 - self.model.output) * H + self.activations[-1] + self.relative_changes[-1]]

    @cached_property
    def output(self) -> sympy.Expr:
        """f_0: a sum over h neurons of random signs."""
        return (sympy.Rational(1, 2) - self.model.output) * H + self.activations[-1]

    @cached_property
    def kernels(self) -> list[sympy.Expr]:
        """Theta_0..Theta_L = |df/dW_l|²."""
        first = H + 2 * self.deltas[0]
        hidden = [
            (2 - 2 * self.model.hidden) * H + 2 * delta + 2 * x
            for delta, x in zip(self.deltas[1:], self.activations[1:-1], strict=True)
        ]
        return [first, *hidden, (1 - 2 * self.model.output) * H + 2 * self.activations[-1]]

    @cached_property
    def weight_changes(self) -> list[sympy.Expr]:
        """||W_l - W_l(0)||_F = T |df/dW_l|."""
        return [T + kernel / 2 for kernel in self.kernels]
