"""Compare predictions with measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fit.findings.finding import Finding
from fit.findings.registry import Assessed
from fit.judge.asked import check_names, check_quantities, predictions_for
from fit.judge.cases import Case, judge
from fit.judge.conditions import conditioned
from fit.judge.measuring import all_measures, compare_experiments, measure_of, measure_prediction
from fit.judge.rivals import neighbours
from fit.judge.verdicts import Verdicts
from fit.measurements.measurements import Measurements
from fit.measurements.reading import Source, measurements
from fit.processes import Map
from theory.prediction import Prediction


def assess(
    source: Source | Iterable[Source],  # type: ignore[valid-type]
    predictions: Sequence[Prediction] | Mapping[str, Sequence[Prediction]] | None = None,
    *,
    also: Sequence[Prediction] = (),
    apply: Map = map,
) -> Verdicts:
    """Judge every prediction that the data can bear, experiment by experiment.

    Parameters
    ----------
    source : path, xarray.DataTree, xarray.Dataset, pandas.DataFrame, or a sequence of these
        See `fit.measurements.reading.measurements`.
    predictions : sequence of Prediction, or mapping from experiment name to one, optional
        What to test. By default what theory predicts for each experiment's activation and depth. A law of your own is
        one line: see `fit.prediction`.
    also : sequence of Prediction
        What to test beside these; an experiment of unknown activation or depth is then tested on this alone.
    apply : callable
        What measures the experiments one by one: ``map``, or one that processes share (`fit.processes`).

    Returns
    -------
    Verdicts
        A list of `Verdict` in the order of experiments and predictions; claims that span experiments come last. It has
        ``to_dataframe()``, ``to_latex()`` and ``summary()``.

    Raises
    ------
    InputError
        If a source can't be read, or does not say for which activation and depth to ask theory.
    """
    experiments = measurements(source)
    given = [*(predictions or ()), *also] if not isinstance(predictions, Mapping) else [*also]
    check_names(experiments, given)
    check_quantities(experiments, given, [m.quantity for m in all_measures().values() if m.quantity is not None])
    laws = [predictions_for(one, predictions, also) for one in experiments]
    found = list(apply(_findings, list(zip(experiments, laws, strict=True))))
    if predictions is None:
        found = [
            {i: conditioned(experiment, asked[i], finding) for i, finding in findings.items()}
            for experiment, asked, findings in zip(experiments, laws, found, strict=True)
        ]
    assessed = [Assessed(*one) for one in zip(experiments, laws, found, strict=True)]
    cases = [
        Case(one.measurements.name, one.measurements.store, law, finding, neighbours(one.measurements, law))
        for one in assessed
        for law, finding in ((one.predictions[i], finding) for i, finding in one.findings.items())
    ]
    cases += [
        Case(comparison.name, comparison.members[0].store, comparison.prediction, comparison.finding)
        for comparison in compare_experiments(assessed)
    ]
    return Verdicts(judge(cases))


def _findings(asked: tuple[Measurements, Sequence[Prediction]]) -> dict[int, Finding]:
    """Return what was found about the predictions that one experiment can bear, by their place."""
    experiment, laws = asked
    return {i: measure_prediction(experiment, law) for i, law in enumerate(laws) if measure_of(law).measure is not None}
