"""The feature regime: training stops once grown weights dominate the initial ones."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import sympy

from theory.model import Model
from theory.scaling.initial import Initial
from theory.scaling.lazy import Lazy
from theory.scaling.linear_forms import ALPHA, A, B, H, interval, largest, power, solve


@dataclass(frozen=True)
class Feature:
    """The feature solution: coherent gains g_l > 1, tied to one another by gradient flow's conservation law.

    d(g_l²)/dT ~ h^(-2 m_l) f·(degree of f in g_l) for all l, hence g_l² = h^(-2 m_l) B with one common B = int f dT;
    the input and the output matrix have h neurons on one side only: there, h^(-1) B.

    ``active`` is the power of h of the number of neurons that carry f: 1, or 0 if the flow of a single neuron blows up
    before the others have grown (k > 1, derived in `neuron_growth`).
    """

    model: Model
    active: int = 1

    @cached_property
    def degrees(self) -> list[sympy.Rational]:
        """The degree of f in g_0..g_L: k^(L-l) by homogeneity; a bounded activation passes no growth on."""
        k, depth = self.model.degree, self.model.depth
        return [k ** (depth - layer) if layer < depth else sympy.S.One for layer in self.model.layers]

    @cached_property
    def total_degree(self) -> sympy.Rational:
        """D, the degree of f in all gains that grow together."""
        return sympy.Add(*self.degrees)

    @cached_property
    def gains(self) -> list[sympy.Expr]:
        """log g_0..log g_L in terms of log B."""
        forms = []
        for layer in self.model.layers:
            if self.degrees[layer] == 0:
                forms.append(sympy.S.Zero)  # grows at most logarithmically
                continue
            ends = layer in (0, self.model.depth)
            share = -sympy.Integer(self.active) * H if ends else -2 * self.model.hidden * H
            forms.append((B + share) / 2)
        return forms

    @cached_property
    def _forward(self) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
        activations, preactivations = [sympy.S.Zero], []
        for layer in range(self.model.depth):
            preactivations.append(self.gains[layer] + activations[-1])
            activations.append(self.model.degree * preactivations[-1])
        return activations, preactivations

    @cached_property
    def output(self) -> sympy.Expr:
        """f in terms of log B."""
        activations, _ = self._forward
        return (self.active - self.model.output) * H + self.gains[-1] + activations[-1]

    @cached_property
    def stop(self) -> sympy.Expr:
        """The equation alpha·f = A^target, as a form that is zero."""
        return sympy.expand(ALPHA + self.output - self.model.target * A)

    @cached_property
    def growth(self) -> sympy.Expr:
        """log B at the stop."""
        return solve(self.stop, B)

    def at_stop(self, scale: sympy.Expr) -> sympy.Expr:
        """Insert the solution for B."""
        return sympy.expand(scale.subs(B, self.growth))

    @cached_property
    def gain(self) -> sympy.Expr:
        """Lambda, the gain of the last layer at the stop; its initial weights are of size 1."""
        return self.at_stop(self.gains[-1])

    @cached_property
    def regime(self) -> tuple[sympy.Expr, sympy.Expr]:
        """The interval of log A/log h in which the grown gains exceed the initial ones."""
        return interval(-self.gain)

    @cached_property
    def kernels(self) -> list[sympy.Expr]:
        """Theta_0..Theta_L at the stop; held-out points at which a kink is near pass slopes of order one.

        Slopes at a typical point are x/z = z^(k-1); a share 1/z of the neurons is within reach of a transition of
        width one, where the slope is of order one, so that the rms over neurons is at least z^(-1/2).
        """
        model = self.model
        activations, preactivations = self._forward
        x = [self.at_stop(s) for s in activations]
        z = [self.at_stop(s) for s in preactivations]
        g = [self.at_stop(s) for s in self.gains]
        slope_power = sympy.Max(model.degree - 1, -sympy.Rational(1, 2))
        active = sympy.Integer(self.active) * H
        backward = [-model.output * H + g[-1] + slope_power * z[-1]]
        for layer in range(model.depth - 1, 0, -1):
            backward.append(g[layer] + backward[-1] + slope_power * z[layer - 1])
        deltas = backward[::-1]
        kernels = [active + 2 * deltas[0]]
        for layer in range(1, model.depth):
            kernels.append((2 - 2 * model.hidden) * H + 2 * deltas[layer] + 2 * x[layer])
        kernels.append(active - 2 * model.output * H + 2 * x[-1])
        return [sympy.expand(kernel) for kernel in kernels]

    @cached_property
    def kernel_change(self) -> sympy.Expr:
        """||Theta||/||Theta_0|| at the stop."""
        direction = {H: sympy.Integer(1), A: sympy.Integer(-100)}
        before = largest(Initial(self.model).kernels, direction)
        return sympy.expand(largest(self.kernels, direction) - before)

    @property
    def kernel_by_output(self) -> sympy.Rational:
        """The power a in ||Theta||/||Theta_0|| ~ f^a at fixed h, wherever training stops: from two stopping targets."""
        farther = Feature(dataclasses.replace(self.model, target=self.model.target + 1), self.active)
        return power(farther.kernel_change - self.kernel_change, A)

    @cached_property
    def weight_change(self) -> sympy.Expr:
        """||w - w_0|| at the stop: h^m g for a matrix with a coherent gain g, sqrt(h) g at the two ends."""
        sizes = []
        for layer, gain in zip(self.model.layers, self.gains, strict=True):
            if self.degrees[layer] == 0:
                continue
            ends = layer in (0, self.model.depth)
            front = sympy.Rational(self.active, 2) if ends else self.model.hidden
            sizes.append(self.at_stop(front * H + gain))
        return largest(sizes, {H: sympy.Integer(1), A: sympy.Integer(-100)})

    @cached_property
    def completion(self) -> tuple[sympy.Expr, bool]:
        """log T that the growth takes, and whether a logarithm comes with it.

        dB/dT ~ f ~ B^(D/2): for D < 2 the last stretch takes longest, B/f; for D > 2 the first one, which is the end of
        linear dynamics (the solution blows up); for D = 2 every factor of B takes as long: a logarithm.
        """
        degree = self.total_degree
        if degree < 2:
            return self.at_stop(B - self.output), False
        return Lazy(self.model).onset, bool(degree == 2)

    @property
    def completion_correction(self) -> sympy.Rational | None:
        """The power of A with which corrections to `completion` vanish where the last stretch decides it (D < 2).

        The integral of dB/f misses its lower end, B^(1-D/2) at B ~ 1, relative to the upper one; and a bounded sigma
        may near its bound more slowly than that.
        """
        if self.total_degree >= 2:
            return None
        start = (2 - self.total_degree) * self.gain_correction
        saturation = self.saturation_correction
        return start if saturation is None else min(start, saturation)

    @property
    def gain_correction(self) -> sympy.Rational:
        """g² = g_0² + (grown)²: the power of A with which corrections to the gain itself vanish, 1/Lambda."""
        return power(-self.gain, A)

    @property
    def saturating_growth(self) -> sympy.Rational | None:
        """The power q in g_l ~ g_{l+1}^q below a bounded sigma that nears its bound as |z|^-p; None if there is none.

        Gradient flow conserves g_l dg_l = (z sigma'/sigma) g_{l+1} dg_{l+1}, with z ~ g_l and z sigma'/sigma ~ z^-p:
        g_l^(2+p) ~ g_{l+1}^2. Where sigma saturates faster than any power, g_l grows as a logarithm.
        """
        p = self.model.saturation
        return None if p is None or self.model.degree != 0 else 2 / (2 + p)

    @property
    def saturation_correction(self) -> sympy.Rational | None:
        """The power of A with which sigma nears its bound in the last hidden layer, z^-p: f = v (1 - O(z^-p))."""
        growth = self.saturating_growth
        return None if growth is None else self.model.saturation * growth * self.gain_correction

    @property
    def kernel_correction(self) -> sympy.Rational:
        """The power of A with which corrections to the kernel vanish: those of g², 1/Lambda²."""
        return 2 * self.gain_correction


def neuron_growth(degree: sympy.Rational) -> int:
    """Return the power of h of the number of neurons that end up carrying f.

    In a two-layer network a neuron's own weights w (in) and v (out) obey w' = c v w^(k-1), v' = c w^k: their size r
    grows as r' ~ r^k. For k <= 1 all neurons grow at once (the number stays ~ h). For k > 1 a neuron blows up at a time
    ~ r(0)^(1-k) that depends on its initial weights: the first one wins, and carries f alone.
    """
    return 1 if degree <= 1 else 0
