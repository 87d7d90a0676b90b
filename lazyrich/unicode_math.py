"""Formulas where nothing is typeset: LaTeX to a line of Unicode, as ‖ΔΘ‖/‖Θ₀‖ ~ A^(−3/2), for terminals."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from xml.etree import ElementTree

from lazyrich.mathematics import converted
from lazyrich.numbers import superscript

_NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
_RELATIONS = frozenset("~∼=<>≤≥≪≫≲≳≈≃∝≠⟺→←")
#: what a sign follows that belongs to one term alone
_OPENING = tuple("([{⟨,;") + tuple(_RELATIONS)
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_ACCENTS = {"˙": "\N{COMBINING DOT ABOVE}", "¯": "\N{COMBINING MACRON}", "^": "\N{COMBINING CIRCUMFLEX ACCENT}"}
_LETTERS = str.maketrans({"ϵ": "ε", "\N{PERPENDICULAR}": "⊥", "ϕ": "φ", "⋯": "…", "⋅": "·", "\xa0": " "})
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|⟨[^⟨⟩]*⟩|‖[^‖]*‖")


@functools.lru_cache(maxsize=1024)
def unicode_math(latex: str) -> str:
    r"""Return LaTeX as a line of plain text; what can't be converted is returned as it was written.

    Parameters
    ----------
    latex : str
        Without dollar signs.

    Examples
    --------
    >>> unicode_math(r"\frac{\|\Delta\Theta\|}{\|\Theta_0\|} \sim h^{-1/2}\,A^{-1}")
    '‖ΔΘ‖/‖Θ₀‖ ~ h^(−1/2)·A⁻¹'
    >>> unicode_math(r"t_{1/2} = \sqrt{h}\,\alpha\,\left(\frac{A}{F}\right)^2")
    't½ = √h·α·(A/F)²'
    """
    tree = converted(latex)
    if tree is None:
        return latex
    root = ElementTree.fromstring(tree.replace(_NAMESPACE, ""))
    text = _row(root, spaced=True)
    return unicodedata.normalize("NFC", re.sub(r" {3,}", "  ", text).strip())


def _row(elements: Iterable[ElementTree.Element], *, spaced: bool) -> str:
    """Write elements one after the other; ``spaced`` puts spaces around relations and signs, outside exponents."""
    text, after_function = "", False
    for element in elements:
        if element.tag == "mspace":
            text += _space(element.get("width", ""), text)
        elif element.tag == "mo":
            text += _operator(_letters(element), text, spaced=spaced)
        else:
            piece = _written(element, spaced=spaced)
            if piece in _RELATIONS:  # the converter writes some as identifiers
                text += _operator(piece, text, spaced=spaced)
            else:
                text += (" " if after_function and piece[:1].isalnum() else _between(text, element, piece)) + piece
        after_function = _is_function(element)
    return text.removesuffix("·")


def _between(before: str, element: ElementTree.Element, piece: str) -> str:
    """Return a dot between factors that typesetting keeps apart by itself: h^q·A^p, b·ln(x)."""
    runs_on = re.search(r"[_^]\w$", before) and piece[:1].isalpha()
    return "·" if runs_on or (_is_function(element) and before[-1:].isalnum()) else ""


def _operator(sign: str, before: str, *, spaced: bool) -> str:
    sign = "~" if sign == "∼" else sign
    if sign in _RELATIONS:
        return f" {sign} " if spaced else sign
    if sign in ("+", "−"):
        single = not before.strip() or before.rstrip().endswith(_OPENING)
        return sign if single or not spaced else f" {sign} "
    return f"{sign} " if sign in (",", ";") and spaced else sign


def _space(width: str, before: str) -> str:
    """A thin space separates factors; a wide one, statements."""
    if width.startswith("negative"):
        return ""
    size = float(width.removesuffix("em")) if width.endswith("em") else 0.0
    if size >= 1:
        return "  "
    if size > 0.2:
        return " "
    if re.search(r"[A-Za-z]{3}$", before):  # the name of a function, such as Var
        return " "
    return "·" if before and before[-1] not in " ·([,;" else ""


def _written(element: ElementTree.Element, *, spaced: bool) -> str:
    parts = list(element)
    match element.tag:
        case "msup":
            return _with_power(*parts)
        case "msub" | "munder":
            return _with_index(*parts) + (" " if _letters(parts[0]) == "∑" else "")
        case "msubsup" | "munderover":
            base, index, exponent = parts
            both = _raised(_with_index(base, index), _tight(exponent))
            return f"{both} " if _letters(base) == "∑" else both
        case "mover":
            letter, accent = (_tight(part) for part in parts)
            return letter + _ACCENTS[accent] if accent in _ACCENTS else f"{letter}^{accent}"
        case "mfrac":
            over, under = (_row([part], spaced=spaced) for part in parts)
            return f"{_grouped(over, also='·')}/{_grouped(under)}"
        case "msqrt":
            return f"√{_grouped(_row(parts, spaced=spaced))}"
        case _ if parts:
            return _row(parts, spaced=spaced)
        case _:
            return _letters(element)


def _tight(element: ElementTree.Element) -> str:
    return _row([element], spaced=False)


def _with_power(base: ElementTree.Element, exponent: ElementTree.Element) -> str:
    text = _tight(base) if base.tag == "mo" else _grouped(_row([base], spaced=True))
    return _raised(text, _tight(exponent))


def _raised(base: str, exponent: str) -> str:
    primes = exponent[: len(exponent) - len(exponent.lstrip("′″"))]
    base, exponent = base + primes, exponent.removeprefix(primes)
    if not exponent or exponent == "*":
        return base + exponent
    if re.fullmatch(r"−?\d+", exponent):
        return base + superscript(exponent)
    return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"


def _with_index(base: ElementTree.Element, index: ElementTree.Element) -> str:
    name, text = _tight(base), _tight(index)
    if text == "1/2":
        return f"{name}½"
    if re.fullmatch(r"[0-9]+", text):
        return name + text.translate(_SUBSCRIPT)
    return f"{name}_{text}" if text.isalnum() or len(text) == 1 else f"{name}_({text})"


def _grouped(text: str, also: str = "") -> str:
    """Return text in parentheses unless it is one factor already (or, with ``also``, a product)."""
    outside = text
    while (shorter := _BRACKETED.sub("", outside)) != outside:
        outside = shorter
    return f"({text})" if set(outside[1:]) & (set(" ·/+−") - set(also)) else text


def _is_function(element: ElementTree.Element) -> bool:
    return element.tag == "mi" and len(_letters(element)) > 1


def _letters(element: ElementTree.Element) -> str:
    return (element.text or "").translate(_LETTERS)
