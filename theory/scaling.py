r"""Power counting: what follows from the model's scaling form, by linear equations in exponents.

Every quantity is a monomial h^p A^q (A = sqrt(h)·alpha), kept as the linear form p·log h + q·log A of two sympy
symbols; a sum is its largest term, so that relations between quantities become linear equations, and the conditions
under which a term dominates become inequalities in s = log A / log h. Two balances solve the model:

* *initial weights dominate* (lazy): every layer passes signals on with its initial gain, and what training adds to it
  is smaller by a factor u_l;
* *grown weights dominate* (feature): every layer has a gain g_l that gradient flow has built up coherently.

With T = t/alpha (weights move by T times the gradient of f), x_l and z_l the sizes of activations and preactivations
per neuron, d_l = df/dz_l per neuron, and sums over the h neurons of a layer coherent (a factor h),

    forward    z_{l+1} = g_l x_l,  x_l = z_l^k,  f = h^(1-e) v x_L
    backward   d_L = h^(-e) v x_L/z_L,  d_l = g_l d_{l+1} x_l/z_l
    flow       dz_{l+1} = T·h^(1-2m) x_l² d_{l+1} (input layer: T·d_1),  dv = T·h^(-e) x_L
    stop       alpha·(f - f_0) ~ A^target

Source of the model: arXiv:1906.08034 (abstract and published code); the balances are solved here, nothing is looked up.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import sympy

from theory.model import Model

H, A = sympy.symbols("log_h log_A", real=True)  #: logarithms of the width and of A = sqrt(h)·alpha
ALPHA = A - H / 2  #: log alpha
_T = sympy.Symbol("log_T", real=True)
_B = sympy.Symbol("log_B", real=True)


def power(scale: sympy.Expr, symbol: sympy.Symbol) -> sympy.Rational:
    """Return the exponent of h (``symbol=H``) or A (``symbol=A``) in a scale, the other one held fixed."""
    return sympy.Rational(sympy.expand(scale).coeff(symbol))


def interval(*conditions: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the (low, high) of s = log A/log h in which all scales are <= 1 for large h; empty if low > high."""
    low, high = -sympy.oo, sympy.oo
    for condition in conditions:
        # sign of p + q s at h -> infinity
        p, q = power(condition, H), power(condition, A)
        if q > 0:
            high = sympy.Min(high, -p / q)
        elif q < 0:
            low = sympy.Max(low, -p / q)
        elif p > 0:
            return sympy.oo, -sympy.oo
    return low, high


def _solve(equation: sympy.Expr, unknown: sympy.Symbol) -> sympy.Expr:
    (solution,) = sympy.linsolve([equation], [unknown])
    return sympy.expand(solution[0])


def _largest(scales: list[sympy.Expr], direction: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """The dominating term of a sum, compared in a ``direction`` (values of log h and log A)."""
    return max(scales, key=lambda scale: scale.subs(direction))


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
        changes = [_T + self.deltas[0] - self.preactivations[0]]
        for x, delta, z in zip(self.activations[1:-1], self.deltas[1:], self.preactivations[1:], strict=True):
            changes.append(_T + (1 - 2 * self.model.hidden) * H + 2 * x + delta - z)
        changes.append(_T - self.model.output * H + self.activations[-1])  # v is of size 1
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
        return [_T + kernel / 2 for kernel in self.kernels]


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
        return {H: sympy.Integer(1), A: sympy.Integer(100), _T: sympy.S.Zero}

    @cached_property
    def stop(self) -> sympy.Expr:
        """The equation alpha·(f - f_0) = A^target, as a form that is zero."""
        return ALPHA + _largest(self.initial.output_changes, self._deep_inside) - self.model.target * A

    @cached_property
    def duration(self) -> sympy.Expr:
        """log T at the stop."""
        return _solve(self.stop, _T)

    @cached_property
    def change(self) -> sympy.Expr:
        """u, the largest relative change of a layer's signal at the stop."""
        return sympy.expand(_largest(self.initial.relative_changes, self._deep_inside).subs(_T, self.duration))

    @cached_property
    def regime(self) -> tuple[sympy.Expr, sympy.Expr]:
        """The interval of log A/log h in which u <= 1."""
        return interval(self.change)

    @cached_property
    def crossover(self) -> sympy.Expr:
        """log A at which u = 1, as a multiple of log h."""
        return _solve(self.change, A)

    @cached_property
    def onset(self) -> sympy.Expr:
        """log T at which u = 1: the end of linear dynamics, wherever the stop is."""
        return _solve(_largest(self.initial.relative_changes, self._deep_inside), _T)

    @cached_property
    def output_at_onset(self) -> sympy.Expr:
        """f - f_0 at the end of linear dynamics."""
        return sympy.expand(_largest(self.initial.output_changes, self._deep_inside).subs(_T, self.onset))

    @cached_property
    def change_undoing_output(self) -> sympy.Expr:
        """u, once f has moved by its own initial size: what the fit takes for A -> infinity if f_0 is kept in F."""
        moved = _solve(_largest(self.initial.output_changes, self._deep_inside) - self.initial.output, _T)
        return sympy.expand(_largest(self.initial.relative_changes, self._deep_inside).subs(_T, moved))

    @cached_property
    def weight_change(self) -> sympy.Expr:
        """||w - w_0|| at the stop."""
        return sympy.expand(_largest(self.initial.weight_changes, self._deep_inside).subs(_T, self.duration))

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
            forms.append((_B + share) / 2)
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
        return _solve(self.stop, _B)

    def at_stop(self, scale: sympy.Expr) -> sympy.Expr:
        """Insert the solution for B."""
        return sympy.expand(scale.subs(_B, self.growth))

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
        before = _largest(Initial(self.model).kernels, direction)
        return sympy.expand(_largest(self.kernels, direction) - before)

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
        return _largest(sizes, {H: sympy.Integer(1), A: sympy.Integer(-100)})

    @cached_property
    def completion(self) -> tuple[sympy.Expr, bool]:
        """log T that the growth takes, and whether a logarithm comes with it.

        dB/dT ~ f ~ B^(D/2): for D < 2 the last stretch takes longest, B/f; for D > 2 the first one, which is the end of
        linear dynamics (the solution blows up); for D = 2 every factor of B takes as long: a logarithm.
        """
        degree = self.total_degree
        if degree < 2:
            return self.at_stop(_B - self.output), False
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


def fluctuations(count: sympy.Expr) -> sympy.Expr:
    """The relative seed-to-seed fluctuation of a coherent sum over e^count exchangeable neurons: count^(-1/2)."""
    return -count / 2
