"""Dual activations in closed form: E[phi(u) psi(v)] over two correlated Gaussians, by Stein's lemma.

An activation that is a sum of terms z^m·exp(-p z² + s z)·g(z), where g is 1, sign(z) or erf(alpha z), has a closed
dual: the exponential changes the Gaussian's covariance and mean, and Stein's lemma,
E[u F(u) G(v)] = E[u²] E[F'(u) G(v)] + E[u v] E[F(u) G'(v)], takes one power away after the other until Sheppard's
E[sign(u) sign(v)] = (2/pi) arcsin(c), or its analogue for erf (Williams 1997), is left. The ReLU family and rectified
monomials (arc-cosine kernels, Cho & Saul 2009), polynomials, erf, GELU, sine, cosine, exponentials, Gaussians and
their sums and products all are of this kind.

Everything is written in the standard deviations of u and v and their correlation c, so that nothing is divided by the
size of an input that may vanish.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from lazyrich.errors import InputError
from theory import functions
from theory.activation import Activation
from theory.evaluation import NUMPY
from theory.kernels.dual_terms import SIGN, NoClosedForm, Term, terms_of

SIGMA_1, SIGMA_2 = sympy.symbols("sigma_1 sigma_2", positive=True)  #: standard deviations of u and v
CORRELATION = sympy.Symbol("c", real=True)
q = sympy.Symbol("q", real=True)  #: the correlation on the unit sphere, where it is the covariance

_HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class _Pair:
    """Standard deviations and correlation of two Gaussians u and v of mean zero, as expressions."""

    first: sympy.Expr
    second: sympy.Expr
    correlation: sympy.Expr

    @property
    def covariance(self) -> sympy.Expr:
        return self.correlation * self.first * self.second

    @property
    def swapped(self) -> _Pair:
        return _Pair(self.second, self.first, self.correlation)

    def tilted(self, p: sympy.Expr, r: sympy.Expr) -> tuple[sympy.Expr, _Pair]:
        """Return E[exp(-p u² - r v²)], and the pair whose density is multiplied by this factor and normalised."""
        if p == 0 and r == 0:
            return sympy.S.One, self
        uncorrelated = 1 - self.correlation**2
        narrow_u = 1 + 2 * p * self.first**2 * uncorrelated
        narrow_v = 1 + 2 * r * self.second**2 * uncorrelated
        determinant = (1 + 2 * p * self.first**2) * (1 + 2 * r * self.second**2) - 4 * p * r * self.covariance**2
        return 1 / sympy.sqrt(determinant), _Pair(
            self.first * sympy.sqrt(narrow_v / determinant),
            self.second * sympy.sqrt(narrow_u / determinant),
            self.correlation / sympy.sqrt(narrow_u * narrow_v),
        )


def closed_form(expression: sympy.Expr, other: sympy.Expr | None = None) -> sympy.Expr:
    """Return E[expression(u)·other(v)] in the symbols ``SIGMA_1``, ``SIGMA_2``, ``CORRELATION``.

    Parameters
    ----------
    expression, other : sympy.Expr
        Functions of the real symbol ``z``; ``other`` is ``expression`` if it isn't given.

    Raises
    ------
    NoClosedForm
        If one of them is no sum of such terms as the module's docstring names.

    Examples
    --------
    >>> from theory.expression import parse
    >>> closed_form(parse("z**2")).expand()
    2*c**2*sigma_1**2*sigma_2**2 + sigma_1**2*sigma_2**2
    """
    left = terms_of(expression)
    right = left if other is None else terms_of(other)
    pair = _Pair(SIGMA_1, SIGMA_2, CORRELATION)
    total = sympy.Add(*(_mean(f, g, pair) for f, g in itertools.product(left, right)))
    if total.has(sympy.I):
        total = sympy.expand_complex(sympy.expand(total)).as_real_imag()[0]
    return total


def dual_expression(activation: Activation) -> tuple[sympy.Expr, sympy.Expr]:
    """Return (sigma(q), sigma_dot(q)) on the unit sphere: E[phi(u)phi(v)] and E[phi'(u)phi'(v)] at correlation q.

    u and v have variance 1. They are one layer of the recursions of the NNGP and NTK (Jacot et al., arXiv:1806.07572).

    Raises
    ------
    InputError
        If the activation has no closed form that this package knows.

    Examples
    --------
    >>> sigma, sigma_dot = dual_expression(Activation("relu"))
    >>> sigma_dot
    asin(q)/pi + 1/2
    >>> sigma.subs(q, 1)
    1
    """
    try:
        pair = closed_form(activation.expression), closed_form(activation.derivative)
    except NoClosedForm as error:
        raise InputError(
            "activation",
            activation.name,
            f"its dual has no known closed form ({error})",
            "Use infinite_width_kernels, which integrates numerically",
        ) from error
    unit_sphere = {SIGMA_1: sympy.S.One, SIGMA_2: sympy.S.One, CORRELATION: q}
    sigma, sigma_dot = (dual.subs(unit_sphere) for dual in pair)
    scale = 1 / sigma.subs(q, 1) if activation.normalise else sympy.S.One
    return tuple(sympy.expand(scale * dual) for dual in (sigma, sigma_dot))  # type: ignore[return-value]


#: (sigma_1, sigma_2, c) -> E[f(u)·f(v)]
DualFunction = Callable[[Any, Any, Any], np.ndarray]
#: functions that sympy leaves in a formula, with constants as their arguments
_NUMPY_FUNCTIONS = {
    f.__name__: NUMPY[f] for f in (functions.logistic, functions.softplus, sympy.erf, sympy.erfc, sympy.tanh)
}


@functools.lru_cache(maxsize=256)
def closed_dual(expression: sympy.Expr) -> DualFunction | None:
    """Return the function (sigma_1, sigma_2, c) -> E[expression(u)·expression(v)], or None without a closed form.

    It takes float64 arrays that broadcast, with sigma >= 0 and |c| <= 1, the ends included.
    """
    try:
        formula = closed_form(expression)
    except NoClosedForm:
        return None
    # rounding may carry an argument of arcsin an ulp beyond 1
    modules = [{"asin": lambda x: np.arcsin(np.clip(x, -1.0, 1.0))} | _NUMPY_FUNCTIONS, "numpy"]
    function = sympy.lambdify((SIGMA_1, SIGMA_2, CORRELATION), formula, modules=modules, cse=True)

    def dual(sigma_1: Any, sigma_2: Any, correlation: Any) -> np.ndarray:
        shape = np.broadcast_shapes(np.shape(sigma_1), np.shape(sigma_2), np.shape(correlation))
        return np.broadcast_to(function(sigma_1, sigma_2, correlation), shape)

    return dual


def _mean(left: Term, right: Term, pair: _Pair) -> sympy.Expr:
    """Return E[left(u) right(v)]."""
    factor, pair = pair.tilted(left.decay, right.decay)
    factor *= left.coefficient * right.coefficient
    s, t = left.rate, right.rate
    if s == 0 and t == 0:
        return factor * _moment(left.power, left.gate, right.power, right.gate, pair)
    if left.gate is not None or right.gate is not None:
        raise NoClosedForm("an exponential or a wave on one side of a kink")
    # exp(s u + t v) moves the means
    factor *= sympy.exp((s**2 * pair.first**2 + 2 * s * t * pair.covariance + t**2 * pair.second**2) / 2)
    mean_u = s * pair.first**2 + t * pair.covariance
    mean_v = t * pair.second**2 + s * pair.covariance
    return factor * sympy.Add(
        *(
            sympy.binomial(left.power, i)
            * sympy.binomial(right.power, j)
            * mean_u ** (left.power - i)
            * mean_v ** (right.power - j)
            * _moment(i, None, j, None, pair)
            for i in range(left.power + 1)
            for j in range(right.power + 1)
        )
    )


def _moment(m: int, gate_u: sympy.Expr | None, n: int, gate_v: sympy.Expr | None, pair: _Pair) -> sympy.Expr:
    """Return E[u^m g(u) v^n g(v)]; g(x) is erf(gate·x), sign(x) where the gate is `SIGN`, and 1 where it is None."""
    if (m + n + (gate_u is not None) + (gate_v is not None)) % 2:
        return sympy.S.Zero
    if m == 0 and n == 0:
        if gate_u is None or gate_v is None:  # by parity, both or neither
            return sympy.S.One
        smoothed = _gate_correlation(gate_u, pair.first) * _gate_correlation(gate_v, pair.second)
        return 2 / sympy.pi * sympy.asin(pair.correlation * smoothed)
    if m == 0:
        return _moment(n, gate_v, m, gate_u, pair.swapped)
    mean = pair.first * _slope_of_gate(gate_u, m - 1, gate_v, n, pair)
    if m > 1:
        mean += (m - 1) * pair.first**2 * _moment(m - 2, gate_u, n, gate_v, pair)
    if n > 0:
        mean += n * pair.covariance * _moment(m - 1, gate_u, n - 1, gate_v, pair)
    mean += pair.correlation * pair.first * _slope_of_gate(gate_v, n, gate_u, m - 1, pair.swapped)
    return mean


def _gate_correlation(gate: sympy.Expr, deviation: sympy.Expr) -> sympy.Expr:
    """Return the correlation of u with u + n, where n is the Gaussian for which E[sign(u + n) | u] = erf(gate·u)."""
    if gate == SIGN:
        return sympy.S.One
    return sympy.sqrt(2) * gate * deviation / sympy.sqrt(1 + 2 * gate**2 * deviation**2)


def _slope_of_gate(gate: sympy.Expr | None, m: int, other: sympy.Expr | None, n: int, pair: _Pair) -> sympy.Expr:
    """Return E[g'(u) u^m v^n g(v)] times the standard deviation of u, which cancels that of the density at a jump."""
    if gate is None:
        return sympy.S.Zero
    if gate == SIGN:
        if m > 0:
            return sympy.S.Zero
        conditional_deviation = pair.second * sympy.sqrt((1 - pair.correlation) * (1 + pair.correlation))
        return sympy.sqrt(2 / sympy.pi) * _single_moment(n, other, conditional_deviation)
    factor, narrowed = pair.tilted(gate**2, sympy.S.Zero)
    return pair.first * 2 * gate / sympy.sqrt(sympy.pi) * factor * _moment(m, None, n, other, narrowed)


def _single_moment(n: int, gate: sympy.Expr | None, deviation: sympy.Expr) -> sympy.Expr:
    """Return E[w^n g(w)] for one Gaussian of a standard deviation; for g see `_moment`."""
    if gate is None:
        return sympy.factorial2(n - 1) * deviation**n if n % 2 == 0 else sympy.S.Zero
    if n % 2 == 0:
        return sympy.S.Zero
    if gate == SIGN:
        return deviation**n * 2 ** sympy.Rational(n, 2) * sympy.gamma(sympy.Rational(n + 1, 2)) / sympy.sqrt(sympy.pi)
    narrowing = 1 + 2 * gate**2 * deviation**2
    mean = deviation**2 * 2 * gate / sympy.sqrt(sympy.pi) * narrowing ** (-_HALF)
    mean *= _single_moment(n - 1, None, deviation / sympy.sqrt(narrowing))
    return mean + (n - 1) * deviation**2 * _single_moment(n - 2, gate, deviation) if n > 1 else mean
