"""Laws of the test error: which regime errs less, what an ensemble and a frozen kernel reproduce, how widths approach.

All intervals are over initial weights, conditional on the one data set: they do not say how another draw of training
points would decide.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fit.estimators.estimate import Estimate
from fit.estimators.models import ModelFit, offset_power
from fit.estimators.paired import plus
from fit.estimators.slopes import mean_over
from fit.findings.finding import MIN_SEEDS, MIN_WIDTHS, Finding, exclusions, range_of, sensitivity_row, trimmed, window
from fit.findings.outcome import LEVEL, Outcome
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.prediction import Prediction

#: The amplitudes at which regimes are compared, fixed beforehand (the best A on the test set would be a choice by the
#: response); the nearest grid point counts, up to half a decade away.
PREFERENCE_AT = (1e-4, 1e4)
#: The same choice half a decade nearer to the crossover, for the sensitivity.
LESS_EXTREME = {
    "feature regime at A = 3.2e-4": (10**-3.5, PREFERENCE_AT[1]),
    "lazy regime at A = 3.2e3": (PREFERENCE_AT[0], 10**3.5),
}
#: Data sets on which the preference was observed (arXiv:1906.08034).
OBSERVED = ("mnist", "fashion_mnist", "emnist_letters", "cifar10")
#: Its sign by architecture: positive where the feature regime was observed to err more.
OBSERVED_SIGN = {"fc": 1.0, "cnn": -1.0}
#: A frozen final kernel reproduces the network if it misses no more than this of what the initial kernel misses.
FINAL_KERNEL_SHARE = 0.25
#: An ensemble does for a width if it misses no more than this of what the width gains.
ENSEMBLE_SHARE = 0.5
#: Random partitions of the seeds into ensembles.
PARTITIONS = 50


def regime_preference(found: Measurements, prediction: Prediction) -> Finding:
    """Compare the test errors at A = 1e-4 and 1e4, pair by pair."""
    difference = regime_difference(found)
    if difference is None:
        return Finding(refusal="the grid has no amplitudes within half a decade of 1e-4 and of 1e4")
    estimate = mean_over(difference.ravel(), _width_of(found))
    cells = np.zeros(found.root_h_alpha.shape, dtype=bool)
    for column in _regime_columns(found) or ():
        cells[np.arange(len(found.widths)), column] = True
    shared = _shared(found, cells, np.isfinite(difference))
    if estimate is None or shared["n_seeds"] < MIN_SEEDS:
        return Finding(estimate=estimate, refusal=_few("pairs of networks fit in both regimes", shared), **shared)
    sensitivity = [
        sensitivity_row(f"h = {width:g}", mean_over(row)) for width, row in zip(found.widths, difference, strict=True)
    ]
    for name, at in LESS_EXTREME.items():
        nearer = regime_difference(found, at)
        if nearer is not None:
            sensitivity.append(sensitivity_row(name, mean_over(nearer.ravel(), _width_of(found))))
    told = told_of_regimes(estimate, "on these data")
    no_sign = without_sign(found)
    if no_sign:
        return Finding(estimate=estimate, refusal=f"{told}; {no_sign}", sensitivity=sensitivity, **shared)
    outcome, against = one_sided(towards_prediction(found, estimate), told)
    return Finding(estimate=estimate, outcome=outcome, p_value_against=against, sensitivity=sensitivity, **shared)


def regime_difference(found: Measurements, at: tuple[float, float] = PREFERENCE_AT) -> NDArray | None:
    """Return the test error at A = 1e-4 less that at 1e4, (width, seed); None if the grid lacks either."""
    columns = _regime_columns(found, at)
    if columns is None:
        return None
    errors, rows = found.network("test_error"), np.arange(len(found.widths))
    feature, lazy = (errors[rows, column] for column in columns)
    return feature - lazy


def regime_amplitudes(found: Measurements) -> tuple[float, float]:
    """Return the lowest and the highest amplitude at which the regimes are compared."""
    columns = _regime_columns(found)
    assert columns is not None, "the grid lacks a regime"
    rows = np.arange(len(found.widths))
    return float(found.root_h_alpha[rows, columns[0]].min()), float(found.root_h_alpha[rows, columns[-1]].max())


def towards_prediction(found: Measurements, difference: Estimate) -> Estimate:
    """Return the difference of the regimes with the sign that makes the predicted one positive."""
    sign = OBSERVED_SIGN[found.description.get("architecture", "fc")]
    return Estimate(sign * difference.value, difference.standard_error, difference.dof)


def without_sign(found: Measurements) -> str:
    """Return why no sign is predicted for an experiment's data, in a clause; empty where one is.

    The claim is an observation on image sets with all their directions; no power counting gives a sign. Measurements
    that do not name their data are taken at their own word.
    """
    dataset = found.description.get("dataset")
    if dataset is not None and dataset not in OBSERVED:
        return f"no sign is predicted for {dataset}: it depends on the data, and was observed on {', '.join(OBSERVED)}"
    architecture = found.description.get("architecture", "fc")
    if architecture not in OBSERVED_SIGN:
        return f"no sign is predicted for architecture {architecture}: it was observed on {' and '.join(OBSERVED_SIGN)}"
    if found.description.get("pca") is not None:
        return "no sign is predicted for data reduced to principal components, where the observation was not made"
    return ""


def told_of_regimes(difference: Estimate, over: str) -> str:
    """Return the difference of the regimes in a clause."""
    low, high = difference.interval()
    return (
        f"the feature regime errs by {difference.value:+.2%} more than the lazy one "
        f"(95 % interval [{low:+.2%}, {high:+.2%}]), {over}"
    )


def final_kernel(found: Measurements, prediction: Prediction) -> Finding:
    """Compare the network with kernel dynamics frozen at its final and at its initial kernel."""
    arms = ("network", "initial_kernel", "final_kernel")
    absent = [arm for arm in arms if arm not in found.arms]
    if absent:
        return Finding(refusal=f"not measured: the source has no arm {' and no arm '.join(absent)}")
    cells = window(found, prediction)
    width = _width_of(found)

    def differences(part: NDArray) -> tuple[NDArray, NDArray]:
        network, initial, final = (_mean_in(found.network("test_error", arm), part).ravel() for arm in arms)
        return final - network, initial - network

    missed, contrast = differences(cells)
    shared = _shared(found, cells, np.isfinite(missed + contrast).reshape(len(found.widths), -1))
    gained = mean_over(contrast, width)
    if gained is None or shared["n_seeds"] < MIN_SEEDS:
        return Finding(refusal=_few("networks have all three arms", shared), **shared)
    tests = [mean_over(sign * missed - FINAL_KERNEL_SHARE * contrast, width) for sign in (1, -1)]
    shared["sensitivity"] = [
        sensitivity_row(name, _ratio(*(mean_over(values, width) for values in differences(part))))
        for name, part in trimmed(cells, found.root_h_alpha)
    ]
    return _share(tests, mean_over(missed, width), gained, FINAL_KERNEL_SHARE, "the final kernel", "network", shared)


def ensemble(found: Measurements, prediction: Prediction) -> Finding:
    """Compare ensembles of m networks with single ones m times as wide, at the amplitudes of the regime."""
    if "test_label" not in found:
        return Finding(refusal="not measured: the source does not hold test_label")
    cells = window(found, prediction)
    pair = _widths_to_compare(found)
    if pair is None:
        return Finding(refusal=f"no width is a multiple m of another that has 2·m seeds, m >= 2, or {MIN_SEEDS}")
    narrow, wide, members = pair
    columns = np.flatnonzero(cells[narrow] & cells[wide])
    label = found.one("test_label")
    outputs = [found.outputs(row)[columns] for row in (narrow, wide)]
    complete = [np.isfinite(output).all(axis=(0, 2)) for output in outputs]
    small, large = (output[:, keep] for output, keep in zip(outputs, complete, strict=True))
    used = np.zeros_like(cells)
    used[narrow, columns] = used[wide, columns] = True
    seeds = np.zeros((len(found.widths), found.n_seeds), dtype=bool)
    seeds[narrow, : small.shape[1]] = seeds[wide, : large.shape[1]] = True
    shared = _shared(found, used, seeds)
    if not len(columns) or small.shape[1] < max(2 * members, MIN_SEEDS) or large.shape[1] < MIN_SEEDS:
        return Finding(refusal=_few("seeds fit at both widths", shared), **shared)
    errors = _ensemble_errors(small, label, members), _errors(small, label), _errors(large, label)

    def compare(rows: NDArray) -> tuple[Estimate, Estimate, Estimate] | None:
        """What is tested, missed and gained, over some of the amplitudes."""
        together, alone, wider = (one[rows].mean(axis=0) for one in errors)
        estimates = [mean_over(sample) for sample in (together - ENSEMBLE_SHARE * alone, together, alone, wider)]
        if any(estimate is None for estimate in estimates):
            return None
        part, first, gained, single = (estimate for estimate in estimates if estimate is not None)
        # missed - share·contrast = (together - share·alone) - (1 - share)·single
        test = plus(part, single, -(1 - ENSEMBLE_SHARE))
        return test, plus(first, single, -1.0), plus(gained, single, -1.0)

    compared = compare(np.ones(len(columns), dtype=bool))
    if compared is None:
        return Finding(refusal=_few("seeds fit at both widths", shared), **shared)
    for name, part in trimmed(used, found.root_h_alpha):
        rows = part[narrow, columns] & part[wide, columns]
        nearer = compare(rows) if rows.any() else None
        row = sensitivity_row(name, None if nearer is None else _ratio(*nearer[1:]))
        shared.setdefault("sensitivity", []).append(row)
    test, missed, gained = compared
    what = f"{members} networks of width {found.widths[narrow]:g} together"
    against = f"one of width {found.widths[wide]:g}"
    return _share([test], missed, gained, ENSEMBLE_SHARE, what, against, shared)


def error_vs_width(found: Measurements, prediction: Prediction) -> Finding:
    """Fit test error = error(infinity) + c·h^p over (width, seed) pairs, each averaged over the grid's amplitudes."""
    errors = found.network("test_error")
    cells = np.ones(found.root_h_alpha.shape, dtype=bool)
    values = _mean_in(errors, cells)
    used = np.isfinite(values) & (values > 0)
    shared = _shared(found, cells, used)
    enough = int((used.sum(axis=1) >= MIN_SEEDS).sum())
    # three coefficients of the width: the power, the limit, and how far from it
    if enough < MIN_WIDTHS + 2:
        return Finding(
            refusal=f"{enough} widths have {MIN_SEEDS} complete seeds, and {MIN_WIDTHS + 2} are needed to see a limit",
            **shared,
        )
    width = np.broadcast_to(found.widths[:, None], values.shape)

    def fit(values: NDArray, keep: NDArray) -> ModelFit:
        part = keep & np.isfinite(values) & (values > 0)
        return offset_power(width[part], values[part], np.arange(part.sum()))

    try:
        fitted = fit(values, used)
    except InputError as error:
        return Finding(refusal=error.problem, **shared)
    rows = []
    for name, other, keep in (
        *((name, _mean_in(errors, part), used) for name, part in trimmed(cells, found.root_h_alpha)),
        ("without the narrowest width", values, used & (width > width.min())),
        ("without the widest width", values, used & (width < width.max())),
    ):
        try:
            rows.append(sensitivity_row(name, fit(other, keep)["exponent"]))
        except InputError:  # too few widths or amplitudes are left
            rows.append(sensitivity_row(name, None))
    limit = fitted["offset"]
    note = f"the error tends to {limit.value:.2%} ({limit.interval()[0]:.2%} to {limit.interval()[1]:.2%})"
    power = fitted["exponent"].value
    refusal = None
    if not _seen(found.widths, power):
        refusal = f"these widths can't tell a power of {power:.2f} from no excess over the limit, or from no limit"
    return Finding(estimate=fitted["exponent"], sensitivity=rows, notes=(note,), refusal=refusal, **shared)


def _seen(widths: NDArray, power: float) -> bool:
    """Whether an excess ~ h^power falls over the widths, and is not gone at the second one.

    Where it is not, the fit sits at an edge (a step at the narrowest width, or a straight line in log h), and the
    curvature there says nothing of the error.
    """
    first, second, last = widths[0], widths[1], widths[-1]
    return (last / first) ** power <= 0.9 and (second / first) ** power >= 0.1


# -- parts -------------------------------------------------------------------------------------------------------------


def _nearest(found: Measurements, amplitude: float) -> NDArray | None:
    """Column of the grid's A nearest to ``amplitude`` for each width; None if one is over half a decade away."""
    distance = np.abs(np.log(found.root_h_alpha / amplitude))
    column = np.argmin(distance, axis=1)
    if np.any(distance[np.arange(len(column)), column] > 0.5 * np.log(10) * (1 + 1e-6)):
        return None
    return column


def _regime_columns(found: Measurements, at: tuple[float, float] = PREFERENCE_AT) -> tuple[NDArray, ...] | None:
    columns = [_nearest(found, a) for a in at]
    kept = tuple(column for column in columns if column is not None)
    return kept if len(kept) == len(columns) else None


def _mean_in(values: NDArray, cells: NDArray) -> NDArray:
    """Mean over the window's amplitudes, (width, seed); NaN where one is missing."""
    count = cells.sum(axis=1)[:, None]
    total = np.where(cells[..., None], values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _width_of(found: Measurements) -> NDArray:
    return np.repeat(found.widths, found.n_seeds)


def _shared(found: Measurements, cells: NDArray, complete: NDArray) -> dict:
    """What every finding here tells of its data; ``complete`` (width, seed)."""
    return {
        "range": range_of(cells, found),
        "n_points": int(complete.sum()),
        "n_seeds": int(complete.sum(axis=1).max(initial=0)),
        "n_widths": int(complete.any(axis=1).sum()),
        **exclusions(found, cells),
    }


def _few(what: str, shared: dict) -> str:
    return f"{shared['n_seeds']} {what}, and {MIN_SEEDS} are needed"


def one_sided(towards: Estimate, told: str) -> tuple[tuple[Outcome, str], float]:
    """The outcome of an estimate that is predicted to be positive, and the p-value that speaks against it."""
    against = towards.p_value_at_least(0.0)
    if towards.interval(0.90)[0] > 0:
        return ("consistent", told), against
    if against < LEVEL:
        return ("inconsistent", told), against
    return ("inconclusive", f"{told}: the interval includes none"), against


def _share(
    tests: list[Estimate | None],
    missed: Estimate | None,
    gained: Estimate,
    allowed: float,
    what: str,
    than: str,
    shared: dict,
) -> Finding:
    """Judge whether ``missed`` is at most ``allowed`` of ``gained``.

    ``tests`` estimate missed - allowed·gained (and -missed - allowed·gained): they are linear in the pairs, so that no
    ratio of noisy means needs an interval.
    """
    known = [test for test in tests if test is not None]
    if missed is None or len(known) < len(tests):
        return Finding(refusal=_few("complete comparisons", shared), **shared)
    if gained.interval(0.90)[0] <= 0:
        return Finding(
            refusal=f"nothing to reproduce: the contrast is {gained.value:+.2%} of test error, 0 within errors",
            **shared,
        )
    estimate = _ratio(missed, gained)
    told = (
        f"{what} misses {missed.value:+.2%} of test error against the {than}, where {gained.value:+.2%} are to be had"
    )
    against = min(test.p_value_at_most(0.0) for test in known)
    outcome: tuple[Outcome, str] = ("inconclusive", f"{told}: the interval of that includes {allowed:.0%}")
    if all(test.interval(0.90)[1] <= 0 for test in known):
        outcome = ("consistent", f"{told}: no more than {allowed:.0%} of it, with 95 % confidence")
    elif against < LEVEL:
        outcome = ("inconsistent", f"{told}: more than {allowed:.0%} of it")
    return Finding(estimate=estimate, outcome=outcome, p_value_against=against, **shared)


def _ratio(missed: Estimate | None, gained: Estimate | None) -> Estimate | None:
    """missed/gained by the delta method, for tables: words come from tests. None where nothing is seen to be gained."""
    if missed is None or gained is None or gained.interval(0.90)[0] <= 0:
        return None
    share = missed.value / gained.value
    error = math.hypot(missed.standard_error, share * gained.standard_error) / gained.value
    return Estimate(share, error, min(missed.dof, gained.dof), n_clusters=missed.n_clusters)


def _widths_to_compare(found: Measurements) -> tuple[int, int, int] | None:
    """The narrowest width and the widest one that is a whole multiple m of it for which 2·m seeds suffice."""
    for narrow, width in enumerate(found.widths):
        for wide in range(len(found.widths) - 1, narrow, -1):
            members = round(found.widths[wide] / width)
            close = abs(found.widths[wide] / width - members) <= 0.03 * members
            if close and members >= 2 and found.n_seeds >= max(2 * members, MIN_SEEDS):
                return narrow, wide, members
    return None


def _errors(outputs: NDArray, label: NDArray) -> NDArray:
    """Share of wrong signs, (amplitude, seed); ``outputs`` (amplitude, seed, test_point)."""
    return np.mean(outputs * label <= 0, axis=2)


def _ensemble_errors(outputs: NDArray, label: NDArray, members: int) -> NDArray:
    """Jackknife pseudo-values of the mean error of ensembles of ``members`` different seeds, (amplitude, seed).

    The mean over all subsets (a U-statistic) is sampled by random partitions; without seed s it is the mean over the
    ensembles that s is not in.
    """
    rng = np.random.default_rng(0)
    seeds = outputs.shape[1]
    blocks = seeds // members
    order = np.stack([rng.permutation(seeds)[: blocks * members] for _ in range(PARTITIONS)]).reshape(-1, members)
    errors = np.array([np.mean(outputs[:, group].mean(axis=1) * label <= 0, axis=1) for group in order])
    member = np.zeros((len(order), seeds), dtype=bool)
    np.put_along_axis(member, order, True, axis=1)
    full = errors.mean(axis=0)
    without = np.array([errors[~member[:, s]].mean(axis=0) for s in range(seeds)])
    return (seeds * full - (seeds - 1) * without).T
