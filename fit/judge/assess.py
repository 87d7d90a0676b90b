"""Compare predictions with measurements."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fit.claims.claims import find
from fit.claims.depth_trend import depth_trend
from fit.claims.draws import regime_preference_over_draws
from fit.estimators.estimate import Estimate
from fit.findings.finding import Finding
from fit.findings.outcome import Outcome
from fit.judge.decision import decide, p_outside, significant
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements, Source, measurements
from fit.processes import Map
from fit.user_predictions import UserPrediction
from lazyrich.errors import InputError
from theory.prediction import Prediction

#: A larger share of networks left out in the window is said in the reason: which ones never fit is no chance.
MENTIONED_SHARE = 0.05


def assess(
    source: Source | Iterable[Source],  # type: ignore[valid-type]
    predictions: Sequence[Prediction] | Mapping[str, Sequence[Prediction]] | None = None,
    *,
    also: Sequence[Prediction] = (),
    apply: Map = map,
) -> list[Verdict]:
    """Judge every prediction that the data can bear, experiment by experiment.

    Parameters
    ----------
    source : path, xarray.DataTree, xarray.Dataset, or a sequence of these
        See `fit.measurements.measurements.measurements`.
    predictions : sequence of Prediction, or mapping from experiment name to one, optional
        What to test. By default what theory predicts for each experiment's activation and depth. A law of your own is
        one line: see `fit.prediction`.
    also : sequence of Prediction
        What to test beside these; an experiment of unknown activation or depth is then tested on this alone.
    apply : callable
        What measures the experiments one by one: ``map``, or one that processes share (`fit.processes`).

    Returns
    -------
    list of Verdict
        In the order of experiments and predictions; claims that span experiments come last.

    Raises
    ------
    InputError
        If a source can't be read, or does not say for which activation and depth to ask theory.
    """
    found = measurements(source)
    _check_names(found, [*(predictions or ()), *also])
    per_experiment = {one.name: _predictions_for(one, predictions, also) for one in found}
    single = [(one, [p for p in per_experiment[one.name] if p.claim != "depth_trend"]) for one in found]
    cases = [
        _Case(one.name, one.store, law, _conditioned(one, law, finding, predictions is None))
        for (one, laws), findings in zip(single, apply(_findings, single), strict=True)
        for law, finding in zip(laws, findings, strict=True)
    ]
    slopes = {
        case.experiment: case.finding
        for case in cases
        if case.prediction.claim == "kernel_change_feature" and case.prediction.variable == "root_h_alpha"
    }
    cases += [
        _Case(name, members[0].store, prediction, finding)
        for name, members, prediction, finding in (
            *depth_trend(found, per_experiment, slopes),
            *regime_preference_over_draws(found, per_experiment),
        )
    ]
    return _judge(cases)


@dataclass(frozen=True)
class _Case:
    experiment: str
    store: str | None
    prediction: Prediction
    finding: Finding

    @property
    def exponent(self) -> float | None:
        return None if self.prediction.exponent is None else float(self.prediction.exponent)

    @property
    def p_value_against(self) -> float | None:
        """The p-value that speaks against the prediction, for the correction of all claims tested at once."""
        if self.finding.outcome is not None:
            return self.finding.p_value_against
        return None if self.testable is None else p_outside(*self.testable)

    @property
    def testable(self) -> tuple[Estimate, float, float] | None:
        finding, exponent, allowed = self.finding, self.exponent, self.prediction.margin
        if finding.estimate is None or finding.refusal or exponent is None or allowed is None:
            return None
        return finding.estimate, exponent, allowed


def _findings(experiment: tuple[Measurements, Sequence[Prediction]]) -> list[Finding]:
    found, laws = experiment
    return [find(found, law) for law in laws]


def _conditioned(found: Measurements, law: Prediction, finding: Finding, from_theory: bool) -> Finding:
    """Withhold the verdict on a law of theory where the experiment lacks what the law is derived for.

    An output bias has a kernel h times that of the rest, so that networks with biases obey no scaling in A. Without
    f_0 subtracted the output starts at alpha f_0 ~ A/sqrt(h): negligible where A << 1, and nowhere else. Adam moves
    every weight by its learning rate, whatever the gradient is: no power counting of gradients is about it.
    """
    if not from_theory or isinstance(law, UserPrediction):
        return finding
    bias = found.description.get("bias") or 0
    if bias:
        lacking = f"the law is derived for networks without bias, and these have bias = {bias:g}"
    elif not found.description.get("subtract_initial", True) and law.regime.name != "feature":
        lacking = "the law is derived for F = alpha (f - f_0), and here f_0 is not subtracted"
    elif _dynamics(found) == "adam":
        lacking = "the law is derived for gradient flow, and these networks were trained by Adam"
    else:
        return finding
    return dataclasses.replace(finding, refusal=finding.refusal or lacking, outcome=None, p_value_against=None)


def _dynamics(found: Measurements) -> str | None:
    dynamics = found.description.get("dynamics")
    return dynamics.get("name") if isinstance(dynamics, Mapping) else dynamics


def _predictions_for(
    found: Measurements,
    given: Sequence[Prediction] | Mapping[str, Sequence[Prediction]] | None,
    also: Sequence[Prediction],
) -> list[Prediction]:
    mine = [p for p in also if _about(p, found)]
    if isinstance(given, Mapping):
        if found.name not in given:
            raise InputError(
                "predictions", sorted(given), f"there are none for the experiment {found.name!r}",
                "Name every experiment, or leave predictions out",
            )  # fmt: skip
        return [*given[found.name], *mine]
    if given is not None:
        return [*(p for p in given if _about(p, found)), *mine]
    if found.activation is None or found.depth is None:
        if mine:
            return mine
        raise InputError(
            "store", found.store or found.name, f"experiment {found.name!r} does not say its activation and depth",
            "Add the attributes (in a CSV file: the columns) activation and depth, or give the predictions",
        )  # fmt: skip
    from theory.activation import Activation
    from theory.predictions import predictions

    activation = Activation(found.activation, normalise=bool(found.description.get("normalise", True)))
    return [*predictions(activation, found.depth), *mine]


def _check_names(found: Sequence[Measurements], predictions: Sequence[object]) -> None:
    known = [one.name for one in found]
    for prediction in predictions:
        for name in prediction.experiments if isinstance(prediction, UserPrediction) else ():
            if name not in known:
                raise InputError(
                    "experiment", name, f"a prediction is about it, and the source holds {', '.join(known)}",
                    "Name one of these, or leave the experiment out",
                )  # fmt: skip


def _about(prediction: Prediction, found: Measurements) -> bool:
    return not isinstance(prediction, UserPrediction) or prediction.about(found.name)


def _judge(cases: Sequence[_Case]) -> list[Verdict]:
    tested = [(case, p) for case in cases if (p := case.p_value_against) is not None]
    excluded = dict(zip((id(case) for case, _ in tested), significant([p for _, p in tested]), strict=True))
    return [_verdict(case, excluded.get(id(case), False)) for case in cases]


def _verdict(case: _Case, excluded: bool) -> Verdict:
    finding, prediction = case.finding, case.prediction
    outcome, why = _outcome(case, excluded)
    estimate = finding.estimate
    return Verdict(
        experiment=case.experiment,
        claim=prediction.claim,
        quantity=prediction.quantity,
        variable=prediction.variable,
        predicted=None if prediction.exponent is None else str(prediction.exponent),
        predicted_value=case.exponent,
        expected=prediction.expected,
        form=prediction.form,
        refusal=prediction.refusal,
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
        points=finding.points,
    )


def _outcome(case: _Case, excluded: bool) -> tuple[Outcome, str]:
    finding, prediction = case.finding, case.prediction
    if finding.outcome is not None:
        outcome, why = finding.outcome
        if outcome == "inconsistent" and finding.p_value_against is not None and not excluded:
            return "inconclusive", f"{why}, but not after correction for the claims tested at once"
        return outcome, why
    if finding.refusal:
        return "inconclusive", finding.refusal
    if case.testable is None:
        if prediction.exponent is None:
            return "inconclusive", f"theory gives no power to compare with ({prediction.expected})"
        if finding.estimate is not None and prediction.margin is None:
            return "inconclusive", "the prediction does not say which difference counts as none: it has no margin"
        return "inconclusive", "no exponent could be estimated"
    estimate, exponent, allowed = case.testable
    return decide(estimate, exponent, allowed, excluded, str(prediction.exponent))


def _end(estimate: Estimate | None, level: float, side: int) -> float | None:
    return None if estimate is None else estimate.interval(level)[side]


def _sentence(why: str, finding: Finding) -> str:
    clauses = [why, *finding.notes]
    if finding.excluded_fraction > MENTIONED_SHARE:
        clauses.append(f"{finding.excluded_fraction:.0%} of the networks in the window were left out")
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}."
