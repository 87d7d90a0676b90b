"""How often the intervals of fit's estimators cover an exponent that is known, and what the rule says of it.

Every case draws synthetic measurements, sends them through exactly the functions that `fit.assess` uses, and counts
over independent replicas:

- coverage: share of 95 % intervals that contain the true exponent (goal 93-97 %; at least 93 % for heavy tails or
  fewer than 8 widths);
- inconsistent: share of replicas in which the true law is called inconsistent (goal at most 5 %);
- consistent: share in which it is called consistent;
- sees_0.1: share in which the point null of an exponent wrong by 0.1 is rejected at 5 %;
- accepts_0.1: share in which an exponent wrong by 0.1 is called consistent;
- half_width: median half-width of the 95 % interval.

Run ``python benchmarks/calibration.py``; the committed result is benchmarks/results/calibration.json.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fit.estimators.between import slope_between
from fit.estimators.censored import censored_slope
from fit.estimators.clusters import slope_within
from fit.estimators.collapse import collapse
from fit.estimators.corrected_power import corrected_power
from fit.estimators.crossed import crossed_mean
from fit.estimators.estimate import Estimate
from fit.estimators.jackknife import log_rms, log_standard_deviation
from fit.estimators.joint import joint
from fit.estimators.level_crossing import censoring, log_crossing
from fit.estimators.levels import mean_over_levels
from fit.estimators.offset_power import offset_power
from fit.estimators.segmented import segmented
from fit.estimators.selection import largest_shift_of_slope
from fit.estimators.smooth_crossover import smooth_crossover
from fit.findings.outcome import LEVEL
from fit.judge.decision import decide

Draw = Callable[[np.random.Generator], Estimate | None]
RESULT = Path(__file__).parent / "results" / "calibration.json"


@dataclass(frozen=True)
class Case:
    """A design, its true exponent, the margin of the claim it stands for, and how to draw one estimate of it."""

    name: str
    exponent: float
    margin: float
    draw: Draw


def widths(count: int, first: int = 32) -> NDArray:
    """Return ``count`` widths a factor of two apart."""
    return first * 2.0 ** np.arange(count)


def normal(rng: np.random.Generator, shape) -> NDArray:
    """Gaussian noise of unit variance."""
    return rng.standard_normal(shape)


def heavy(rng: np.random.Generator, shape) -> NDArray:
    """Student's t with three degrees of freedom, scaled to unit variance."""
    return rng.standard_t(3, shape) / np.sqrt(3)


def tailed(rng: np.random.Generator, shape) -> NDArray:
    """Student's t with five degrees of freedom, of unit variance: the fewest for which a variance has a variance."""
    return rng.standard_t(5, shape) / np.sqrt(5 / 3)


def amplitude_case(
    name: str,
    *,
    n_widths: int = 3,
    seeds: int = 10,
    noise=normal,
    failing: float = 0.0,
    correction: float | None = None,
    drift: float = 0.0,
    exponent: float = -1.5,
    margin: float = 0.08,
) -> Case:
    """Slopes in A: pairs (width, seed) with an offset and a tilt of size h^(-1/2) of their own, and noise per network.

    ``drift`` adds a tilt common to all seeds of a width, ``correction`` a term that the estimator fits along.
    """
    h = np.repeat(widths(n_widths, 64), seeds)
    log_a = np.log(10.0) * np.arange(-4, -1.9, 0.5)

    def draw(rng: np.random.Generator) -> Estimate | None:
        offset_and_tilt = noise(rng, (2, len(h))) / np.sqrt(h)
        common = np.repeat(drift * rng.standard_normal(n_widths), seeds)
        tilt = exponent + 0.1 * offset_and_tilt[1] + common
        log_y = offset_and_tilt[0][:, None] + tilt[:, None] * log_a + 0.01 * noise(rng, (len(h), len(log_a)))
        if correction is not None:
            log_y += np.log1p(-0.4 * np.exp(correction * log_a))
        log_y[rng.random(log_y.shape) < failing] = np.nan
        return slope_within(np.broadcast_to(log_a, log_y.shape), log_y, h, correction)

    return Case(name, exponent, margin, draw)


def width_case(
    name: str,
    *,
    n_widths: int = 5,
    seeds: int = 10,
    noise=normal,
    failing: float = 0.0,
    scatter: float = 0.0,
    offset: float = 0.0,
    first: int = 32,
    margin: float = 0.1,
) -> Case:
    """One value per (width, seed), noise ~ h^(-1/2); ``scatter`` is common to a width, ``offset`` a correction 1/h."""
    h = widths(n_widths, first)

    def draw(rng: np.random.Generator) -> Estimate | None:
        values = 1.5 * noise(rng, (n_widths, seeds)) / np.sqrt(h)[:, None]
        values += (-0.5 * np.log(h) + np.log1p(offset / h) + scatter * rng.standard_normal(n_widths))[:, None]
        values[rng.random(values.shape) < failing] = np.nan
        return slope_between(np.repeat(np.log(h), seeds), values.ravel())

    return Case(name, -0.5, margin, draw)


@dataclass(frozen=True)
class Shifted(Estimate):
    """An estimate that lost values may have moved by ``shift`` to either side: all intervals are wider by as much."""

    shift: float = 0.0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        low, high = super().interval(level)
        return low - self.shift, high + self.shift

    def p_value_within(self, value: float, margin: float) -> float:
        return super().p_value_within(value, margin + self.shift)


def lost_case(
    name: str, *, n_widths: int, seeds: int, lost: float, narrow: int = 2, fluctuations: bool = False, bounds: bool
) -> Case:
    """Values of which the ``narrow`` narrowest widths lose the largest fraction ``lost``; delta F: the most deviant.

    ``bounds``: with the largest shift that this can cause (`fit.estimators.selection`), as the rule takes it.
    """
    h = widths(n_widths)
    log_h = np.repeat(np.log(h), seeds)
    count = round(lost * seeds)

    def draw(rng: np.random.Generator) -> Estimate | None:
        if fluctuations:
            output = rng.standard_normal((n_widths, seeds, 5)) / np.sqrt(h)[:, None, None]
            size = ((output - output.mean(axis=1, keepdims=True)) ** 2).mean(axis=-1)
        else:
            size = (-0.5 * np.log(h))[:, None] + 1.5 * rng.standard_normal((n_widths, seeds)) / np.sqrt(h)[:, None]
        lost_ones = np.zeros(size.shape, dtype=bool)
        largest = np.argsort(size[:narrow], axis=1)[:, seeds - count :]
        np.put_along_axis(lost_ones[:narrow], largest, True, axis=1)
        if fluctuations:  # the mean over seeds is that of the networks that are left
            mean = np.where(lost_ones[..., None], 0.0, output).sum(axis=1, keepdims=True)
            left = output - mean / (seeds - lost_ones.sum(axis=1))[:, None, None]
            values = log_standard_deviation(np.where(lost_ones, np.nan, (left**2).mean(axis=-1)))
        else:
            values = np.where(lost_ones, np.nan, size)
        estimate = slope_between(log_h, values.ravel())
        if estimate is None or not bounds:
            return estimate
        shift = largest_shift_of_slope(log_h, values.ravel(), lost_ones.ravel())
        fields = {field.name: getattr(estimate, field.name) for field in dataclasses.fields(Estimate)}
        return Shifted(**fields, shift=shift)

    return Case(name, -0.5, 0.1, draw)


def crossed_case(name: str, *, draws: int, seeds: int, sizes: tuple[float, float, float]) -> Case:
    """A mean over draws of the training points and initial weights; ``sizes``: s.d. of draws, weights, residual."""

    def draw(rng: np.random.Generator) -> Estimate | None:
        values = sizes[0] * rng.standard_normal((draws, 1)) + sizes[1] * rng.standard_normal((1, seeds))
        result = crossed_mean(values + sizes[2] * rng.standard_normal((draws, seeds)))
        return None if result is None else result[0]

    return Case(name, 0.0, 0.1, draw)


def level_case(
    name: str, *, n_widths: int, seeds: int, draws: int = 1, noise=normal, between: float = 0.2, failing: float = 0.0
) -> Case:
    """A difference of test errors averaged over widths that are the same in every campaign, ``between`` apart.

    Several ``draws`` of the training points have a part of their own, a common one of the initial weights, and a rest.
    """
    h = np.repeat(widths(n_widths), seeds)
    levels = np.linspace(-between, between, n_widths).repeat(seeds)

    def draw(rng: np.random.Generator) -> Estimate | None:
        values = levels + noise(rng, (draws, len(h))) / np.sqrt(h)
        if draws > 1:
            values += 0.1 * rng.standard_normal((draws, 1)) + noise(rng, len(h)) / np.sqrt(h)
        values[rng.random(values.shape) < failing] = np.nan
        if draws == 1:
            return mean_over_levels(values[0], h)
        result = crossed_mean(values, h)
        return None if result is None else result[0]

    return Case(name, 0.0, 0.1, draw)


def fluctuation_case(name: str, *, n_widths: int = 5, seeds: int = 10, modes: int = 5, noise=normal) -> Case:
    """delta F of predictors that differ between seeds by ``modes`` independent directions of equal strength."""
    h = widths(n_widths)

    def draw(rng: np.random.Generator) -> Estimate | None:
        output = noise(rng, (n_widths, seeds, modes)) / np.sqrt(h)[:, None, None]
        deviations = ((output - output.mean(axis=1, keepdims=True)) ** 2).mean(axis=-1)
        return slope_between(np.repeat(np.log(h), seeds), log_standard_deviation(deviations).ravel())

    return Case(name, -0.5, 0.1, draw)


def rms_case(name: str, *, n_widths: int = 5, seeds: int = 10) -> Case:
    """The lazy kernel change of a smooth activation: a random sign's first-order term beside a coherent remainder."""
    h = widths(n_widths)

    def draw(rng: np.random.Generator) -> Estimate | None:
        values = (rng.standard_normal((n_widths, seeds)) ** 2 + 1) / h[:, None]
        return slope_between(np.repeat(np.log(h), seeds), log_rms(values).ravel())

    return Case(name, -0.5, 0.1, draw)


def crossover_case(name: str, *, n_widths: int = 5, seeds: int = 10, noise=normal) -> Case:
    """alpha* from curves on half-decades that bend from slope -1.5 to -2 about A = 6, as measured for L = 3."""
    h = widths(n_widths)
    log_a = np.log(10.0) * np.arange(-2, 3.1, 0.5)

    def draw(rng: np.random.Generator) -> Estimate | None:
        shift = 1.6 * noise(rng, (n_widths, seeds)) / np.sqrt(h)[:, None]  # 0.2 at h = 64
        x = (log_a[:, None, None] - np.log(6.0)) - shift
        curves = -np.logaddexp(1.5 * x, 2 * x) + np.log(2) + 0.01 * noise(rng, x.shape)
        crossing = log_crossing(log_a, curves.reshape(len(log_a), -1))
        log_h = np.repeat(np.log(h), seeds)
        return slope_between(log_h, crossing - 0.5 * log_h)

    return Case(name, -0.5, 0.1, draw)


def censored_case(name: str, *, n_widths: int = 5, seeds: int = 10, last: float = 6.0, noise=normal) -> Case:
    """alpha* where the grid ends at A = ``last``: curves that have not passed 1 by then enter a censored likelihood."""
    h = widths(n_widths)
    log_a = np.log(np.append(10.0 ** np.arange(-2, 0.6, 0.5), last))

    def draw(rng: np.random.Generator) -> Estimate | None:
        shift = 1.6 * noise(rng, (n_widths, seeds)) / np.sqrt(h)[:, None]
        x = (log_a[:, None, None] - np.log(6.0)) - shift
        curves = -np.logaddexp(1.5 * x, 2 * x) + np.log(2) + 0.01 * noise(rng, x.shape)
        crossing, side = censoring(log_a, curves.reshape(len(log_a), -1))
        log_h = np.repeat(np.log(h), seeds)
        return censored_slope(log_h, crossing - 0.5 * log_h, side)

    return Case(name, -0.5, 0.1, draw)


def model_case(
    name: str,
    parameter: str,
    truth: float,
    curve: Callable[[NDArray], NDArray],
    fit: Callable[[NDArray, NDArray, NDArray], Mapping[str, Estimate]],
    *,
    decades: tuple[float, float] = (-4, 4),
    n_widths: int = 5,
    seeds: int = 10,
    noise=normal,
    failing: float = 0.0,
    margin: float = 0.08,
) -> Case:
    """A parameter of a law with several: clusters as in `amplitude_case`, about any curve log y of log x."""
    h = np.repeat(widths(n_widths, 64), seeds)
    log_a = np.log(10.0) * np.arange(decades[0], decades[1] + 0.1, 0.5)

    def draw(rng: np.random.Generator) -> Estimate | None:
        offset_and_tilt = noise(rng, (2, len(h))) / np.sqrt(h)
        log_y = curve(log_a) + offset_and_tilt[0][:, None] + 0.1 * offset_and_tilt[1][:, None] * log_a
        log_y = log_y + 0.01 * noise(rng, (len(h), len(log_a)))
        converged = rng.random(log_y.shape) >= failing
        cluster = np.broadcast_to(np.arange(len(h))[:, None], log_y.shape)[converged]
        return fit(np.exp(np.broadcast_to(log_a, log_y.shape)[converged]), np.exp(log_y[converged]), cluster)[parameter]

    return Case(name, truth, margin, draw)


def robust_case(name: str, *, n_widths: int = 5, seeds: int = 10, noise=normal, within: bool) -> Case:
    """Huber's M-estimate of a slope, within clusters or between widths."""
    h = np.repeat(widths(n_widths, 64), seeds)
    log_a = np.log(10.0) * np.arange(-4, -1.9, 0.5)

    def draw(rng: np.random.Generator) -> Estimate | None:
        offset_and_tilt = noise(rng, (2, len(h))) / np.sqrt(h)
        if not within:
            return slope_between(np.log(h), -0.5 * np.log(h) + 1.5 * offset_and_tilt[0], robust=True)
        log_y = (
            offset_and_tilt[0][:, None]
            + (0.1 * offset_and_tilt[1][:, None] - 0.5) * log_a
            + 0.01 * noise(rng, (len(h), len(log_a)))
        )
        return slope_within(np.broadcast_to(log_a, log_y.shape), log_y, h, robust=True)

    return Case(name, -0.5, 0.1, draw)


def joint_case(name: str, *, n_widths: int = 5, seeds: int = 10, noise=normal) -> Case:
    """The nu of y = (alpha·h^nu)^p."""
    h = np.repeat(widths(n_widths, 64), seeds)[:, None]
    log_a = np.log(10.0) * np.arange(-4, -1.9, 0.5)

    def draw(rng: np.random.Generator) -> Estimate | None:
        offset_and_tilt = noise(rng, (2, *h.shape)) / np.sqrt(h)
        log_y = offset_and_tilt[0] - (1.5 + 0.1 * offset_and_tilt[1]) * log_a
        parts = np.exp(log_a) / np.sqrt(h), h, np.exp(log_y), np.arange(len(h))[:, None]
        alpha, width, y, cluster = (np.broadcast_to(part, log_y.shape).ravel() for part in parts)
        return joint(alpha, width, y, cluster)["nu"]

    return Case(name, 0.5, 0.1, draw)


def second_order_case(name: str, *, n_widths: int = 5, seeds: int = 10, second_order: float = 10.0) -> Case:
    """A power of h with the factor 1 + s/h, fitted along: what a single power leaves out (`width_case`, offset)."""
    h = np.repeat(widths(n_widths), seeds)

    def draw(rng: np.random.Generator) -> Estimate | None:
        log_y = -0.5 * np.log(h) + np.log1p(second_order / h) + 1.5 * rng.standard_normal(len(h)) / np.sqrt(h)
        return corrected_power(h, np.exp(log_y), np.arange(len(h)), correction_exponent=-1.0)["exponent"]

    return Case(name, -0.5, 0.1, draw)


def collapse_case(name: str, *, n_widths: int = 3, seeds: int = 10, noise=normal) -> Case:
    """The nu of a collapse of curves that bend from A^(-3/2) to A^(-2)."""
    h = widths(n_widths, 64)[:, None, None]
    log_a = np.log(10.0) * np.arange(-3, 3.1, 1.0)[None, None, :]

    def draw(rng: np.random.Generator) -> Estimate | None:
        offset_and_tilt = noise(rng, (2, n_widths, seeds, 1)) / np.sqrt(h)
        log_y = (
            -1.5 * log_a
            - 0.5 * np.logaddexp(0, log_a - 1)
            + 1.5 * offset_and_tilt[0]
            + 0.1 * offset_and_tilt[1] * log_a
        )
        parts = np.exp(log_a) / np.sqrt(h), h, np.exp(log_y), np.arange(seeds)[None, :, None]
        alpha, size, y, seed = (np.broadcast_to(part, log_y.shape).ravel() for part in parts)
        return collapse(alpha, size, y, seed, replicas=40, seed=int(rng.integers(2**31))).nu

    return Case(name, 0.5, 0.1, draw)


def excess_case(name: str, *, n_widths: int, seeds: int = 40, second_order: float = 0.0) -> Case:
    """The power of the excess test error over its limit, which is fitted along; ``second_order``: a factor 1 + s/h."""
    h = np.repeat(widths(n_widths), seeds)

    def draw(rng: np.random.Generator) -> Estimate | None:
        error = 0.05 + 3.2 / h * (1 + second_order / h) + 0.16 * rng.standard_normal(len(h)) / h
        return offset_power(h, error, np.arange(len(h)))["exponent"]

    return Case(name, -1.0, 0.25, draw)


def _bent(log_a: NDArray) -> NDArray:
    """Slope -1.5 goes over into -2 at A = 6."""
    v = log_a - np.log(6.0)
    return -1.5 * v - 0.5 * (np.logaddexp(0, v) - np.log(2.0))


def _broken(log_a: NDArray) -> NDArray:
    v = log_a - 0.3
    return np.where(v < 0, -1.5 * v, -2 * v)


MODEL_CASES = (
    model_case("smooth crossover: low power", "low_exponent", -1.5, _bent, smooth_crossover),
    model_case(
        "smooth crossover: high power, heavy tails", "high_exponent", -2.0, _bent, smooth_crossover, noise=heavy
    ),
    model_case(
        "smooth crossover: log x*, 10 % failed", "log_crossover", np.log(6.0), _bent, smooth_crossover, failing=0.1
    ),
    model_case(
        "smooth crossover, sharpness free: low power",
        "low_exponent",
        -1.5,
        _bent,
        functools.partial(smooth_crossover, sharpness=None),
    ),
    model_case("segmented: low power", "low_exponent", -1.5, _broken, segmented),
    model_case("segmented: log breakpoint, heavy tails", "log_breakpoint", 0.3, _broken, segmented, noise=heavy),
    model_case(
        "correction A^(1/4), power fixed, 5 widths",
        "exponent",
        -0.25,
        lambda u: -0.25 * u + np.log1p(-0.4 * np.exp(0.25 * u)),
        functools.partial(corrected_power, correction_exponent=0.25),
        decades=(-4, -1),
    ),
    model_case(
        "correction A^(1/2), power free",
        "exponent",
        -1.5,
        lambda u: -1.5 * u + np.log1p(2 * np.exp(0.5 * u)),
        corrected_power,
        decades=(-4, 0.5),
    ),
    model_case(
        "offset: power",
        "exponent",
        -1.0,
        lambda u: np.log(np.exp(-u) + 0.05),
        offset_power,
        decades=(-1, 2),
    ),
    model_case(
        "offset: power, heavy tails, 10 % failed",
        "exponent",
        -1.0,
        lambda u: np.log(np.exp(-u) + 0.05),
        offset_power,
        decades=(-1, 2),
        noise=heavy,
        failing=0.1,
    ),
    joint_case("alpha·h^nu: 5 widths x 10 seeds"),
    joint_case("alpha·h^nu: 7 widths x 10 seeds, heavy tails", n_widths=7, noise=heavy),
    robust_case("Huber, A: 5 widths x 10 seeds", within=True),
    robust_case("Huber, A: 5 widths x 10 seeds, heavy tails", within=True, noise=heavy),
    robust_case("Huber, h: 5 widths x 10 seeds", within=False),
    robust_case("Huber, h: 5 widths x 10 seeds, heavy tails", within=False, noise=heavy),
    collapse_case("collapse: 3 widths x 10 seeds"),
    collapse_case("collapse: 5 widths x 10 seeds, heavy tails", n_widths=5, noise=heavy),
    excess_case("excess error: 5 widths x 40 seeds", n_widths=5),
    excess_case("excess error: 9 widths x 40 seeds", n_widths=9),
    second_order_case("h: 9 widths x 10 seeds, 1 + 10/h, fitted along", n_widths=9),
    excess_case("excess error: 5 widths x 40 seeds, second order 1 + 10/h", n_widths=5, second_order=10.0),
)

CASES = (
    amplitude_case("A: 3 widths x 10 seeds"),
    amplitude_case("A: 5 widths x 10 seeds, heavy tails", n_widths=5, noise=heavy),
    amplitude_case("A: 5 widths x 10 seeds, 10 % failed", n_widths=5, failing=0.1),
    amplitude_case("A: 5 widths x 10 seeds, slopes drift by 0.02", n_widths=5, drift=0.02),
    amplitude_case("A: 5 widths x 10 seeds, slopes drift by 0.002", n_widths=5, drift=0.002),
    amplitude_case("A: 3 widths x 10 seeds, correction A^(1/4)", correction=0.25, exponent=-0.25, margin=0.05),
    width_case("h: 5 widths x 10 seeds"),
    width_case("h: 5 widths x 20 seeds", seeds=20),
    width_case("h: 9 widths x 10 seeds", n_widths=9),
    width_case("h: 5 widths x 10 seeds, heavy tails", noise=heavy),
    width_case("h: 7 widths x 10 seeds, 10 % failed", n_widths=7, failing=0.1),
    width_case("h: 5 widths x 10 seeds, offset 1 + 1/h", offset=1.0),
    width_case("h: 7 widths x 10 seeds, widths scatter by 0.05", n_widths=7, scatter=0.05),
    width_case("h: 5 widths, one value each", seeds=1),
    fluctuation_case("delta F: 5 widths x 10 seeds"),
    fluctuation_case("delta F: 5 widths x 30 seeds", seeds=30),
    fluctuation_case("delta F: 9 widths x 10 seeds", n_widths=9),
    fluctuation_case("delta F: 5 widths x 20 seeds, heavy tails", seeds=20, noise=tailed),
    fluctuation_case("delta F: 5 widths x 50 seeds, one mode", seeds=50, modes=1),
    rms_case("lazy rms: 5 widths x 20 seeds", seeds=20),
    crossover_case("alpha*: 3 widths x 10 seeds", n_widths=3),
    crossover_case("alpha*: 5 widths x 10 seeds"),
    crossover_case("alpha*: 5 widths x 20 seeds", seeds=20),
    crossover_case("alpha*: 5 widths x 10 seeds, heavy tails", noise=heavy),
    censored_case("alpha*: 5 widths x 10 seeds, half beyond the grid"),
    censored_case("alpha*: 5 widths x 20 seeds, a quarter beyond the grid", seeds=20, last=6.5),
    censored_case("alpha*: 5 widths x 20 seeds, a quarter beyond, heavy tails", seeds=20, last=6.5, noise=tailed),
)


CASES += (
    amplitude_case("A: 3 widths x 10 seeds, slopes drift by 0.01", drift=0.01),
    amplitude_case("A: 7 widths x 10 seeds, slopes drift by 0.01", n_widths=7, drift=0.01),
    width_case("h: 4 widths x 10 seeds", n_widths=4),
    width_case("h: 4 widths x 10 seeds, widths scatter by 0.05", n_widths=4, scatter=0.05),
    width_case("h: 5 widths x 10 seeds, widths scatter by 0.05", scatter=0.05),
    width_case("h: 5 widths x 10 seeds, widths scatter by 0.2", scatter=0.2),
    width_case("h: 5 widths x 10 seeds, offset 1 + 10/h", offset=10.0),
    width_case("h: 5 widths x 10 seeds from h = 256, offset 1 + 10/h", offset=10.0, first=256),
    lost_case("h: 5 x 20, narrow ones lose the largest fifth: interval", n_widths=5, seeds=20, lost=0.2, bounds=False),
    lost_case("h: 5 x 20, narrow ones lose the largest fifth: bounds", n_widths=5, seeds=20, lost=0.2, bounds=True),
    lost_case(
        "delta F: 7 x 40, narrow ones lose the most deviant fifth: interval",
        n_widths=7,
        seeds=40,
        lost=0.2,
        fluctuations=True,
        bounds=False,
    ),
    lost_case(
        "delta F: 7 x 40, narrow ones lose the most deviant fifth: bounds",
        n_widths=7,
        seeds=40,
        lost=0.2,
        fluctuations=True,
        bounds=True,
    ),
    crossed_case("draws x seeds: 3 x 8, equal parts", draws=3, seeds=8, sizes=(0.1, 0.1, 0.1)),
    crossed_case("draws x seeds: 3 x 8, draws most", draws=3, seeds=8, sizes=(0.2, 0.05, 0.05)),
    crossed_case("draws x seeds: 3 x 20, initial weights most", draws=3, seeds=20, sizes=(0.05, 0.2, 0.05)),
    crossed_case("draws x seeds: 5 x 10, residual most", draws=5, seeds=10, sizes=(0.05, 0.05, 0.1)),
    crossed_case("draws x seeds: 10 x 10, equal parts", draws=10, seeds=10, sizes=(0.1, 0.1, 0.1)),
)

CASES += (
    amplitude_case("A: 2 widths x 5 seeds", n_widths=2, seeds=5),
    amplitude_case("A: 2 widths x 5 seeds, slopes drift by 0.01", n_widths=2, seeds=5, drift=0.01),
    level_case("fixed widths: 2 x 5 seeds", n_widths=2, seeds=5),
    level_case("fixed widths: 4 x 10 seeds, heavy tails, 10 % failed", n_widths=4, seeds=10, noise=heavy, failing=0.1),
    level_case("fixed widths x draws: 3 x 2 widths x 5 seeds", n_widths=2, seeds=5, draws=3),
)

CASES += MODEL_CASES


def study(case: Case, replicas: int, seed: int) -> dict[str, float | int | str]:
    """Return the counts of one case."""
    rng = np.random.default_rng([seed, *case.name.encode()])
    estimates = [estimate for _ in range(replicas) if (estimate := case.draw(rng)) is not None]
    low, high = np.array([estimate.interval(0.95) for estimate in estimates]).T
    wrong = case.exponent + 0.1

    def share(flags) -> float:
        return round(float(np.mean(list(flags))), 4)

    def outcome(estimate: Estimate, exponent: float) -> str:
        excluded = estimate.p_value_within(exponent, case.margin) < LEVEL  # Holm's correction of one claim is none
        return decide(estimate, exponent, case.margin, excluded, "p")[0]

    outcomes = [outcome(estimate, case.exponent) for estimate in estimates]
    return {
        "case": case.name,
        "exponent": case.exponent,
        "margin": case.margin,
        "replicas": len(estimates),
        "coverage": share((low <= case.exponent) & (case.exponent <= high)),
        "inconsistent": share(outcome == "inconsistent" for outcome in outcomes),
        "consistent": share(outcome == "consistent" for outcome in outcomes),
        "sees_0.1": share(estimate.p_value(wrong) < 0.05 for estimate in estimates),
        "accepts_0.1": share(outcome(estimate, wrong) == "consistent" for estimate in estimates),
        "bias": round(float(np.mean([estimate.value for estimate in estimates]) - case.exponent), 4),
        "half_width": round(float(np.median(high - low) / 2), 4),
    }


def main(replicas: int = 2000, seed: int = 0, out: Path = RESULT, resume: bool = False) -> None:
    """Run the study, print the table, write the JSON; ``resume`` keeps the cases that are in it already."""
    started = time.perf_counter()
    known: dict[str, dict] = {}
    if resume and out.exists():
        known = {row["case"]: row for row in json.loads(out.read_text())["cases"]}
    rows = []
    for case in CASES:
        rows.append(known[case.name] if case.name in known else study(case, replicas, seed))
        if case.name not in known:
            _write(out, replicas, seed, rows)
            print(rows[-1], flush=True)
    columns = ("coverage", "inconsistent", "consistent", "sees_0.1", "accepts_0.1", "bias", "half_width")
    table = Table("case", *columns, title=f"{replicas} replicas")
    for row in rows:
        table.add_row(str(row["case"]), *(f"{row[column]:.3f}" for column in columns))
    console = Console(width=140)
    console.print(table)
    console.print(f"{time.perf_counter() - started:.0f} s")
    _write(out, replicas, seed, rows)


def _write(out: Path, replicas: int, seed: int, rows: list[dict]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(
        json.dumps({"schema_version": 1, "replicas": replicas, "seed": seed, "cases": rows}, indent=1) + "\n"
    )


if __name__ == "__main__":
    typer.run(main)
