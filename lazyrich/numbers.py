"""Numbers as a page and a terminal write them: fixed decimals, a true minus sign, intervals, p-values."""

from __future__ import annotations

import math
import re


def signed(text: str) -> str:
    """Return the text of a number with a minus sign instead of a hyphen."""
    return text.replace("-", "−")


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with so many decimals; a dash where there is none.

    Examples
    --------
    >>> number(-1.5), number(None)
    ('−1.500', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return signed(f"{value:z.{digits}f}")


def short(value: float | None, digits: int = 4) -> str:
    """Return a number to so many digits, with a power of ten where it is large or small.

    Examples
    --------
    >>> short(0.001), short(12345.0), short(1e4), short(-1e-6), short(0.25), short(5.734e7, 3)
    ('10⁻³', '1.234×10⁴', '10⁴', '−10⁻⁶', '0.25', '5.73×10⁷')
    """
    if value is None or not math.isfinite(value):
        return "–"
    rounded = float(f"{value:.{digits}g}")
    if rounded == 0 or 0.01 <= abs(rounded) < 1e4:
        return signed(f"{rounded:.{max(digits, 4)}g}")
    return _scientific(f"{rounded:.{digits - 1}e}")


def _scientific(text: str) -> str:
    """Return a number that Python has written with an exponent, as one writes it."""
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    if mantissa in ("1", "-1"):
        return signed(mantissa.removesuffix("1")) + power_of_ten(int(exponent))
    return f"{signed(mantissa)}×{power_of_ten(int(exponent))}"


def per_cent(fraction: float, digits: int = 2) -> str:
    """Return a fraction in per cent.

    Examples
    --------
    >>> per_cent(-0.00531)
    '−0.53\xa0%'
    """
    return f"{number(100 * fraction, digits)}\xa0%"


def power_of_ten(exponent: int) -> str:
    """Return a power of ten as text.

    Examples
    --------
    >>> power_of_ten(-4)
    '10⁻⁴'
    """
    return "10" + superscript(str(exponent))


def superscript(integer: str) -> str:
    """Return an integer as an exponent, with either minus sign.

    Examples
    --------
    >>> superscript("-12"), superscript("−12")
    ('⁻¹²', '⁻¹²')
    """
    return integer.translate(_SUPERSCRIPT)


_SUPERSCRIPT = str.maketrans("-−0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(exponent: str | None) -> str:
    """Return an exact exponent as text, such as −3/2."""
    return "–" if exponent is None else signed(exponent)


def interval(low: float | None, high: float | None) -> str:
    """Return an interval in brackets."""
    return "–" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def p_value(value: float | None) -> str:
    """Return a p-value: two digits, and no more zeros than can be read.

    Examples
    --------
    >>> p_value(0.0321), p_value(4e-8), p_value(0.5)
    ('0.032', '< 10⁻⁴', '0.5')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return "< 10⁻⁴" if value < 1e-4 else f"{value:.2g}"


def p_is(value: float | None) -> str:
    """Return a p-value as a sentence has it.

    Examples
    --------
    >>> p_is(0.0321), p_is(4e-8)
    ('p = 0.032', 'p < 10⁻⁴')
    """
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


_HYPHEN_AS_MINUS = re.compile(r"(?<![\w.)\]−-])-(?=\d)")
_EXPONENT = re.compile(r"(?<![\w.−-])-?\d(?:\.\d+)?e[+-]\d{2,3}(?!\w)")
_PER_CENT = re.compile(r"(\d) ?%")


def typeset(text: str) -> str:
    """Return a sentence with its numbers as tables have them: minus signs, powers of ten, a space before per cent.

    Examples
    --------
    >>> typeset("[-0.5, 1] of A^(-1/2) on 2026-11-27 in relu-L1: 7.00% of 6.2e-05")
    '[−0.5, 1] of A^(−1/2) on 2026-11-27 in relu-L1: 7.00\xa0% of 6.2×10⁻⁵'
    """
    text = _EXPONENT.sub(lambda written: _scientific(written.group()), text)
    text = _HYPHEN_AS_MINUS.sub("−", text)
    return _PER_CENT.sub("\\1\xa0%", text)
