"""How each prediction is measured: by its claim's file in `fit.claims`, or as the power of its quantity."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import fit.claims
from fit.findings.finding import Finding, not_measured
from fit.findings.power_law import power_law
from fit.findings.registry import Comparison, ExperimentFindings, Measure, registered
from fit.measurements.measurements import Measurements
from fit.user_predictions import UserPrediction
from lazyrich.discovery import import_all
from theory.claims import claims
from theory.prediction import Prediction


@functools.cache
def _import_claims() -> None:
    import_all(fit.claims)


def all_measures() -> Mapping[str, Measure]:
    """Return how each claim is measured, by name: whatever file lies in `fit.claims`."""
    _import_claims()
    return registered()


def measure_of(prediction: Prediction) -> Measure:
    """Return how a prediction is measured.

    A user's own prediction, whatever its claim is called, and a claim without a file in `fit.claims` are about their
    quantity: one that a claim derives from the source, or a variable of the source, whose power it is.
    """
    measures = all_measures()
    if prediction.claim in measures and not isinstance(prediction, UserPrediction):
        return measures[prediction.claim]
    for measure in measures.values():
        if measure.quantity == prediction.quantity:
            return measure
    return Measure(prediction.claim, (prediction.quantity,), power_law)


def measure_prediction(experiment: Measurements, prediction: Prediction) -> Finding:
    """Measure what ``prediction`` is about in one experiment."""
    if isinstance(prediction, UserPrediction):
        experiment = experiment.within(*prediction.width_range)
        if not experiment.widths.size:
            return not_measured("no width lies in [{:g}, {:g}]".format(*prediction.width_range))
    measure = measure_of(prediction)
    assert measure.measure is not None, f"{prediction.claim} is measured over several experiments only"
    missing = [name for name in measure.needs if name not in experiment]
    if missing:
        return not_measured(f"the source does not hold {', '.join(missing)}")
    return measure.measure(experiment, prediction)


def measure_experiment(experiment_and_predictions: tuple[Measurements, Sequence[Prediction]]) -> ExperimentFindings:
    """Measure the predictions that one experiment can answer alone; one argument, so that processes can map it."""
    experiment, predictions = experiment_and_predictions
    findings = {
        i: measure_prediction(experiment, prediction)
        for i, prediction in enumerate(predictions)
        if measure_of(prediction).measure is not None
    }
    return ExperimentFindings(experiment, predictions, findings)


def compare_experiments(experiments: Sequence[ExperimentFindings]) -> list[Comparison]:
    """Return the findings of several experiments together, in the order of the claims."""
    measures = all_measures()
    order = [claim.name for claim in claims() if claim.name in measures]
    names = [*order, *sorted(set(measures) - set(order))]
    compare_functions = [compare for name in names if (compare := measures[name].compare) is not None]
    return [comparison for compare in compare_functions for comparison in compare(experiments)]
