"""The variance over seeds of the initial tangent kernel of a point, against the computed one."""

from __future__ import annotations

import dataclasses
from functools import reduce
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.clusters import mean_over
from fit.estimators.estimate import Estimate
from fit.estimators.paired import plus
from fit.findings.figure_points import figure_points
from fit.findings.finding import MIN_SEEDS, MIN_WIDTHS, NOT_COMPUTED, Finding, too_few
from fit.findings.measured_over_predicted import curve_abscissa, judged_ratio, with_predicted_curve
from fit.findings.registry import measures
from fit.findings.window import sensitivity_row
from fit.measurements.measurements import Measurements
from fit.measurements.network_class import names_architecture, network_class
from lazyrich.errors import InputError
from lazyrich.wording import counted
from theory.activation import Activation
from theory.curves import ntk_variance
from theory.prediction import Prediction

#: Widths below this multiple of the depth are left out: the next order in L/h is as large as the margin.
WIDTHS_PER_LAYER = 16
#: The moments over held-out points of Theta_0(x, x) that a store has of each network.
MOMENTS = ("kernel_diagonal_initial", "kernel_diagonal_square_initial")


@measures(needs=MOMENTS, group="Kernel", stands_for_power="1", measured_as="measured over computed")
def initial_kernel_variance(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare h·Var Theta_0(x, x)/E², averaged over held-out points and widths, with the computed number.

    Inputs lie on a sphere, so that the mean over seeds is the same for every point, and the variance over seeds at a
    point is, averaged over points, that over seeds and points together.
    """
    computed = _computed(experiment)
    if isinstance(computed, str):
        return Finding(undecided_because=f"not computed: {computed}", in_short=NOT_COMPUTED)
    # the same at every amplitude, whether the network was trained to the end or not
    means, squares = (_initial(experiment, name) for name in MOMENTS)
    widths = experiment.widths
    from_width = WIDTHS_PER_LAYER * (experiment.depth or 0)
    rows = [i for i in range(len(widths)) if widths[i] >= from_width]
    samples = {row: _pseudo_values(means[row], squares[row]) * widths[row] for row in rows}
    estimates = {row: estimate for row, sample in samples.items() if (estimate := mean_over(sample)) is not None}
    seeds = {row: int(np.isfinite(samples[row]).sum()) for row in estimates}
    enough = [row for row in estimates if seeds[row] >= MIN_SEEDS]
    data: dict[str, Any] = {
        "n_points": len(enough),
        "n_seeds": max(seeds.values(), default=0),
        "n_widths": len(enough),
        "range": {"variable": "width", "low": None, "high": None},
    }
    if len(enough) < MIN_WIDTHS:
        refusal = (
            f"{counted(len(enough), 'width')} from {from_width} on with {MIN_SEEDS} seeds, and {MIN_WIDTHS} are needed"
        )
        return Finding(undecided_because=refusal, in_short=too_few(len(enough), MIN_WIDTHS, "complete width"), **data)
    data["range"] = {"variable": "width", "low": float(widths[enough[0]]), "high": float(widths[enough[-1]])}

    def ratio(averaged: list[int]) -> Estimate:
        total = reduce(plus, (estimates[row] for row in averaged))
        scale = len(averaged) * computed
        return dataclasses.replace(total, value=total.value / scale, standard_error=total.standard_error / scale)

    data["sensitivity"] = [
        sensitivity_row("without the narrowest width", ratio(enough[1:])),
        sensitivity_row("without the widest width", ratio(enough[:-1])),
    ]
    data["points"] = _figure(widths[enough], [estimates[row] for row in enough], computed)
    data["notes"] = (f"theory has {computed:.3g}",)
    return judged_ratio(prediction, ratio(enough), "the variance h·Var Θ₀(x, x)/E²", data)


def _computed(experiment: Measurements) -> float | str:
    """Return the h·Var Theta_0(x, x)/E² that theory computes, or why it does not: a clause."""
    depth, activation = experiment.depth, experiment.activation
    if depth is None or activation is None:
        return "the source does not say the activation and depth"
    if not _known_to_theory(experiment):
        return "the recursion is that of fully connected networks without bias"
    normalise = bool(experiment.description.get("normalise", True))
    try:
        return ntk_variance(Activation(activation, normalise=normalise), depth)
    except InputError as refused:
        return refused.problem


def _known_to_theory(experiment: Measurements) -> bool:
    """Whether theory computes the kernels of these networks; assumed of a source that names no architecture."""
    if experiment.description.get("bias"):
        return False
    if not names_architecture(experiment):
        return True
    networks = network_class(experiment)
    return networks is not None and networks.known_to_theory


def _initial(experiment: Measurements, variable: str) -> NDArray:
    """Return one number a network before training, (width, seed): that of the first amplitude which has it."""
    values = experiment.before_training(variable).values
    known = np.isfinite(values)
    first = known.argmax(axis=1)[:, None, :]
    return np.take_along_axis(values, first, axis=1)[:, 0, :]


def _pseudo_values(means: NDArray, squares: NDArray) -> NDArray:
    """Return jackknife pseudo-values of Var/E² over seeds, from each seed's mean over points of Theta and Theta²."""
    known = np.isfinite(means) & np.isfinite(squares)
    m, q = means[known], squares[known]
    count = len(m)
    result = np.full(len(means), np.nan)
    if count < 3:
        return result

    def relative(mean: NDArray, square: NDArray) -> NDArray:
        return square / mean**2 - 1.0

    whole = relative(m.mean(), q.mean())
    without = relative((m.sum() - m) / (count - 1), (q.sum() - q) / (count - 1))
    result[known] = count * whole - (count - 1) * without
    return result


def _figure(widths: NDArray, estimates: list[Estimate], computed: float) -> xr.Dataset:
    """Return h·Var/E² against the width, and the computed number as a line."""
    value = np.array([estimate.value for estimate in estimates])
    low, high = np.array([estimate.interval() for estimate in estimates]).T
    label = r"h\,\mathrm{Var}\,\Theta_0(x,x)/E^2"
    nowhere = np.full(len(widths), np.nan)
    figure = figure_points(widths, nowhere, (value, low, high), np.ones(len(widths), dtype=bool), "width", label, None)
    abscissa = curve_abscissa(widths)
    sentence = f"The line is computed from the activation and the depth: {computed:.3g}."
    return with_predicted_curve(figure, abscissa, np.full(len(abscissa), computed), sentence)
