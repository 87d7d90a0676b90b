"""Powers of A, seen inside each family of networks that share their initial weights."""

from __future__ import annotations

import numpy as np
import xarray as xr

from fit.estimators.clusters import slope_within
from fit.estimators.estimate import Estimate
from fit.findings.figure_points import figure_points, mean_with_interval, per_cell
from fit.findings.finding import MIN_AMPLITUDES, MIN_SEEDS, Finding, Minimum, too_few
from fit.findings.networks import is_finite, log, width_of_pairs
from fit.findings.window import left_out_networks, range_of, sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from lazyrich.wording import counted
from theory.prediction import Prediction

#: The row of the sensitivity with Huber's M-estimate in place of least squares.
ROBUST = "with outliers downweighted (Huber)"


def amplitude_power(
    experiment: Measurements, prediction: Prediction, logs: xr.DataArray, y_label: str, *, corrected: bool = False
) -> Finding:
    """Estimate the power of A inside the prediction's regime.

    Parameters
    ----------
    experiment : Measurements
    prediction : Prediction
        Its regime is the window; its ``correction_exponent`` is fitted along if ``corrected``, otherwise shown beside.
    logs : DataArray, (width, amplitude, seed)
        Logarithms or jackknife pseudo-values of a logarithm; NaN where there is none.
    y_label : str
        LaTeX.
    corrected : bool
    """
    return power_of_abscissa(
        experiment, prediction, log(experiment.root_h_alpha), logs, y_label, name="root_h_alpha", corrected=corrected
    )


def power_of_abscissa(
    experiment: Measurements,
    prediction: Prediction,
    log_x: xr.DataArray,
    logs: xr.DataArray,
    y_label: str,
    *,
    name: str,
    corrected: bool = False,
) -> Finding:
    """Estimate the power of an abscissa that varies inside each family of networks, such as A or A/F.

    ``log_x`` is its logarithm, of each cell (width, amplitude) or network; ``name`` is what points call it. The rest as
    in `amplitude_power`: the window is one of A.
    """
    cells = window(experiment, prediction)
    correction = None if prediction.correction_exponent is None else float(prediction.correction_exponent)

    def estimate(part: xr.DataArray, *, with_correction: bool = corrected, robust: bool = False) -> Estimate | None:
        return slope_in(part, log_x, logs, correction if with_correction else None, robust=robust)

    result = estimate(cells)
    # a window too short for the correction still gives the uncorrected slope as a partial result
    shown = result if result is not None or not corrected else estimate(cells, with_correction=False)
    sensitivity = [sensitivity_row(label, estimate(part)) for label, part in trimmed(cells, experiment.root_h_alpha)]
    if correction is not None:
        term = f"{'A' if name == 'root_h_alpha' else '(A/F)'}^({prediction.correction_exponent})"
        label = f"{'without' if corrected else 'with'} the predicted correction {term}"
        sensitivity.append(sensitivity_row(label, estimate(cells, with_correction=not corrected)))
    if len(experiment.widths) > 1:
        wider = cells & (cells["width"] > experiment.widths.min())
        sensitivity.append(sensitivity_row("without the narrowest width", estimate(wider)))
    if prediction.statistic != "rms":  # pseudo-values of an rms have outliers by their nature
        sensitivity.append(sensitivity_row(ROBUST, estimate(cells, robust=True)))

    present = is_finite(logs) & cells
    measured_cells = present.any("seed")
    span = range_of(measured_cells, experiment)
    minimum = Minimum(MIN_SEEDS, 1, MIN_AMPLITUDES + int(corrected))
    undecided_because, in_short = _why_undecided(present, minimum.amplitudes)
    has_too_few = undecided_because is not None
    if undecided_because is None and shown is not None and shown.alternative is not None:
        in_short = "two powers fit"
        undecided_because = (
            f"with the predicted correction two powers fit equally well within the noise, {shown.value:.3f} and "
            f"{shown.alternative:.3f}"
        )
    points = figure_points(
        *per_cell(experiment.root_h_alpha), mean_with_interval(logs), measured_cells.values, name, y_label, shown,
        (span["low"], span["high"]) if name == "root_h_alpha" else (None, None),
        None if name == "root_h_alpha" else mean_with_interval(log_x)[0],
    )  # fmt: skip
    return Finding(
        estimate=shown,
        points=points,
        range=span,
        n_points=int(points["used"].sum()),
        n_seeds=int(present.any("amplitude").sum("seed").max()),
        n_widths=int(present.any(("amplitude", "seed")).sum()),
        sensitivity=sensitivity,
        undecided_because=undecided_because,
        in_short=in_short,
        minimum=minimum if has_too_few else None,
        notes=(() if shown is None else shown.notes) + _correction_note(prediction, corrected and shown is result),
        **left_out_networks(experiment, cells, prediction.quantity),
    )


def log_amplitude_over_output(experiment: Measurements, logs: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Return log(A/F), F the rms output at the stop, and ``logs``, both (width, amplitude, seed).

    NaN in both where a network lacks either.
    """
    log_output = log(experiment.output_rms)
    measured = is_finite(log_output) & is_finite(logs)
    return (log(experiment.root_h_alpha) - log_output).where(measured), logs.where(measured)


def slope_in(
    cells: xr.DataArray,
    log_x: xr.DataArray,
    logs: xr.DataArray,
    correction_exponent: float | None = None,
    *,
    robust: bool = False,
) -> Estimate | None:
    """Return the power of x in ``cells``, (width, amplitude); ``log_x`` of each cell or network, ``logs`` of networks.

    Networks without a finite ``logs`` are left out.
    """
    mask = cells.values
    columns = mask.any(axis=0)
    order = ("width", "seed", "amplitude")
    values = np.where(mask[:, None], logs.transpose(*order).values, np.nan)
    abscissa = np.broadcast_to(log_x.transpose("width", ..., "amplitude").values.reshape(
        len(mask), -1, mask.shape[1]), values.shape)  # fmt: skip
    log_rows, value_rows = (array.reshape(-1, mask.shape[1])[:, columns] for array in (abscissa, values))
    return slope_within(log_rows, value_rows, width_of_pairs(logs), correction_exponent, robust=robust)


def _why_undecided(present: xr.DataArray, needed: int) -> tuple[str | None, str]:
    """Return why a power of A stays undecided, if it does: as a clause, and in a few words."""
    amplitudes = int(present.any("seed").sum("amplitude").max())
    clusters = int((present.sum("amplitude") > 1).sum())
    if not present.any():
        return "no converged network in the window has a measured value", "no network in the window"
    if amplitudes < needed:
        clause = f"the window holds {counted(amplitudes, 'amplitude')}, and {needed} are needed"
        return clause, too_few(amplitudes, needed, "amplitude")
    if clusters < MIN_SEEDS:
        clause = f"{counted(clusters, 'pair')} of width and seed give a slope, and {MIN_SEEDS} are needed"
        return clause, too_few(clusters, MIN_SEEDS, "seed")
    return None, ""


def _correction_note(prediction: Prediction, corrected: bool) -> tuple[str, ...]:
    if prediction.correction_exponent is None:
        return ()
    if corrected:
        return (f"the predicted correction A^({prediction.correction_exponent}) is fitted too, with its power fixed",)
    return (f"a relative correction A^({prediction.correction_exponent}) is predicted and is not removed",)
