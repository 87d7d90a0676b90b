"""Scales h^p A^q and exact exponents, written in LaTeX and in plain text."""

from __future__ import annotations

import sympy

from lazyrich.unicode_math import unicode_math
from theory.scaling import A, H, power


def rational(value: sympy.Rational) -> str:
    return str(value.p) if value.q == 1 else f"{value.p}/{value.q}"


def power_tex(base: str, exponent: sympy.Rational) -> str:
    """base^exponent in LaTeX, written as one writes it: 1 for the power 0, the base alone for the power 1."""
    if exponent == 0:
        return "1"
    return base if exponent == 1 else f"{base}^{{{rational(exponent)}}}"


def power_plain(base: str, exponent: sympy.Rational) -> str:
    """The same in plain text: h^(−1/2), h⁻¹, h, 1."""
    return unicode_math(power_tex(base, exponent))


def tex(scale: sympy.Expr) -> str:
    """h^p A^q in LaTeX."""
    powers = (("h", power(scale, H)), ("A", power(scale, A)))
    return r"\,".join(power_tex(base, exponent) for base, exponent in powers if exponent) or "1"


def plain(scale: sympy.Expr) -> str:
    """h^p A^q in plain text: h^(1/2)·A⁻¹."""
    return unicode_math(tex(scale))


def number(value: float) -> str:
    """A positive number in LaTeX, of two digits where it is not simple: 0.05, 2.4e-6 as 2.4·10^-6."""
    text = f"{value:.2g}"
    mantissa, _, exponent = text.partition("e")
    return text if not exponent else rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def times(scale: sympy.Expr) -> str:
    """The scale as a factor in front of something: nothing if it is 1."""
    text = tex(scale)
    return "" if text == "1" else text + r"\,"


def alpha_tex(scale: sympy.Expr) -> str:
    """h^p alpha^q in LaTeX, for a scale given in h and A."""
    exponent_alpha = power(scale, A)
    exponent_h = power(scale, H) + exponent_alpha / 2
    powers = ((r"h", exponent_h), (r"\alpha", exponent_alpha))
    return r"\,".join(power_tex(base, exponent) for base, exponent in powers if exponent) or "1"
