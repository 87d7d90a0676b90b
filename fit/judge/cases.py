"""From a prediction and its finding to a verdict, with the correction for all claims tested at once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from fit.estimators.estimate import Estimate
from fit.findings.finding import Finding
from fit.findings.outcome import Outcome
from fit.findings.registry import Measure
from fit.judge.decision import NOT_SIGNIFICANT_TOGETHER, decide, significant
from fit.judge.measuring import measure_of
from fit.judge.rivals import rivals
from fit.judge.verdict import Verdict
from lazyrich.wording import sentence_case
from theory.prediction import Prediction

#: The reason mentions a larger fraction of networks left out in the window: which ones never fit is not random.
MENTIONED_FRACTION = 0.05
#: Why a law is undecided, in a few words, where the networks that were left out could change the outcome.
_IN_SHORT_LEFT_OUT = "networks left out could move it"
#: The same where the interval lies inside the margin but the finding has reservations, and no few words for them.
_IN_SHORT_RESERVATIONS = "another window disagrees"


@dataclass(frozen=True)
class Case:
    """A prediction, and the finding about it in one experiment or in several together: what the rule judges."""

    experiment: str
    store: str | None
    prediction: Prediction
    finding: Finding
    conditional_on: str | None = None  #: see `Verdict.conditional_on`
    neighbours: Mapping[str, sympy.Rational] = field(default_factory=dict)  #: the exponents of other depths, by name

    @property
    def exponent(self) -> float | None:
        """The predicted power, if it is one and the law is derived for these networks."""
        return None if self.exact_exponent is None else float(self.exact_exponent)

    @property
    def exact_exponent(self) -> sympy.Rational | None:
        """The same power as `exponent`, as an exact number."""
        return None if self.finding.not_claimed_because is not None else self.prediction.exponent

    @property
    def p_value_against(self) -> float | None:
        """The p-value that speaks against the prediction, for the correction of all claims tested at once."""
        if self.finding.outcome is not None:
            return self.finding.p_value_against
        if self.testable is None:
            return None
        estimate, exponent, margin = self.testable
        return estimate.p_value_within(exponent, margin)

    @property
    def testable(self) -> tuple[Estimate, float, float] | None:
        """The same as `comparable`, or None where the finding says why nothing can be decided."""
        return None if self.finding.undecided_because else self.comparable

    @property
    def comparable(self) -> tuple[Estimate, float, float] | None:
        """Estimate, predicted power and margin; None unless there are all three."""
        estimate, exponent, margin = self.finding.estimate, self.exponent, self.prediction.margin
        if estimate is None or exponent is None or margin is None:
            return None
        return estimate, exponent, margin

    @property
    def decided_by(self) -> Estimate | None:
        """What the rule compares with the band in which the law holds."""
        if self.finding.contrast is not None:
            return self.finding.contrast
        return None if self.finding.outcome is not None or self.comparable is None else self.comparable[0]

    @property
    def band(self) -> tuple[float, float] | None:
        """Where ``decided_by`` lies if the law holds."""
        if self.finding.contrast is not None:
            return -math.inf, 0.0
        if self.decided_by is None or self.comparable is None:
            return None
        _, exponent, margin = self.comparable
        return exponent - margin, exponent + margin


def judge(cases: Sequence[Case]) -> list[Verdict]:
    """Return the verdicts, in the order of the cases."""
    tested = [(case, p) for case in cases if (p := case.p_value_against) is not None]
    rejected = dict(zip((id(case) for case, _ in tested), significant([p for _, p in tested]), strict=True))
    return [_verdict(case, rejected.get(id(case), False)) for case in cases]


@dataclass(frozen=True)
class _Ruling:
    """What the rule says of one case, once the losses of networks and the reservations of the finding are heeded."""

    outcome: Outcome
    reason: str  #: a sentence
    in_short: str  #: why it is undecided, in a few words; empty where it is decided
    withheld: str | None  #: why the rule gives no verdict though there may be an estimate: a clause


def _ruling(case: Case, rejected: bool) -> _Ruling:
    finding = case.finding
    outcome, why = _outcome(case, rejected)
    left_out_matters = _why_left_out_matters(case, outcome)
    if left_out_matters is not None:
        outcome, why = "inconclusive", f"{why}, but {left_out_matters}"
        finding = dataclasses.replace(
            finding, undecided_because=left_out_matters, in_short=_IN_SHORT_LEFT_OUT, left_out_fraction=0.0
        )
    reservations = "; ".join(finding.reservations)
    in_short = finding.in_short if outcome == "inconclusive" else ""
    if outcome == "consistent" and reservations:
        in_short = finding.in_short or _IN_SHORT_RESERVATIONS
        outcome, why = "inconclusive", f"{why}, but {reservations}"
        finding = dataclasses.replace(finding, notes=tuple(n for n in finding.notes if n not in finding.reservations))
    withheld = (finding.undecided_because or reservations or None) if outcome == "inconclusive" else None
    return _Ruling(outcome, _sentence(why, finding), in_short, withheld)


def _verdict(case: Case, rejected: bool) -> Verdict:
    finding, prediction = case.finding, case.prediction
    ruling = _ruling(case, rejected)
    estimate, measure = finding.estimate, measure_of(prediction)
    return Verdict(
        experiment=case.experiment,
        claim=prediction.claim,
        quantity=prediction.quantity,
        variable=prediction.variable,
        predicted=None if case.exact_exponent is None else str(case.exact_exponent),
        predicted_value=case.exponent,
        compared_with=finding.compared_with if case.exponent is None else case.exponent,
        expected=prediction.expected,
        form=prediction.form,
        not_claimed_because=prediction.not_claimed_because or finding.not_claimed_because,
        leading_exponent=None if prediction.leading_exponent is None else str(prediction.leading_exponent),
        by_construction=prediction.by_construction,
        regime=prediction.regime.label,
        estimate=None if estimate is None else estimate.value,
        ci_low=_end(estimate, 0.95, 0),
        ci_high=_end(estimate, 0.95, 1),
        ci90_low=_end(estimate, 0.90, 0),
        ci90_high=_end(estimate, 0.90, 1),
        margin=prediction.margin,
        verdict=ruling.outcome,
        reason=ruling.reason,
        range=finding.range or {"variable": prediction.variable, "low": None, "high": None},
        n_points=finding.n_points,
        n_seeds=finding.n_seeds,
        n_widths=finding.n_widths,
        excluded=finding.left_out,
        shift_by_excluded=finding.shift_by_left_out,
        sensitivity=finding.sensitivity,
        p_value=None if estimate is None or case.exponent is None else estimate.p_value(case.exponent),
        between_draws=finding.between_draws,
        conditional_on=case.conditional_on,
        store=case.store,
        rivals=[] if case.exact_exponent is None else rivals(estimate, prediction, case.neighbours),
        title=prediction.title or prediction.expected,
        formula=prediction.formula,
        standard_error=None if estimate is None else estimate.standard_error,
        group=measure.group,
        figure=measure.figure,
        column=_column(measure, prediction),
        stands_for_power=measure.stands_for_power,
        measured_as=measure.measured_as,
        in_short=ruling.in_short,
        points=finding.points,
        withheld=ruling.withheld,
        decided_by=case.decided_by,
        band=case.band,
        minimum=finding.minimum,
    )


def _outcome(case: Case, rejected: bool) -> tuple[Outcome, str]:
    finding, prediction = case.finding, case.prediction
    if finding.outcome is not None:
        if finding.outcome == "inconsistent" and finding.p_value_against is not None and not rejected:
            return (
                "inconclusive",
                f"{finding.reason}, {NOT_SIGNIFICANT_TOGETHER}",
            )
        return finding.outcome, finding.reason
    if finding.undecided_because:
        return "inconclusive", finding.undecided_because
    if case.testable is None:
        if prediction.exponent is None:
            return "inconclusive", f"theory predicts no power to compare with ({prediction.expected})"
        if finding.estimate is not None and prediction.margin is None:
            return (
                "inconclusive",
                "the prediction states no margin, the largest difference that still counts as agreement",
            )
        return "inconclusive", "the exponent could not be estimated from these data"
    estimate, exponent, margin = case.testable
    return decide(estimate, exponent, margin, rejected, str(prediction.exponent))


def _why_left_out_matters(case: Case, outcome: Outcome) -> str | None:
    """Return as a clause why an outcome is uncertain since networks were left out.

    None where the outcome is the same with the interval moved by `Finding.shift_by_left_out` to either side.
    """
    shift = case.finding.shift_by_left_out
    if case.testable is None or outcome == "inconclusive" or not shift:
        return None
    estimate, exponent, margin = case.testable
    low, high = estimate.interval(0.90 if outcome == "consistent" else 0.95)
    inside = exponent - margin <= low - shift and high + shift <= exponent + margin
    outside = low - shift > exponent + margin or high + shift < exponent - margin
    if inside if outcome == "consistent" else outside:
        return None
    return (
        f"{case.finding.left_out_fraction:.0%} of the networks in the window were left out: had they failed for the "
        f"size of what is measured, the power could be off by {shift:.2g}"
    )


def _column(measure: Measure, prediction: Prediction) -> str | None:
    """Return the heading under which a table of activations has a law; None if it does not have it.

    It has the law in h that is about both regimes, and the law in A of the feature regime.
    """
    shown = {("width", None), ("root_h_alpha", "feature")}
    return measure.column if (prediction.variable, prediction.regime.name) in shown else None


def _end(estimate: Estimate | None, level: float, side: int) -> float | None:
    """Return the lower (``side`` 0) or upper (1) end of an interval; None without an estimate."""
    return None if estimate is None else estimate.interval(level)[side]


def _sentence(why: str, finding: Finding) -> str:
    clauses = [why, *finding.notes]
    if finding.left_out_fraction > MENTIONED_FRACTION:
        clauses.append(f"{finding.left_out_fraction:.0%} of the networks in the window were left out")
    text = "; ".join(clauses)
    return f"{sentence_case(text)}."
