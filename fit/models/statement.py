"""A law to be fitted, as a user states it in Python or in TOML: formula, points, method, what is expected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from fit.models.fitting import Method
from fit.models.intervals import DRAWS
from lazyrich.documents import read_toml
from lazyrich.errors import InputError
from lazyrich.validation import first_problem

Finite = Annotated[float, pydantic.Field(allow_inf_nan=False)]
Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class ModelStatement(pydantic.BaseModel):
    """One ``[[model]]`` of a file of predictions.

    Parameters
    ----------
    law : str
        ``column = formula``; names in the formula that are no columns are parameters.
    name : str, optional
        For tables and figures; default the law.
    columns : mapping of str to str
        Columns computed from others, such as ``D = "C/(6*N)"``.
    where : str or sequence of str
        Conditions on rows, such as ``loss < 3.4``.
    cluster : str, optional
        A column whose equal values mark points that are not independent.
    scale : {"log", "linear"}
        Whether residuals are those of the logarithm.
    loss : {"huber", "squares"}
    delta : float, optional
        Where Huber's loss turns linear; default 1.345 times the noise, which a first pass measures.
    signed : sequence of str
        Parameters of either sign; all others are positive.
    start : mapping of str to (low, high)
        Where starting values of a parameter are drawn.
    starts, seed : int
    intervals : {"bootstrap", "profile"}
    draws : int
        Of the bootstrap.
    quantities : mapping of str to str
        What follows from the parameters, such as ``a = "beta/(alpha + beta)"``.
    expects : mapping of str to (value, margin)
        What a parameter or quantity is predicted to be; within the margin counts as the same.
    hold_out : str, optional
        The column in whose largest fifth the law is tested by a fit to the rest; default the widest in decades.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)

    law: Text
    name: Text | None = None
    columns: dict[str, Text] = {}
    where: Annotated[tuple[Text, ...], pydantic.Field(strict=False)] = ()
    cluster: Text | None = None
    scale: Literal["log", "linear"] = "log"
    loss: Literal["huber", "squares"] = "huber"
    delta: Annotated[Finite, pydantic.Field(ge=1e-100, le=1e100)] | None = None  # its square is a number
    signed: Annotated[tuple[Text, ...], pydantic.Field(strict=False)] = ()
    start: dict[str, Annotated[tuple[Finite, Finite], pydantic.Field(strict=False)]] = pydantic.Field(
        default_factory=dict
    )
    starts: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 32
    seed: Annotated[int, pydantic.Field(ge=0, le=2**32 - 1)] = 0
    intervals: Literal["bootstrap", "profile"] = "bootstrap"
    draws: Annotated[int, pydantic.Field(ge=50, le=100_000)] = DRAWS
    quantities: dict[str, Text] = {}
    expects: dict[str, Annotated[tuple[Finite, Finite], pydantic.Field(strict=False)]] = pydantic.Field(
        default_factory=dict
    )
    hold_out: Text | None = None

    @pydantic.field_validator("where", "signed", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @pydantic.field_validator("start")
    @classmethod
    def _ordered(cls, value: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (low, high) in value.items():
            if not low < high:
                raise ValueError(f"{name}: give two numbers, low < high")
            if not math.isfinite(high - low):
                raise ValueError(f"{name}: the difference overflows; give smaller numbers")
        return value

    @pydantic.field_validator("expects")
    @classmethod
    def _with_margin(cls, value: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (_, margin) in value.items():
            if not 0 < margin < math.inf:
                raise ValueError(f"{name}: give a value and a positive margin")
        return value

    @property
    def title(self) -> str:
        return self.name or self.law

    @property
    def method(self) -> Method:
        return Method(self.loss, self.scale, self.delta, self.signed, self.start, self.starts, self.seed)


def model(law: str, **keys: Any) -> ModelStatement:
    """State a law to be fitted, to be given to `fit.models.assess_models`; the keys are those of `ModelStatement`.

    Raises
    ------
    InputError
        Naming the key.

    Examples
    --------
    >>> model("loss = E + A/N^alpha", where="loss < 3.4", expects={"alpha": (0.34, 0.02)}).where
    ('loss < 3.4',)
    """
    return _validated({"law": law, **keys}, "model")


def states_models(content: Mapping[str, Any]) -> bool:
    """Whether a file of predictions, read as TOML, has ``[[model]]`` tables."""
    return "model" in content


def read_models(path: Path | str) -> list[ModelStatement]:
    """Read the ``[[model]]`` tables of a TOML file.

    Raises
    ------
    InputError
        Naming the entry and the key; also where the file states single powers of networks (``[[prediction]]``) too.
    """
    return models_of(read_toml("predictions", path), path)


def models_of(content: Mapping[str, Any], path: Path | str) -> list[ModelStatement]:
    """Return the models of a file of predictions, read as TOML from ``path``; see `read_models`."""
    others = [key for key in content if key != "model"]
    if others:
        problem = f"it states {others[0]!r} beside [[model]]"
        raise InputError("predictions", str(path), problem, "Laws of networks' tables and models go into two files")
    entries = content["model"] if isinstance(content.get("model"), list) else []
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        remedy = 'Write one or more tables [[model]], each with law = "column = formula"'
        raise InputError("predictions", str(path), "it states no model", remedy)
    statements = [_validated(entry, f"model[{i}]") for i, entry in enumerate(entries)]
    return _distinct(statements)


def _distinct(statements: Sequence[ModelStatement]) -> list[ModelStatement]:
    counts: dict[str, int] = {}
    result = []
    for statement in statements:
        count = counts[statement.title] = counts.get(statement.title, 0) + 1
        named = statement if count == 1 else statement.model_copy(update={"name": f"{statement.title} ({count})"})
        result.append(named)
    return result


def _validated(entry: Mapping[str, Any], where: str) -> ModelStatement:
    try:
        return ModelStatement.model_validate(dict(entry))
    except pydantic.ValidationError as error:
        known = f"Use {', '.join(ModelStatement.model_fields)}"
        raise first_problem(error, document=where, unknown_field=known, prefix=where) from None
