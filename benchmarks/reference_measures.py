"""What the kept runs say where no law's verdict does: measured from the netCDF files, with Student's intervals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.between import slope_between
from fit.estimators.clusters import cluster_slopes, mean_over
from fit.estimators.exponent import exponent
from simulate import Status


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval, None where there is none."""

    preset: str
    what: str
    value: float
    low: float | None = None
    high: float | None = None


def _mean(preset: str, label: str, values: NDArray) -> Measured:
    """Mean of independent values with Student's interval; NaN is left out."""
    estimate = mean_over(values)
    assert estimate is not None, f"{preset}: {label}: fewer than two values"
    return Measured(preset, label, estimate.value, *estimate.interval())


def _kept_experiments(folder: Path, preset: str) -> Iterator[tuple[str, xr.Dataset]]:
    """Yield name and measurements of each experiment of a run."""
    for path in sorted((folder / preset).glob("*.nc.gz")):
        with xr.open_dataset(path) as data:
            yield path.name.removesuffix(".nc.gz"), data.load()


def _dynamics(folder: Path) -> xr.Dataset:
    with xr.open_dataset(folder / "dynamics-laptop" / "fashion_mnist.nc.gz") as data:
        return data.load()


def trajectories(folder: Path) -> list[Measured]:
    """Trajectories of equal initial weights at different A << 1: do they coincide until F ~ 1?

    Checkpoints are at the same t/A, where f - f_0 is to be the same at every A: rms(F)/A of the pair (1e-4, A) is
    compared at each checkpoint at which F at the larger A is still below 0.3, and the largest difference is taken.
    """
    return trajectories_of(_dynamics(folder))


def trajectories_of(data: xr.Dataset) -> list[Measured]:
    """Measure `trajectories` on a dataset with the variable output_rms and checkpoints in t/min(1, A)."""
    rows = []
    for amplitude in (1e-3, 1e-2, 1e-1, 1.0):
        ours = data["output_rms"].sel(root_h_alpha=amplitude, method="nearest")
        least = data["output_rms"].sel(root_h_alpha=1e-4, method="nearest")
        same = (ours < 0.3) & np.isfinite(least)
        off = np.abs(ours / amplitude / (least / 1e-4) - 1).where(same).max("checkpoint")
        rows.append(
            _mean("dynamics-laptop", f"largest relative difference of rms f(t) - f_0, A = {amplitude:g} against 1e-4, "
                  "while rms F < 0.3", off.values.ravel())
        )  # fmt: skip
    return rows


def linear_before_t1(folder: Path) -> list[Measured]:
    """The power of t with which the output grows before t1, and what the kernel has changed by at t1, for A <= 1e-2."""
    data = _dynamics(folder)
    feature = data.sel(root_h_alpha=data["root_h_alpha"] <= 1.01e-2)
    early = (feature["time"] < 0.3 * feature["time_linear"]) & (feature["time"] > 0.01 * feature["time_linear"])
    t, f = (np.log(feature[name].where(early)) for name in ("time", "output_rms"))
    t, f = t - t.mean("checkpoint"), f - f.mean("checkpoint")
    slope = ((t * f).sum("checkpoint") / (t**2).sum("checkpoint")).where(early.sum("checkpoint") > 1)
    change = feature["kernel_change_linear"]
    preset = "dynamics-laptop"
    return [
        _mean(preset, "power of t in rms f(t) - f_0, 0.01 t1 < t < 0.3 t1, A <= 1e-2",
              slope.mean("root_h_alpha").values.ravel()),
        *(
            _mean(preset, f"kernel change at t1, A <= 1e-2, h = {int(h)}",
                  change.sel(width=h).mean("root_h_alpha").values.ravel())
            for h in (data["width"].values[0], data["width"].values[-1])
        ),
    ]  # fmt: skip


def article_window(folder: Path) -> list[Measured]:
    """The power of the kernel change over the window of the article's guide for L = 3, 1e-3 <= A <= 5."""
    preset = "amplitude-laptop"
    rows = []
    for name, data in _kept_experiments(folder, preset):
        inside = data.sel(root_h_alpha=slice(0.99e-3, 5.0))
        low, high = inside["root_h_alpha"].values[[0, -1]]
        label = f"power of A over {low:.2g} <= A <= {high:.2g}, {name}"
        rows.append(_mean(preset, label, _powers_of_a(inside["kernel_change"])))
    return rows


def infinite_width(folder: Path) -> list[Measured]:
    """Test errors of the widest networks in both regimes, and of infinitely wide lazy ones on the same points."""
    preset = "amplitude-laptop"
    rows = []
    for name, error in json.loads((folder / "infinite_width.json").read_text(encoding="utf-8")).items():
        with xr.open_dataset(folder / preset / f"{name}.nc.gz") as data:
            widest = data["test_error"].isel(width=-1).load()
        h = int(widest["width"])
        rows += [
            _mean(preset, f"{name}: test error at A = 1e-4, h = {h}", widest.sel(root_h_alpha=1e-4).values),
            _mean(preset, f"{name}: test error at A = 1e4, h = {h}", widest.sel(root_h_alpha=1e4).values),
            Measured(preset, f"{name}: test error of the lazy limit, h = ∞", error),
        ]
    return rows


def _powers_of_a(values: xr.DataArray) -> NDArray:
    """The power of A in each network's values, those of equal initial weights together."""
    clusters = values.transpose(..., "root_h_alpha").values
    log_a = np.broadcast_to(np.log(values["root_h_alpha"].values), clusters.shape)
    return cluster_slopes(log_a, np.log(clusters)).ravel()


def _gap(data: xr.Dataset) -> tuple[str, xr.DataArray]:
    """Test errors at the smallest A less those at the largest, in per cent, and what to call them."""
    low, high = data["root_h_alpha"].values[[0, -1]]
    error = 100 * data["test_error"]
    label = f"error(A = {low:g}) - error(A = {high:g}), per cent"
    return label, error.isel(root_h_alpha=0) - error.isel(root_h_alpha=-1)


def _power_of_h(label: str, width: NDArray, values: NDArray) -> Measured:
    """The power of h in one value a width, with Student's interval."""
    estimate = exponent(width, values)
    return Measured("width-laptop", label, estimate.value, *estimate.interval())


def fluctuations_at(folder: Path) -> list[Measured]:
    """The power of h in delta F, one amplitude at a time."""
    rows = []
    for name, data in _kept_experiments(folder, "width-laptop"):
        variance = data["test_output"].var("seed", ddof=1).mean("test_point")
        for amplitude in (1e-4, 1e-2, 1.0, 1e4):
            at_amplitude = variance.sel(root_h_alpha=amplitude, method="nearest")
            label = f"power of h in delta F at A = {amplitude:g}, {name}"
            rows.append(_power_of_h(label, at_amplitude["width"].values, np.sqrt(at_amplitude.values)))
    return rows


def crossover_of_wider(folder: Path) -> list[Measured]:
    """The power of h in alpha* where the kernel changes by its own size, with the two narrowest widths and without."""
    rows = []
    for name, data in _kept_experiments(folder, "width-laptop"):
        change = np.log(data["kernel_change"]).mean("seed").transpose("width", "root_h_alpha")
        width = change["width"].values
        amplitude = np.log(change["root_h_alpha"].values)
        # from lazy to feature, so that the kernel change increases
        crossing = np.array([np.interp(0.0, row[::-1], amplitude[::-1]) for row in change.values])
        alpha = np.exp(crossing) / np.sqrt(width)
        for least in (width[0], width[2]):
            wide = width >= least
            rows.append(_power_of_h(f"power of h in alpha*, h >= {int(least)}, {name}", width[wide], alpha[wide]))
    return rows


def adam(folder: Path) -> list[Measured]:
    """What Adam makes of the laws: powers of A up to 0.1, the kernel's change far beyond 1, errors at either end."""
    preset, rows = "adam-laptop", []
    for name, data in _kept_experiments(folder, preset):
        data = data.isel(width=0).where(data["status"].isel(width=0) == Status.CONVERGED)
        small = data.sel(root_h_alpha=data["root_h_alpha"] < 0.11)
        if small.sizes["root_h_alpha"] > 1:
            for quantity, label in (("kernel_change", "the kernel change"), ("steps", "the epochs until the stop")):
                rows.append(_mean(preset, f"power of A in {label}, A <= 0.1, {name}", _powers_of_a(small[quantity])))
            for a in (1e3, 1e5):
                change = data["kernel_change"].sel(root_h_alpha=a, method="nearest")
                rows.append(_mean(preset, f"kernel change at A = {a:g}, {name}", change.values))
        label, gap = _gap(data)
        rows.append(_mean(preset, f"{label}, {name}", gap.values))
    return rows


def regimes_over_width(folder: Path) -> list[Measured]:
    """Test errors in the feature regime less those in the lazy one, of equal initial weights, one width at a time."""
    preset, rows = "amplitude-hour", []
    for name, data in _kept_experiments(folder, preset):
        label, gap = _gap(data)
        for h in data["width"].values:
            rows.append(_mean(preset, f"{label}, h = {int(h)}, {name}", gap.sel(width=h).values))
        # a seed's networks of several widths are drawn independently
        doublings, gaps = (part.values.ravel() for part in xr.broadcast(np.log2(gap["width"]), gap))
        change = slope_between(doublings, gaps)
        assert change is not None
        rows.append(Measured(preset, f"its change where h doubles, {name}", change.value, *change.interval()))
    return rows


def regimes_over_draws(folder: Path) -> list[Measured]:
    """Test errors at the smallest A less those at the largest, of equal initial weights, over draws of the points.

    An experiment is named `<data set>-draw<number>`; intervals are over draws.
    """
    preset, rows = "regimes-1000", []
    draws: dict[str, list[xr.DataArray]] = {}
    for name, data in _kept_experiments(folder, preset):
        error = 100 * data["test_error"].where(data["status"] == Status.CONVERGED)
        gap = (error.isel(root_h_alpha=0) - error.isel(root_h_alpha=-1)).mean("seed")
        draws.setdefault(name.partition("-draw")[0], []).append(gap)
    for dataset, gaps in draws.items():
        of_draws = xr.concat(gaps, "draw")
        for h in of_draws["width"].values:
            label = f"error(A = 1e-4) - error(A = 1e4), per cent, h = {int(h)}, {dataset}"
            rows.append(_mean(preset, label, of_draws.sel(width=h).values))
        narrow, wide = of_draws.isel(width=0), of_draws.isel(width=-1)
        change = (wide - narrow) / np.log2(float(wide["width"] / narrow["width"]))
        rows.append(_mean(preset, f"its change where h doubles, {dataset}", change.values))
    return rows


def _at_the_papers_size(folder: Path) -> xr.Dataset:
    """Return the converged networks of the article's column with N = 10,000; ``output_rms`` is of F at the stop."""
    with xr.open_dataset(folder / "gpu-h200" / "fashion_mnist-fc.nc.gz") as data:
        data = data.isel(width=0).load()
    data["output_rms"] = np.sqrt((data["test_output"].astype(float) ** 2).mean("test_point"))
    return data.where(data["status"] == Status.CONVERGED)


def local_powers(folder: Path) -> list[Measured]:
    """The kernel's power between neighbouring amplitudes: of A, and of A/F, F the rms of the outputs at the stop."""
    data = _at_the_papers_size(folder)
    change, a = np.log(data["kernel_change"]), np.log(data["root_h_alpha"])
    f = np.log(data["output_rms"])
    rows = []
    for i in range(data.sizes["root_h_alpha"] - 1):
        low, high = data["root_h_alpha"].values[i : i + 2]
        if high > 1.01e1:
            break
        step, moved, grown = (v.isel(root_h_alpha=i + 1) - v.isel(root_h_alpha=i) for v in (a, change, f))
        where = f"{low:.2g} <= A <= {high:.2g}"
        rows += [
            _mean("gpu-h200", f"power of A, {where}", (moved / step).values),
            _mean("gpu-h200", f"power of A/F, {where}", (moved / (step - grown)).values),
        ]
    return rows


def regimes_at_the_papers_size(folder: Path) -> list[Measured]:
    """Test error of the feature regime, around the crossover, and of the lazy regime, and paired differences."""
    data = _at_the_papers_size(folder)
    error = 100 * data["test_error"]
    rows = [
        _mean("gpu-h200", f"test error at A = {a:g}, per cent", error.sel(root_h_alpha=a, method="nearest").values)
        for a in (1e-3, 1e-2, 1.0, 10**0.5, 1e2, 1e4)
    ]
    lazy = error.sel(root_h_alpha=1e4, method="nearest")
    rows += [
        _mean(
            "gpu-h200",
            f"error(A = {a:g}) - error(A = 1e+04), per cent, equal initial weights",
            (error.sel(root_h_alpha=a, method="nearest") - lazy).values,
        )
        for a in (1e-3, 1e-2)
    ]
    return rows


MEASURES: dict[str, Callable[[Path], Sequence[Measured]]] = {
    "crossover_of_wider": crossover_of_wider,
    "fluctuations_at": fluctuations_at,
    "infinite_width": infinite_width,
    "trajectories": trajectories,
    "linear_before_t1": linear_before_t1,
    "article_window": article_window,
    "adam": adam,
    "regimes_over_width": regimes_over_width,
    "regimes_over_draws": regimes_over_draws,
    "local_powers": local_powers,
    "regimes_at_the_papers_size": regimes_at_the_papers_size,
}
