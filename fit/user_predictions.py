"""Predictions of users: a law in a line of text, which is judged by the same rule as the laws of theory."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import sympy

from lazyrich.documents import read_toml
from lazyrich.errors import InputError
from lazyrich.texts import unprintable
from theory.prediction import Prediction, Regime

#: What a law may be in, and the names that papers give it.
_VARIABLES = {"root_h_alpha": "root_h_alpha", "A": "root_h_alpha", "width": "width", "h": "width"}
_STATISTICS = ("mean", "rms", "median")
_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:\s*/\s*\d+)?"
_LAW = re.compile(
    rf"\s*(?P<quantity>\w+)\s*~\s*(?P<variable>\w+)\s*(?:(?:\^|\*\*)\s*(?:\(\s*(?P<a>{_NUMBER})\s*\)|(?P<b>{_NUMBER})))?\s*"
)
_LARGEST_EXPONENT = 100
_MOST_DIGITS = 50
_SHAPE = "Write it as quantity ~ variable^exponent, such as kernel_change ~ root_h_alpha^(-3/2)"
#: The margin of a prediction that names none: a fifth of the difference between powers 0 and 1/2.
DEFAULT_MARGIN = 0.1
#: letters of a claim, or of why it is made
LONGEST_TEXT = 500
_KEYS = ("law", "range", "root_h_alpha", "width", "margin", "claim", "statistic", "correction", "experiment", "why")


@dataclasses.dataclass(frozen=True)
class UserPrediction(Prediction):
    """A `theory.Prediction` that may be about some experiments and widths only."""

    width_range: tuple[float, float] = (0.0, math.inf)
    experiments: tuple[str, ...] = ()  #: names; empty for all

    def about(self, experiment: str) -> bool:
        """Return whether the prediction is about the experiment."""
        return not self.experiments or experiment in self.experiments


def prediction(
    law: str,
    *,
    root_h_alpha: Sequence[float] = (0.0, math.inf),
    width: Sequence[float] = (0.0, math.inf),
    margin: float = DEFAULT_MARGIN,
    claim: str | None = None,
    statistic: Literal["mean", "rms", "median"] = "mean",
    correction: str | float | None = None,
    experiment: str | Sequence[str] = (),
    why: str = "",
) -> UserPrediction:
    """State a law, to be judged by `fit.judge.assess`.

    Parameters
    ----------
    law : str
        ``quantity ~ variable^exponent``. The quantity is a variable of the store or a column of the table, or
        ``fluctuation`` (delta F, the seed-to-seed standard deviation of the predictor) or ``alpha_star`` (alpha at
        kernel_change = 1); the variable is ``root_h_alpha`` (or A = sqrt(h)·alpha) or ``width`` (or h); the exponent a
        number or a fraction, signed.
    root_h_alpha, width : pair of float
        The range, inclusive, in which the law is claimed. A law in the width averages over the amplitudes in range.
    margin : float
        A measured exponent within ± margin counts as the same: say it before you look at the data.
    claim : str, optional
        A name for the tables; default own_<quantity>.
    statistic : {"mean", "rms", "median"}
        Which summary over seeds the law is about.
    correction : str or float, optional
        The power of a leading correction, relative, in ``variable`` = root_h_alpha: it is included in the fit.
    experiment : str or sequence of str
        Only these; default all.
    why : str
        Where the law is from.

    Raises
    ------
    InputError
        If the law can't be read, or a range or the margin is none.

    Examples
    --------
    >>> law = prediction("kernel_change ~ A^(-3/2)", root_h_alpha=(1e-4, 1e-2), margin=0.08)
    >>> law.variable, law.exponent, law.regime.bounds(64)
    ('root_h_alpha', -3/2, (0.0001, 0.01))
    """
    match = _LAW.fullmatch(law) if isinstance(law, str) else None
    if match is None:
        raise InputError("law", law, "it is not a power law", _SHAPE)
    variable = _VARIABLES.get(match["variable"])
    if variable is None:
        known = ", ".join(_VARIABLES)
        raise InputError("law", law, f"laws in {match['variable']!r} are not measured", f"Use one of {known}")
    exponent = _rational("law", match["a"] or match["b"] or "1")
    if not (_is_number(margin) and 0 < margin < math.inf):
        raise InputError(
            "margin", margin, "it is not a positive number", "Give the largest difference that counts as none"
        )
    if statistic not in _STATISTICS:
        raise InputError(
            "statistic", statistic, "there is no such summary over seeds", f"Use one of {', '.join(_STATISTICS)}"
        )
    for field, text in (("claim", claim or ""), ("why", why)):
        if not isinstance(text, str):
            raise InputError(field, text, "it is not text", "Write it in quotes")
        problem = unprintable(text, LONGEST_TEXT)
        if problem:
            raise InputError(field, text, problem, "Write a line")
    low, high = _range("root_h_alpha", root_h_alpha)
    names = (experiment,) if isinstance(experiment, str) else experiment
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise InputError("experiment", experiment, "these are not names", "Give names of experiments in quotes")
    quantity = str(match["quantity"])
    return UserPrediction(
        claim=claim or f"own_{quantity}",
        quantity=quantity,
        variable="width" if variable == "width" else "root_h_alpha",
        exponent=exponent,
        expected=law.strip(),
        regime=Regime(_regime(low, high), _condition(low, high), low=low, high=high),
        derivation=(),
        reference=why or "stated by the user",
        falsified_by="another power",
        correction_exponent=None if correction is None else _rational("correction", correction),
        statistic=statistic,
        margin=float(margin),
        width_range=_range("width", width),
        experiments=tuple(names),
    )


def read_predictions(path: str | Path) -> list[UserPrediction]:
    """Read a TOML file of ``[[prediction]]`` tables, whose keys are the arguments of `prediction`.

    ``range`` may stand for the range of the law's own variable.

    Raises
    ------
    InputError
        Naming the entry and the key.
    """
    return predictions_of(read_toml("predictions", path), path)


def predictions_of(content: Mapping[str, Any], path: str | Path) -> list[UserPrediction]:
    """Return the predictions of a file, read as TOML from ``path``; see `read_predictions`."""
    entries = content.get("prediction")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        remedy = 'Write one or more tables [[prediction]], each with law = "quantity ~ variable^exponent"'
        raise InputError("predictions", str(path), "states no prediction", remedy)
    laws = [_entry(f"prediction[{i}]", entry) for i, entry in enumerate(entries)]
    return distinct(laws)


def distinct(laws: Sequence[UserPrediction]) -> list[UserPrediction]:
    """Number the claims of laws that would have the same name in a table."""
    counts: dict[str, int] = {}
    result = []
    for law in laws:
        counts[law.claim] = counts.get(law.claim, 0) + 1
        count = counts[law.claim]
        result.append(law if count == 1 else dataclasses.replace(law, claim=f"{law.claim}_{count}"))
    return result


def _entry(where: str, entry: Mapping[str, Any]) -> UserPrediction:
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        raise InputError(f"{where}.{unknown[0]}", entry[unknown[0]], "there is no such key", f"Use {', '.join(_KEYS)}")
    if "law" not in entry:
        raise InputError(f"{where}.law", None, "a prediction is a law", _SHAPE)
    arguments = dict(entry)
    law = arguments.pop("law")
    range_of_variable = arguments.pop("range", None)
    if range_of_variable is not None:
        match = _LAW.fullmatch(law) if isinstance(law, str) else None
        variable = _VARIABLES.get(match["variable"]) if match else None
        if variable in arguments:
            raise InputError(
                f"{where}.range", range_of_variable, f"{variable} gives the range too", "Leave one of them out"
            )
        if variable is not None:
            arguments[variable] = range_of_variable
    try:
        return prediction(law, **arguments)
    except InputError as error:
        raise InputError(f"{where}.{error.field}", error.value, error.problem, error.remedy) from None


def _rational(field: str, value: str | float) -> sympy.Rational:
    text = str(value).replace(" ", "")
    if len(text) > _MOST_DIGITS or not re.fullmatch(_NUMBER, text) or re.search(r"/0+$", text):
        raise InputError(
            field, value, "the exponent is not a number", "Give a decimal number or a fraction, such as -3/2"
        )
    numerator, _, denominator = text.partition("/")
    exponent = sympy.Rational(numerator) / sympy.Rational(denominator or "1")
    if abs(exponent) > _LARGEST_EXPONENT:
        problem = f"the exponent lies beyond ±{_LARGEST_EXPONENT}, where no measured power does"
        raise InputError(field, value, problem, "Give a smaller one")
    return exponent


def _range(field: str, value: Sequence[float]) -> tuple[float, float]:
    pair = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    if len(pair) != 2 or not all(_is_number(edge) for edge in pair) or not 0 <= pair[0] < pair[1]:
        raise InputError(field, value, "it is not a range", "Give two numbers, 0 <= low < high, such as [1e-4, 1e-2]")
    return float(pair[0]), float(pair[1])


def _is_number(value: object) -> bool:
    """Whether it is a number that float64 can hold; infinity can be an end of a range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return not math.isnan(float(value))
    except OverflowError:
        return False


def _regime(low: float, high: float) -> Literal["feature", "lazy"] | None:
    if high <= 1:
        return "feature"
    return "lazy" if low >= 1 else None


def _condition(low: float, high: float) -> str:
    left = f"{low:g} \\le " if low > 0 else ""
    right = f" \\le {high:g}" if high < math.inf else ""
    return f"{left}A{right}" if left or right else r"A > 0"
