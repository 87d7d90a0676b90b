"""From stated laws and a table to parameters with intervals, a checklist, a comparison of rivals, and verdicts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fit.findings.outcome import Outcome
from fit.judge.decision import decide, significant
from fit.models.checks import Check, checklist, scatter
from fit.models.fitting import Fit, fit_model
from fit.models.formula import parse_expression, parse_law
from fit.models.intervals import Interval, Uncertainty, bootstrap, profile
from fit.models.points import Points, read_any_table, select, with_derived
from fit.models.rivals import Rival, compare
from fit.models.statement import ModelStatement
from lazyrich import html
from lazyrich.errors import InputError
from lazyrich.numbers import short


@dataclass(frozen=True)
class Expectation:
    """What a parameter was predicted to be, and what came out."""

    name: str
    value: float
    margin: float
    outcome: Outcome

    @property
    def outcome_in_words(self) -> str:
        """The outcome as a page says it: "undecided" for `inconclusive`."""
        return "undecided" if self.outcome == "inconclusive" else str(self.outcome)


@dataclass(frozen=True)
class ModelResult:
    """One law, fitted."""

    statement: ModelStatement
    fit: Fit
    points: Points
    uncertainty: Uncertainty
    checks: list[Check]
    expectations: list[Expectation]

    @property
    def estimates(self) -> dict[str, Interval]:
        """Parameters and the quantities that follow from them, with intervals."""
        return self.uncertainty.estimates

    @property
    def warnings(self) -> list[Check]:
        """The lines of the checklist that are not as they should be."""
        return [check for check in self.checks if check.good is False]

    def sentence(self) -> str:
        """Say in a sentence how the law fits."""
        size = scatter(self.fit.noise, log=self.fit.method.scale == "log")
        bad = len(self.warnings)
        caution = "nothing on the checklist speaks against it" if not bad else (
            f"{bad} line{'s' if bad > 1 else ''} of the checklist call{'' if bad > 1 else 's'} for caution"
        )  # fmt: skip
        return f"{self.statement.title}: {len(self.points)} points, scatter {size}; {caution}."


@dataclass(frozen=True)
class ModelReport:
    """What `assess_models` returns: results in the order of the statements, and rivals of one response compared."""

    results: list[ModelResult]
    rivals: list[list[Rival]]  #: a list a group of laws that are about the same points
    table: str  #: the table's name

    def __getitem__(self, name: str) -> ModelResult:
        for result in self.results:
            if result.statement.title == name:
                return result
        raise KeyError(name)

    def summary(self) -> str:
        """Return the parameters, the verdicts and the comparison as text."""
        lines = []
        for result in self.results:
            lines += [result.sentence(), f"  {result.statement.law}"]
            for name, estimate in result.estimates.items():
                low, high = estimate.interval(0.95)
                interval = f"[{short(low)}, {short(high)}]"
                lines.append(f"  {name} = {short(estimate.value)}  {interval}{_expected(result, name)}")
            lines += [f"  ! {check.question}: {check.answer}" for check in result.warnings]
        for group in self.rivals:
            lines.append("Predicting points held out:")
            lines += [
                f"  {rival.name}: {rival.verdict_with_p} (typical miss {short(rival.error, 3)})" for rival in group
            ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        parts = []
        for result in self.results:
            rows = []
            for name, estimate in result.estimates.items():
                low, high = estimate.interval(0.95)
                rows.append(
                    (name, short(estimate.value), f"{short(low)} to {short(high)}", _expected(result, name).strip())
                )
            parts.append(html.table(rows, ("", "estimate", "95 % interval", ""), result.sentence()))
        return "".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return plain values: what ``models.json`` holds. Numbers that are not finite are null."""
        return {
            "schema_version": 1,
            "table": self.table,
            "models": [_as_json(result) for result in self.results],
            "rivals": [[_finite(dataclasses.asdict(rival)) for rival in group] for group in self.rivals],
        }


def assess_models(
    table: pd.DataFrame | Path | str, statements: ModelStatement | Sequence[ModelStatement]
) -> ModelReport:
    """Fit stated laws to a table, judge what was expected of them, and compare those that are rivals.

    Parameters
    ----------
    table : pandas.DataFrame or path
        Whatever columns, a row a point; a path to a table of text.
    statements : ModelStatement or sequence of it
        From `fit.models.model` or `fit.models.read_models`.

    Raises
    ------
    InputError
        Naming the law and what can't be read, measured or fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from fit.models.statement import model
    >>> n = np.geomspace(1e6, 1e9, 40)
    >>> noise = 1 + 0.01 * np.random.default_rng(0).standard_normal(40)
    >>> data = pd.DataFrame({"N": n, "loss": (1.7 + 400 * n**-0.35) * noise})
    >>> report = assess_models(data, model("loss = E + A/N^alpha", draws=100))
    >>> low, high = report.results[0].estimates["alpha"].interval(0.95)
    >>> low < 0.35 < high
    True
    """
    name = "DataFrame" if isinstance(table, pd.DataFrame) else str(table)
    data = table if isinstance(table, pd.DataFrame) else read_any_table(Path(table))
    stated = [statements] if isinstance(statements, ModelStatement) else list(statements)
    results = _with_verdicts([_fitted(statement, data) for statement in stated])
    groups: dict[tuple, list[ModelResult]] = {}
    for result in results:
        key = (result.fit.formula.response, result.statement.where, result.statement.cluster, result.statement.scale)
        groups.setdefault(key, []).append(result)
    compared = [
        compare([r.statement.title for r in group], [r.fit for r in group], [r.points for r in group])
        for group in groups.values()
        if len(group) > 1
    ]
    return ModelReport(results, compared, name)


def _fitted(statement: ModelStatement, table: pd.DataFrame) -> ModelResult:
    try:
        data = with_derived(table, statement.columns)
        formula = parse_law(statement.law, [str(column) for column in data.columns])
        if not formula.variables:
            others = ", ".join(str(column) for column in data.columns if column != formula.response)
            raise InputError("law", statement.law, "no column of the table is in its formula", f"Use one of {others}")
        derived = {}
        for name, text in statement.quantities.items():
            if name in formula.parameters or not name.isidentifier():
                raise InputError(f"quantities.{name}", text, "it is no new name", "Name it as no parameter is")
            derived[name] = parse_expression(f"quantities.{name}", text, formula.parameters)
        unknown = [name for name in statement.expects if name not in (*formula.parameters, *derived)]
        if unknown:
            known = ", ".join((*formula.parameters, *derived))
            raise InputError(f"expects.{unknown[0]}", unknown[0], "there is no such parameter", f"Use one of {known}")
        if statement.hold_out is not None and statement.hold_out not in formula.variables:
            problem = "the law does not depend on it"
            raise InputError("hold_out", statement.hold_out, problem, f"Use one of {', '.join(formula.variables)}")
        points = select(
            data, formula.response, formula.variables, statement.where, statement.cluster, statement.scale == "log"
        )
        fit = fit_model(formula, points, statement.method)
        if statement.intervals == "profile":
            if derived:
                raise InputError("quantities", list(derived), "profiles are of parameters", "Use the bootstrap")
            uncertainty = profile(fit, points)
        else:
            uncertainty = bootstrap(fit, points, derived, statement.draws, statement.seed)
    except InputError as error:
        raise InputError(f"{statement.title}: {error.field}", error.value, error.problem, error.remedy) from None
    return ModelResult(statement, fit, points, uncertainty, checklist(fit, points, uncertainty, statement.hold_out), [])


def _with_verdicts(results: Sequence[ModelResult]) -> list[ModelResult]:
    """Judge all that was expected at once: Holm's correction counts every expectation of the file."""
    stated = [(r, name, value, margin) for r in results for name, (value, margin) in r.statement.expects.items()]
    rejected = significant([r.estimates[name].p_value_within(value, margin) for r, name, value, margin in stated])
    verdicts: dict[int, list[Expectation]] = {id(r): [] for r in results}
    for (result, name, value, margin), outside in zip(stated, rejected, strict=True):
        outcome, _ = decide(result.estimates[name], value, margin, outside, f"{value:g}")
        verdicts[id(result)].append(Expectation(name, value, margin, outcome))
    return [dataclasses.replace(r, expectations=verdicts[id(r)]) for r in results]


def _expected(result: ModelResult, name: str) -> str:
    for expectation in result.expectations:
        if expectation.name == name:
            return f"  {expectation.outcome_in_words} with {short(expectation.value)} ± {short(expectation.margin)}"
    return ""


def _as_json(result: ModelResult) -> dict[str, Any]:
    correlation = result.uncertainty.correlation()
    return {
        **result.statement.model_dump(mode="json"),
        "points": len(result.points),
        "clusters": result.points.n_clusters,
        "rows": result.points.n_rows,
        "left_out": result.points.left_out,
        "delta": result.fit.method.delta,
        "scatter": result.fit.noise,
        "estimates": {
            name: _finite(
                {
                    "value": estimate.value,
                    "standard_error": estimate.standard_error,
                    "interval_90": estimate.interval(0.90),
                    "interval_95": estimate.interval(0.95),
                }
            )
            for name, estimate in result.estimates.items()
        },
        "correlation": None if correlation is None else correlation.tolist(),
        "checks": [dataclasses.asdict(check) for check in result.checks],
        "expectations": [dataclasses.asdict(expectation) for expectation in result.expectations],
    }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return [plain(v) for v in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {name: plain(value) for name, value in values.items()}
