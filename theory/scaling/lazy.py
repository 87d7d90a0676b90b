"""The lazy regime: training stops while the initial weights still dominate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy

from theory.model import Model
from theory.scaling.initial import Initial
from theory.scaling.linear_forms import ALPHA, A, H, T, fluctuations, interval, largest, solve


@dataclass(frozen=True)
class Lazy:
    """The lazy solution: the stop is reached while every u_l <= 1."""

    model: Model

    @cached_property
    def initial(self) -> Initial:
        """Sizes at initialisation."""
        return Initial(self.model)

    @cached_property
    def _deep_inside(self) -> dict:
        # which term of a sum dominates is decided deep inside the regime; all terms are equal in the article's model
        return {H: sympy.Integer(1), A: sympy.Integer(100), T: sympy.S.Zero}

    @cached_property
    def stop(self) -> sympy.Expr:
        """The equation alpha·(f - f_0) = A^target, as a form that is zero."""
        return ALPHA + largest(self.initial.output_changes, self._deep_inside) - self.model.target * A

    @cached_property
    def duration(self) -> sympy.Expr:
        """log T at the stop."""
        return solve(self.stop, T)

    @cached_property
    def change(self) -> sympy.Expr:
        """u, the largest relative change of a layer's signal at the stop."""
        return sympy.expand(largest(self.initial.relative_changes, self._deep_inside).subs(T, self.duration))

    @cached_property
    def regime(self) -> tuple[sympy.Expr, sympy.Expr]:
        """The interval of log A/log h in which u <= 1."""
        return interval(self.change)

    @cached_property
    def crossover(self) -> sympy.Expr:
        """log A at which u = 1, as a multiple of log h."""
        return solve(self.change, A)

    @cached_property
    def onset(self) -> sympy.Expr:
        """log T at which u = 1: the end of linear dynamics, wherever the stop is."""
        return solve(largest(self.initial.relative_changes, self._deep_inside), T)

    @cached_property
    def output_at_onset(self) -> sympy.Expr:
        """f - f_0 at the end of linear dynamics."""
        return sympy.expand(largest(self.initial.output_changes, self._deep_inside).subs(T, self.onset))

    @cached_property
    def change_undoing_output(self) -> sympy.Expr:
        """u, once f has moved by its own initial size: what the fit takes for A -> infinity if f_0 is kept in F."""
        moved = solve(largest(self.initial.output_changes, self._deep_inside) - self.initial.output, T)
        return sympy.expand(largest(self.initial.relative_changes, self._deep_inside).subs(T, moved))

    @cached_property
    def weight_change(self) -> sympy.Expr:
        """||w - w_0|| at the stop."""
        return sympy.expand(largest(self.initial.weight_changes, self._deep_inside).subs(T, self.duration))

    @cached_property
    def kernel_terms(self) -> dict[str, sympy.Expr]:
        """The terms of ||dTheta||/||Theta_0|| at the stop.

        Under v -> -v the output is odd and the kernel even, and each order of (dw·d/dw) is odd: an odd order has mean
        zero over initial weights, and is seen only as a fluctuation of a sum over h neurons, smaller by h^(-1/2). A
        kinked activation adds sign flips: a share u of the (neuron, datum) pairs, with random signs.
        """
        return self.kernel_terms_of(self.change)

    def kernel_terms_of(self, change: sympy.Expr) -> dict[str, sympy.Expr]:
        """`kernel_terms` where signals have changed by a share u, ``change``."""
        terms = {"first order": change + fluctuations(H), "second order": 2 * change}
        if self.model.kinked:
            terms["flips"] = (change - H) / 2
        return {name: sympy.expand(term) for name, term in terms.items()}

    def dominates(self, name: str) -> tuple[sympy.Expr, sympy.Expr]:
        """The interval of log A/log h in which one of `kernel_terms` is the largest, within the regime.

        Flips also need to occur: their expected number h·u must not be below one.
        """
        term = self.kernel_terms[name]
        conditions = [other - term for other in self.kernel_terms.values() if other != term]
        if name == "flips":
            conditions.append(-(H + self.change))
        elif self.model.kinked and name == "first order":
            # beyond the last flip the flips' term is gone
            conditions = [self.kernel_terms["second order"] - term, H + self.change]
        return interval(self.change, *conditions)
