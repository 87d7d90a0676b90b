"""Sizes h^p A^q as linear forms p·log h + q·log A, with A = sqrt(h)·alpha.

A product of sizes is a sum of forms, a sum of sizes its largest term, and an equation between sizes a linear one.
"""

from __future__ import annotations

import sympy

H, A = sympy.symbols("log_h log_A", real=True)  #: logarithms of the width and of A = sqrt(h)·alpha
ALPHA = A - H / 2  #: log alpha
T = sympy.Symbol("log_T", real=True)  #: logarithm of T = t/alpha, the duration of training (`theory.scaling.initial`)
B = sympy.Symbol("log_B", real=True)  #: logarithm of B = int f dT, which gains grow with (`theory.scaling.feature`)


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


def solve(equation: sympy.Expr, unknown: sympy.Symbol) -> sympy.Expr:
    """Return the value of ``unknown`` at which a linear form is zero."""
    (solution,) = sympy.linsolve([equation], [unknown])
    return sympy.expand(solution[0])


def largest(scales: list[sympy.Expr], direction: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """Return the dominating term of a sum, compared in a ``direction`` (values of log h and log A)."""
    return max(scales, key=lambda scale: scale.subs(direction))


def fluctuations(count: sympy.Expr) -> sympy.Expr:
    """Return the relative seed-to-seed fluctuation of a coherent sum over e^count exchangeable neurons."""
    return -count / 2
