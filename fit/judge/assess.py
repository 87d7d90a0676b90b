"""Compare predictions with measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fit.judge.applicable_predictions import applicable_predictions, check_names, check_quantities
from fit.judge.between_draws import with_scatter
from fit.judge.cases import Case, judge
from fit.judge.conditions import comparison_with_conditions_checked, conditional_on, with_conditions_checked
from fit.judge.measuring import all_measures, compare_experiments, measure_experiment
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
    """Judge every prediction that can be measured with the data, experiment by experiment.

    Parameters
    ----------
    source : path, xarray.DataTree, xarray.Dataset, pandas.DataFrame, or a sequence of these
        See `fit.measurements.reading.measurements`.
    predictions : sequence of Prediction, or mapping from experiment name to one, optional
        What to test. By default what theory predicts for each experiment's activation and depth. A law of your own is
        one line: see `fit.prediction`.
    also : sequence of Prediction
        What to test as well; an experiment of unknown activation or depth is then tested on these laws alone.
    apply : callable
        What applies a function to each experiment: ``map``, or a map over several processes (`fit.processes`).

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
    stated = [*also] if isinstance(predictions, Mapping) else [*(predictions or ()), *also]
    check_names(experiments, stated)
    check_quantities(experiments, stated, [m.quantity for m in all_measures().values() if m.quantity is not None])
    return Verdicts(judge(cases_of(experiments, predictions, also, apply)))


def cases_of(
    experiments: Sequence[Measurements],
    predictions: Sequence[Prediction] | Mapping[str, Sequence[Prediction]] | None = None,
    also: Sequence[Prediction] = (),
    apply: Map = map,
) -> list[Case]:
    """Return each prediction with its finding, before the rule is applied; parameters as of `assess`."""
    tested = [(experiment, applicable_predictions(experiment, predictions, also)) for experiment in experiments]
    measured = with_scatter([with_conditions_checked(findings) for findings in apply(measure_experiment, tested)])
    cases = [
        Case(
            experiment.name, experiment.store, law, finding, conditional_on(experiment), neighbours(experiment, law)
        )
        for experiment, law, finding in (row for findings in measured for row in findings.rows())
    ]  # fmt: skip
    cases += [
        Case(comparison.name, comparison.members[0].store, comparison.prediction, comparison.finding)
        for comparison in map(comparison_with_conditions_checked, compare_experiments(measured))
    ]
    return cases
