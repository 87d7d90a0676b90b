"""Formulas on pages and in notebooks that load nothing: LaTeX to MathML, which browsers set themselves."""

from __future__ import annotations

import functools

from latex2mathml import exceptions
from latex2mathml.converter import convert
from markupsafe import Markup, escape

_REFUSALS = (
    exceptions.DenominatorNotFoundError,
    exceptions.DoubleSubscriptsError,
    exceptions.DoubleSuperscriptsError,
    exceptions.ExtraLeftOrMissingRightError,
    exceptions.MissingEndError,
    exceptions.MissingSuperScriptOrSubscriptError,
    exceptions.NoAvailableTokensError,
    exceptions.NumeratorNotFoundError,
)

#: Relations that the converter writes as identifiers: a browser would set them without the space around a relation.
_RELATIONS = {"&#x0007E;": "&#x0223C;", "&#x027FA;": "&#x027FA;", "&#x02272;": "&#x02272;"}


@functools.lru_cache(maxsize=1024)
def mathml(latex: str, *, block: bool = False) -> Markup:
    r"""Return LaTeX as MathML; what can't be converted is shown as it was written, never dropped.

    Parameters
    ----------
    latex : str
        Without dollar signs.
    block : bool
        On a line of its own rather than in the text.

    Examples
    --------
    >>> print(mathml(r"a \sim 1"))
    <math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mi>a</mi><mo>&#x0223C;</mo><mn>1</mn></mrow></math>
    """  # noqa: E501
    result = converted(latex, block=block)
    if result is None:
        return _as_written(latex)
    for written, relation in _RELATIONS.items():
        result = result.replace(f"<mi>{written}</mi>", f"<mo>{relation}</mo>")
    # a bare ampersand in <mi> or <mtext> would not be XML; the converter writes all others as numbers
    return Markup(result)


def converted(latex: str, *, block: bool = False) -> str | None:
    """Return the converter's MathML of a formula; None where it can't convert it."""
    try:
        result = convert(latex, display="block" if block else "inline")
    except _REFUSALS:
        return None
    return None if "\\" in result else result  # the converter passes on a command that it doesn't know


def _as_written(latex: str) -> Markup:
    return Markup("<code>{}</code>").format(escape(latex))
