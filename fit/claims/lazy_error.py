"""The excess test error of every width and ensemble size over that of infinite width, against the computed one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import stdtrit

from fit.estimators.clusters import mean_over
from fit.estimators.estimate import Estimate
from fit.estimators.paired import plus
from fit.findings.ensembles import ensemble_errors
from fit.findings.error_differences import data_used
from fit.findings.figure_points import figure_points
from fit.findings.finding import NOT_COMPUTED, Finding, too_few
from fit.findings.measured_over_predicted import curve_abscissa, judged_ratio, with_predicted_curve
from fit.findings.networks import is_finite
from fit.findings.registry import measures
from fit.findings.window import sensitivity_row, window
from fit.measurements.measurements import Measurements
from fit.measurements.training_data import training_data
from lazyrich.errors import InputError
from lazyrich.wording import counted
from theory.activation import Activation
from theory.curves import LazyPrediction, lazy_prediction
from theory.prediction import Prediction

#: Larger training sets take more than some seconds: their prediction is a call of `theory.curves.lazy_prediction`.
LARGEST_TRAINING_SET = 400
#: Networks, or thousands of neurons, that C(x) is sampled from: known to some per cent on average over points.
SAMPLES = {"neurons": 1_500, "networks": 60}
#: Fewer seeds give no verdict: a network's error differs from seed to seed by about as much as width costs.
MIN_SEEDS = 10
#: Widths that are compared. No power of h is fitted: whatever h is, a number is predicted.
MIN_WIDTHS = 2
#: The computed excess should be this large, in test error, for a measured one to be compared with it.
SMALLEST_EXCESS = 1e-3


@measures(
    needs=("test_output", "test_label"), group="Test error", stands_for_power="1", measured_as="measured over computed"
)
def lazy_error(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare the excess error of widths and ensemble sizes, each weighted by the computed one, in the lazy regime.

    Widths below the number of training points are left out: the first order in n/h does not hold for them.
    """
    points_trained_on = experiment.description.get("n_train")
    if points_trained_on is None:
        return Finding(
            undecided_because="not computed: the source does not say which points were trained on",
            in_short=NOT_COMPUTED,
        )
    experiment = experiment.within(float(points_trained_on), math.inf)
    if not experiment.widths.size:
        return Finding(
            undecided_because=f"no width is as large as n_train = {points_trained_on}, below which theory is no guide",
            in_short="no width as large as n_train",
        )
    cells = window(experiment, prediction)
    outputs = _complete_outputs(experiment, cells)
    complete = _complete(experiment, outputs)
    data = data_used(experiment, cells, complete)
    enough = [row for row, output in outputs.items() if output.sizes["seed"] >= MIN_SEEDS]
    if len(enough) < MIN_WIDTHS:
        refusal = (
            f"{counted(len(enough), 'width')} with {MIN_SEEDS} complete seeds in the lazy regime, "
            f"and {MIN_WIDTHS} are needed"
        )
        return Finding(undecided_because=refusal, in_short=too_few(len(enough), MIN_WIDTHS, "complete width"), **data)
    if points_trained_on > LARGEST_TRAINING_SET:
        refusal = (
            f"not computed for more than {LARGEST_TRAINING_SET} training points: call theory.curves.lazy_prediction"
        )
        return Finding(undecided_because=refusal, in_short=NOT_COMPUTED, **data)
    computed = _computed(experiment)
    if isinstance(computed, str):
        return Finding(undecided_because=computed, in_short=NOT_COMPUTED, **data)
    label = experiment.common("test_label")
    measured = {row: _errors(outputs[row], label) for row in enough}
    return _compare(experiment, prediction, computed, label.values, measured, data)


def _computed(experiment: Measurements) -> LazyPrediction | str:
    """Return theory's outputs on the test points, or why there are none: a clause."""
    trained = training_data(experiment)
    if trained is None:
        return "not computed: the training data are not at hand, or the networks are not those that theory knows"
    described, data = trained
    stored_points = experiment.data.sizes["test_point"]
    try:
        return lazy_prediction(
            Activation(described.activation, normalise=described.normalise),
            described.depth,
            data.x_train,
            data.y_train,
            data.x_test[:stored_points],
            loss=described.loss,
            samples=SAMPLES["neurons" if described.depth == 1 else "networks"],
        )
    except InputError as refused:
        return f"not computed: {refused.problem}"


def _compare(
    experiment: Measurements,
    prediction: Prediction,
    computed: LazyPrediction,
    label: NDArray,
    measured: Mapping[int, Mapping[int, NDArray]],
    data: dict[str, Any],
) -> Finding:
    """``measured``: of each width (its row) and ensemble size, pseudo-values of the error, (seed,)."""
    widths = experiment.widths
    limit = float(computed.error(label, [np.inf])[0])
    predicted = {
        row: {m: float(computed.error(label, [widths[row]], m)[0]) for m in by_size}
        for row, by_size in measured.items()
    }
    largest = max(error - limit for by_size in predicted.values() for error in by_size.values())
    if largest < SMALLEST_EXCESS:
        refusal = f"a finite width costs {largest:.2%} of test error at most, by theory: too little to be measured"
        return Finding(undecided_because=refusal, **data)

    def ratio(rows: list[int], smallest: int = 1, largest: float = np.inf) -> Estimate | None:
        total, square = [], 0.0
        for row in rows:
            excess = {m: predicted[row][m] - limit for m in measured[row] if smallest <= m <= largest}
            if excess:
                total.append(mean_over(np.sum([p * (measured[row][m] - limit) for m, p in excess.items()], axis=0)))
                square += sum(p**2 for p in excess.values())
        if not total or any(part is None for part in total):
            return None
        summed = reduce(plus, (part for part in total if part is not None))
        return dataclasses.replace(summed, value=summed.value / square, standard_error=summed.standard_error / square)

    rows = sorted(measured)
    result = ratio(rows)
    if result is None:
        return Finding(undecided_because="no width has two complete seeds", **data)
    data["sensitivity"] = [
        sensitivity_row("single networks", ratio(rows, largest=1)),
        sensitivity_row("averages of two and more", ratio(rows, smallest=2)),
        sensitivity_row("without the narrowest width", ratio(rows[1:])),
        sensitivity_row("without the widest width", ratio(rows[:-1])),
    ]
    sentence = (
        f"Networks and averages of up to {max(m for sizes in measured.values() for m in sizes)} of them; the curve is "
        f"computed from the data alone, and ends at {limit:.2%}."
    )
    neurons, figure = _figure(experiment, measured)
    abscissa = curve_abscissa(neurons)
    data["points"] = with_predicted_curve(figure, abscissa, computed.error(label, abscissa), sentence)
    data["notes"] = (f"at infinite width {limit:.2%} of the test points are wrong by theory",)
    measured_quantity = "the excess test error of finite widths and averages"
    return judged_ratio(prediction, result, measured_quantity, data)


def _complete_outputs(experiment: Measurements, cells: xr.DataArray) -> dict[int, xr.DataArray]:
    """Return the outputs of each width's amplitudes in ``cells``, of the seeds that are complete there."""
    result = {}
    for row in range(len(experiment.widths)):
        chosen = cells.isel(width=row).values
        if chosen.any():
            output = experiment.outputs(row).isel(amplitude=chosen)
            result[row] = output.isel(seed=is_finite(output).all(("amplitude", "test_point")).values)
    return result


def _complete(experiment: Measurements, outputs: Mapping[int, xr.DataArray]) -> xr.DataArray:
    """As many seeds at each width as there are complete outputs, (width, seed)."""
    result = np.zeros((len(experiment.widths), experiment.n_seeds), dtype=bool)
    for row, output in outputs.items():
        result[row, : output.sizes["seed"]] = True
    return xr.DataArray(result, dims=("width", "seed"))


def _errors(outputs: xr.DataArray, label: xr.DataArray) -> dict[int, NDArray]:
    """Return pseudo-values of the error, averaged over amplitudes, of averages of 1, 2, 4 ... networks."""
    sizes = [m for m in 2 ** np.arange(10) if 2 * m <= outputs.sizes["seed"]]
    return {int(m): ensemble_errors(outputs, label, int(m)).mean("amplitude").values for m in sizes}


def _figure(experiment: Measurements, measured: Mapping[int, Mapping[int, NDArray]]) -> tuple[NDArray, xr.Dataset]:
    """Return m·h of every width h and ensemble size m, and the error there with its interval as a figure's points."""
    cells = [(experiment.widths[row], m, errors) for row, by_size in measured.items() for m, errors in by_size.items()]
    width, members = (np.array([cell[i] for cell in cells], dtype=float) for i in (0, 1))
    mean = np.array([np.mean(errors) for _, _, errors in cells])
    half = np.array(
        [stdtrit(len(e) - 1, 0.975) * np.std(e, ddof=1) / np.sqrt(len(e)) for _, _, e in cells]
    )  # fmt: skip
    neurons = width * members
    nowhere = np.full(len(cells), np.nan)
    return neurons, figure_points(
        width, nowhere, (mean, mean - half, mean + half), np.ones(len(cells), dtype=bool), "neurons", r"\epsilon_m(h)",
        None, abscissa=neurons,
    )  # fmt: skip
