"""What to add to an experiment so that a law that is undecided in it will be decided.

An enlarged campaign holds the present networks too, so that its estimate X is theirs, x, moved by what is added; V is
the present variance, V' that of the enlarged campaign. Before any data the law holds with probability 1/2, its power
being exactly the predicted p, and else the power is anywhere within `ALTERNATIVE_RANGE` margins m of it. After them

    X ~ N(p + (x - p) V'/V, V' (1 - V'/V))  with weight proportional to exp(-(x - p)²/(2 V)) / sqrt(2 pi V),
    X ~ N(x, V - V')                        with weight proportional to 1/(2 ALTERNATIVE_RANGE m)

(predictive power: Spiegelhalter, Freedman, Blackburn, Controlled Clinical Trials 7 (1986) 8). A campaign is planned so
that the rule decides with probability `TARGET`, over that distribution and that of the variances, which are as
uncertain as their degrees of freedom say:

- powers of A, and whatever else has independent units: V' = V n/n', n' units (pairs of width and seed; widths, where
  slopes were seen to drift with the width);
- powers of h: V = sum_i (x_i - x)² (s_i²/n + tau²)/S², x = log h and S = sum (x_i - x)², with s_i the scatter of seeds
  at one width and tau the scatter of widths about the line. Seeds reduce the first part alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from fit.estimators.preliminary import FREEDOM_OF_TWO
from fit.findings.finding import MIN_SEEDS
from fit.findings.outcome import LEVEL
from fit.judge.verdict import Verdict

#: A planned campaign decides with this probability, as predicted: more than the four in five that are promised.
TARGET = 0.85
#: A power that is not the predicted one lies within so many margins of it.
ALTERNATIVE_RANGE = 5.0
#: Widths whose scatter is not seen have none with this probability.
NO_SCATTER_PROBABILITY = 0.7
#: Draws of the predictive distribution; the error of a probability of .85 is .011.
DRAWS = 1000
#: More of the same than this is no plan.
MOST_SEEDS, MOST_TIMES, MOST_WIDTHS, WIDEST = 2000, 100, 6, 4096
#: Seeds are planned in steps of a tenth.
STEP = 1.1
#: What a network of width h costs is as 1 + (h/this)²: narrow ones are mostly overhead.
COSTLY_WIDTH = 128.0

#: Variance of the estimate, and error and degrees of freedom that would be reported, for each draw of the variances
_Errors = tuple[NDArray, NDArray, NDArray]


@dataclass(frozen=True)
class Grid:
    """Widths and seeds of an experiment, and how many amplitudes it has."""

    widths: tuple[int, ...]
    seeds: int
    amplitudes: int

    @property
    def cost(self) -> float:
        """What all its networks cost, in those of width 0."""
        return self.seeds * self.amplitudes * sum(1 + (h / COSTLY_WIDTH) ** 2 for h in self.widths)


@dataclass(frozen=True)
class Addition:
    """A larger grid, and how probably a law is decided on it (None where nothing is known of its noise yet)."""

    seeds: int  #: at each width, in all
    widths: tuple[int, ...] = ()  #: further ones
    amplitudes: tuple[float, ...] = ()  #: further ones
    probability: float | None = None
    cost: float = 0.0  #: what is added, as `Grid.cost`


@dataclass(frozen=True)
class _UndecidedLaw:
    """The present estimate and how its error depends on the grid."""

    verdict: Verdict
    low: float  #: the law holds between these
    high: float
    level: float  #: at which "inconsistent" is tested
    errors: Callable[[tuple[int, ...], int, np.random.Generator], _Errors]  #: of (further widths, seeds)
    seeds_help: bool = True

    def probability(self, further: tuple[int, ...], seeds: int, grid: Grid) -> float:
        """Return the probability that the rule decides on a larger grid."""
        present_variance, _, _ = self.errors((), grid.seeds, np.random.default_rng(0))
        rng = np.random.default_rng(0)  # the same variances
        variance, error, dof = self.errors(further, seeds, rng)
        assert self.verdict.decided_by is not None
        value = self._values(present_variance, np.minimum(variance, present_variance), rng)
        inside = stdtrit(dof, 0.95) * error
        outside = stdtrit(dof, 1 - self.level / 2) * error
        consistent = (value - inside >= self.low) & (value + inside <= self.high)
        inconsistent = (value - outside > self.high) | (value + outside < self.low)
        return float(np.mean(consistent | inconsistent))

    def _values(self, present_variance: NDArray, variance: NDArray, rng: np.random.Generator) -> NDArray:
        """Return draws of the enlarged campaign's estimate; a contrast has no predicted value, but its sign."""
        assert self.verdict.decided_by is not None
        estimate = self.verdict.decided_by.value
        noise = rng.standard_normal(DRAWS)
        anywhere = estimate + np.sqrt(present_variance - variance) * noise
        if not math.isfinite(self.low):
            return anywhere
        predicted, margin = (self.low + self.high) / 2, (self.high - self.low) / 2
        part = variance / present_variance
        holds = predicted + (estimate - predicted) * part + np.sqrt(variance * (1 - part)) * noise
        squared_distance = (estimate - predicted) ** 2
        likelihood = np.exp(-squared_distance / (2 * present_variance)) / np.sqrt(2 * np.pi * present_variance)
        weight = likelihood / (likelihood + 1 / (2 * ALTERNATIVE_RANGE * margin))
        return np.where(rng.random(DRAWS) < weight, holds, anywhere)


def additions(verdict: Verdict, grid: Grid, tested: int, fewest_widths: int, most_widths: int) -> list[Addition]:
    """Return grids on which an undecided law is decided with probability `TARGET`, the cheapest first.

    Parameters
    ----------
    verdict : Verdict
        With an estimate, and a band in which the law holds.
    grid : Grid
        Of its experiment.
    tested : int
        How many laws are judged at once: "inconsistent" is tested at this part of 5 % (Bonferroni's, Holm's first).
    fewest_widths, most_widths : int
        How many further widths there have to be, and may be.

    Returns
    -------
    list of Addition
        More seeds, more widths, or both; empty where nothing feasible decides.
    """
    law = _undecided_law(verdict, tested)
    options = []
    if law.seeds_help and verdict.variable != "width":  # a width counts as its seeds do, and costs more
        most_widths = fewest_widths
    for count in range(fewest_widths, most_widths + 1):
        further = wider_than(grid.widths, count)
        if len(further) < count:
            break
        fewest = _fewest_seeds(law, grid, further)
        if fewest is not None:
            seeds, probability = fewest
            larger = Grid(grid.widths + further, seeds, grid.amplitudes)
            options.append(Addition(seeds, further, (), probability, larger.cost - grid.cost))
    return _undominated(sorted(options, key=lambda addition: addition.cost))


def _undominated(options: list[Addition]) -> list[Addition]:
    """Keep the cheapest, the cheapest without further widths, and the cheapest without further seeds."""
    if not options:
        return []
    seeds = min(addition.seeds for addition in options)
    chosen = [options[0], *(addition for addition in options if not addition.widths)]
    chosen += [addition for addition in options if addition.seeds == seeds][:1]
    return list(dict.fromkeys(chosen))


def _fewest_seeds(law: _UndecidedLaw, grid: Grid, further: tuple[int, ...]) -> tuple[int, float] | None:
    """Return the fewest seeds that decide with these further widths, and how probably."""
    present = [grid.seeds] if further else []
    for seeds in _seed_counts(grid.seeds, include_present=bool(further)) if law.seeds_help else present:
        probability = law.probability(further, seeds, grid)
        if probability >= TARGET:
            return seeds, probability
    return None


def _seed_counts(present: int, *, include_present: bool) -> Iterator[int]:
    seeds = max(present, MIN_SEEDS)
    if include_present or seeds > present:
        yield seeds
    while (seeds := max(seeds + 1, math.ceil(seeds * STEP))) <= min(MOST_SEEDS, MOST_TIMES * max(present, 1)):
        yield seeds


def wider_than(widths: Sequence[int], count: int) -> tuple[int, ...]:
    """Return so many further widths, at the ratio of the widest two; fewer where they would be too wide."""
    ratio = widths[-1] / widths[-2] if len(widths) > 1 else 2.0
    further = [round(widths[-1] * ratio**k) for k in range(1, count + 1)]
    return tuple(h for h in further if h <= max(WIDEST, widths[-1]))


def _undecided_law(verdict: Verdict, tested: int) -> _UndecidedLaw:
    estimate = verdict.decided_by
    assert estimate is not None
    assert verdict.band is not None
    low, high = verdict.band
    level = LEVEL / max(tested, 1)
    regression = _WidthRegression.of(verdict) if verdict.variable == "width" else None
    if regression is not None:
        return _UndecidedLaw(verdict, low, high, level, regression.errors)
    pairs = verdict.n_seeds * verdict.n_widths
    by_width = verdict.n_widths > 1 and math.isclose(estimate.dof, verdict.n_widths - 1) and estimate.dof < pairs - 1

    def errors(further: tuple[int, ...], seeds: int, rng: np.random.Generator) -> _Errors:
        more_widths = (verdict.n_widths + len(further)) / max(verdict.n_widths, 1)
        factor = more_widths if by_width else more_widths * seeds / max(verdict.n_seeds, 1)
        spread = estimate.dof / rng.chisquare(estimate.dof, DRAWS)
        variance = estimate.standard_error**2 * spread / factor
        two_widths = verdict.n_widths == 2 and not further and estimate.dof <= FREEDOM_OF_TWO  # however many seeds
        dof = estimate.dof if two_widths else max((estimate.dof + 1) * factor - 1, 1.0)
        measured = variance * rng.chisquare(dof, DRAWS) / dof
        return variance, np.sqrt(measured), np.full(DRAWS, dof)

    return _UndecidedLaw(verdict, low, high, level, errors, seeds_help=not by_width)


@dataclass(frozen=True)
class _WidthRegression:
    """A regression on log h: the scatter of seeds at each width, and of the widths about the line."""

    log_h: NDArray
    scatter: NDArray  #: log of the variance of one seed, at each width
    seeds: int
    residual: float  #: sum of squared residuals of the widths' means

    @classmethod
    def of(cls, verdict: Verdict) -> _WidthRegression | None:
        """Read it off the points of a figure; None where they do not show it."""
        if verdict.points is None or verdict.points.attrs.get("x") != "width" or verdict.n_seeds < 2:
            return None
        shown = verdict.points.isel(point=verdict.points["used"].values.astype(bool))
        x, y = np.log(shown["width"].values), np.log(shown["y"].values)
        half = np.log(shown["y_high"].values / shown["y_low"].values) / 2
        if len(x) < 3 or not (np.isfinite(half) & (half > 0)).all():
            return None
        error = half / stdtrit(verdict.n_seeds - 1, 0.975)
        slope, offset = np.polyfit(x, y, 1)
        residual = float(np.sum((y - offset - slope * x) ** 2))
        return cls(x, np.log(verdict.n_seeds * error**2), verdict.n_seeds, residual)

    def errors(self, further: tuple[int, ...], seeds: int, rng: np.random.Generator) -> _Errors:
        """See `_UndecidedLaw.errors`: the interval holds the scatter of the widths as soon as it is seen (F > 1)."""
        present_widths = len(self.log_h)
        x = np.concatenate([self.log_h, np.log(np.array(further, dtype=float))])
        # the scatter of seeds goes on as a power of h
        beyond = np.polyval(np.polyfit(self.log_h, self.scatter, 1), x[present_widths:])
        noise_of_means = np.exp(np.concatenate([self.scatter, beyond])) / seeds
        centred = x - x.mean()
        square = np.sum(centred**2)
        noise = np.sum(centred**2 * noise_of_means) / square**2
        between = self._variance_between(rng)
        variance = noise + between / square
        dof = len(x) - 2
        f = (1 + between / np.mean(noise_of_means)) * rng.chisquare(dof, DRAWS) / dof
        error = np.sqrt(noise * np.maximum(f, 1.0))
        return variance, error, np.where(f > 1, float(dof), len(x) * seeds - 2.0)

    def _variance_between(self, rng: np.random.Generator) -> NDArray:
        """Return draws of tau²: what the residuals are, on widths - 2 degrees of freedom, beyond the seeds' noise.

        Where they are no more than that noise, the widths are taken not to scatter, with probability
        `NO_SCATTER_PROBABILITY`.
        """
        centred = self.log_h - self.log_h.mean()
        leverage = 1 / len(centred) + centred**2 / np.sum(centred**2)
        dof = len(centred) - 2
        noise = np.sum((1 - leverage) * np.exp(self.scatter) / self.seeds) / dof
        between = np.maximum(self.residual / rng.chisquare(dof, DRAWS) - noise, 0.0)
        if self.residual > dof * noise:
            return between
        return np.where(rng.random(DRAWS) < NO_SCATTER_PROBABILITY, 0.0, between)
