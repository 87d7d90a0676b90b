"""From a prediction and what was found about it to a verdict, with the correction for all claims tested at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from fit.estimators.estimate import Estimate
from fit.findings.finding import Finding
from fit.findings.outcome import Outcome
from fit.findings.registry import Measure
from fit.judge.decision import decide, p_outside, significant
from fit.judge.measuring import measure_of
from fit.judge.rivals import rivals
from fit.judge.verdict import Verdict
from theory.prediction import Prediction

#: A larger share of networks left out in the window is said in the reason: which ones never fit is no chance.
MENTIONED_SHARE = 0.05


@dataclass(frozen=True)
class Case:
    """A prediction and what was found about it."""

    experiment: str
    store: str | None
    prediction: Prediction
    finding: Finding
    neighbours: Mapping[str, sympy.Rational] = field(default_factory=dict)  #: the exponents of other depths, by name

    @property
    def exponent(self) -> float | None:
        """The predicted power, if it is one."""
        return None if self.prediction.exponent is None else float(self.prediction.exponent)

    @property
    def p_value_against(self) -> float | None:
        """The p-value that speaks against the prediction, for the correction of all claims tested at once."""
        if self.finding.outcome is not None:
            return self.finding.p_value_against
        return None if self.testable is None else p_outside(*self.testable)

    @property
    def testable(self) -> tuple[Estimate, float, float] | None:
        """Estimate, predicted power and margin, where a comparison of these decides."""
        finding, exponent, margin = self.finding, self.exponent, self.prediction.margin
        if finding.estimate is None or finding.refusal or exponent is None or margin is None:
            return None
        return finding.estimate, exponent, margin


def judge(cases: Sequence[Case]) -> list[Verdict]:
    """Return the verdicts, in the order of the cases."""
    tested = [(case, p) for case in cases if (p := case.p_value_against) is not None]
    excluded = dict(zip((id(case) for case, _ in tested), significant([p for _, p in tested]), strict=True))
    return [_verdict(case, excluded.get(id(case), False)) for case in cases]


def _verdict(case: Case, excluded: bool) -> Verdict:
    finding, prediction = case.finding, case.prediction
    outcome, why = _outcome(case, excluded)
    if outcome == "consistent" and finding.reservations:
        outcome, why = "inconclusive", f"{why}, but {'; '.join(finding.reservations)}"
        finding = dataclasses.replace(finding, notes=tuple(n for n in finding.notes if n not in finding.reservations))
    estimate, measure = finding.estimate, measure_of(prediction)
    return Verdict(
        experiment=case.experiment,
        claim=prediction.claim,
        quantity=prediction.quantity,
        variable=prediction.variable,
        predicted=None if prediction.exponent is None else str(prediction.exponent),
        predicted_value=case.exponent,
        expected=prediction.expected,
        form=prediction.form,
        refusal=prediction.refusal or finding.no_prediction,
        leading_exponent=None if prediction.leading_exponent is None else str(prediction.leading_exponent),
        by_construction=prediction.by_construction,
        regime=prediction.regime.name,
        estimate=None if estimate is None else estimate.value,
        ci_low=_end(estimate, 0.95, 0),
        ci_high=_end(estimate, 0.95, 1),
        ci90_low=_end(estimate, 0.90, 0),
        ci90_high=_end(estimate, 0.90, 1),
        margin=prediction.margin,
        verdict=outcome,
        reason=_sentence(why, finding),
        range=finding.range or {"variable": prediction.variable, "low": None, "high": None},
        n_points=finding.n_points,
        n_seeds=finding.n_seeds,
        n_widths=finding.n_widths,
        excluded=finding.excluded,
        sensitivity=finding.sensitivity,
        p_value=None if estimate is None or case.exponent is None else estimate.p_value(case.exponent),
        store=case.store,
        rivals=rivals(estimate, prediction, case.neighbours),
        title=prediction.title or prediction.expected,
        formula=prediction.formula,
        standard_error=None if estimate is None else estimate.standard_error,
        group=measure.group,
        figure=measure.figure,
        column=_column(measure, prediction),
        stands_for_power=measure.stands_for_power,
        points=finding.points,
    )


def _outcome(case: Case, excluded: bool) -> tuple[Outcome, str]:
    finding, prediction = case.finding, case.prediction
    if finding.outcome is not None:
        if finding.outcome == "inconsistent" and finding.p_value_against is not None and not excluded:
            return "inconclusive", f"{finding.reason}, but not after correction for the claims tested at once"
        return finding.outcome, finding.reason
    if finding.refusal:
        return "inconclusive", finding.refusal
    if case.testable is None:
        if prediction.exponent is None:
            return "inconclusive", f"theory gives no power to compare with ({prediction.expected})"
        if finding.estimate is not None and prediction.margin is None:
            return "inconclusive", "the prediction does not say which difference counts as none: it has no margin"
        return "inconclusive", "no exponent could be estimated"
    estimate, exponent, margin = case.testable
    return decide(estimate, exponent, margin, excluded, str(prediction.exponent))


def _column(measure: Measure, prediction: Prediction) -> str | None:
    """A table of activations has the crossover and, of other claims, the law in A of the feature regime."""
    shown = {("width", "crossover"), ("root_h_alpha", "feature")}
    return measure.column if (prediction.variable, prediction.regime.name) in shown else None


def _end(estimate: Estimate | None, level: float, side: int) -> float | None:
    return None if estimate is None else estimate.interval(level)[side]


def _sentence(why: str, finding: Finding) -> str:
    clauses = [why, *finding.notes]
    if finding.excluded_fraction > MENTIONED_SHARE:
        clauses.append(f"{finding.excluded_fraction:.0%} of the networks in the window were left out")
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}."
