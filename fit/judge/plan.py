"""What would decide each law that is undecided: additions to its experiment, or why no addition does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fit.findings.finding import MIN_AMPLITUDES
from fit.findings.window import EDGE, window
from fit.judge.additions import MOST_WIDTHS, Addition, Grid, additions, wider_than
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from lazyrich.wording import counted
from theory.prediction import Prediction

#: Amplitudes that are proposed lie on this part of a decade, between these.
PER_DECADE = 4
LOWEST, HIGHEST = 1e-5, 1e5


@dataclass(frozen=True)
class LawPlan:
    """An undecided law: what would decide it, the cheapest first, or why nothing does."""

    verdict: Verdict
    options: tuple[Addition, ...] = ()
    impossible_because: str | None = None  #: why no addition decides it: a clause

    @property
    def cost(self) -> float:
        """Of the cheapest option; infinite where there is none."""
        return self.options[0].cost if self.options else math.inf


def plan(
    verdicts: Sequence[Verdict],
    experiments: Sequence[Measurements],
    predictions: Mapping[str, Sequence[Prediction]],
) -> list[LawPlan]:
    """Return a plan for each undecided verdict about one experiment, in the order of the verdicts.

    Parameters
    ----------
    verdicts : sequence of Verdict
        All of them: those that are decided count where laws are judged at once.
    experiments : sequence of Measurements
    predictions : mapping from experiment name to sequence of Prediction
        What each was asked.
    """
    by_name = {experiment.name: experiment for experiment in experiments}
    tested = sum(v.decided_by is not None for v in verdicts)
    plans = []
    for v in verdicts:
        if v.verdict != "inconclusive" or v.without_prediction or v.by_construction:
            continue
        if v.experiment not in by_name:
            reason = (
                "several experiments decide it: add draws of the training points (data_seed) or depths as experiments"
            )
            plans.append(LawPlan(v, impossible_because=reason))
            continue
        law = _law_of(v, predictions[v.experiment])
        plans.append(_plan_of(v, by_name[v.experiment], law, tested))
    return plans


def _law_of(verdict: Verdict, laws: Sequence[Prediction]) -> Prediction:
    """Return the prediction that a verdict is on."""
    named = (verdict.claim, verdict.variable, verdict.regime, verdict.expected)
    return next(p for p in laws if (p.claim, p.variable, p.regime.label, p.expected) == named)


def _plan_of(verdict: Verdict, experiment: Measurements, law: Prediction, tested: int) -> LawPlan:
    now = grid_of(experiment)
    least = _least(verdict, experiment, law)
    if isinstance(least, str):
        return LawPlan(verdict, impossible_because=least)
    if least is None and verdict.withheld is not None:
        return LawPlan(verdict, impossible_because=verdict.withheld)
    estimate = verdict.decided_by
    options = []
    if estimate is not None and estimate.standard_error > 0 and verdict.n_seeds and not (least and least.amplitudes):
        wider = _goes_on(experiment, law, now)
        further = len(least.widths) if least is not None else 0
        options = additions(verdict, now, tested, further, MOST_WIDTHS if wider else further)
    if options:
        return LawPlan(verdict, tuple(options))
    if least is not None:
        return LawPlan(verdict, (least,))
    if estimate is None:
        reason = "it is decided by a shape or by several experiments, for which no numbers are planned"
        return LawPlan(verdict, impossible_because=reason)
    return LawPlan(verdict, impossible_because=_too_near(verdict))


def grid_of(experiment: Measurements) -> Grid:
    """Return the size of an experiment's grid."""
    widths = tuple(round(h) for h in experiment.widths.tolist())
    return Grid(widths, experiment.n_seeds, experiment.root_h_alpha.sizes["amplitude"])


def _least(verdict: Verdict, experiment: Measurements, law: Prediction) -> Addition | str | None:
    """Return what is lacking for any verdict, None where nothing is, or why an addition would not help."""
    minimum, now = verdict.minimum, grid_of(experiment)
    if minimum is None:
        return None
    amplitudes: tuple[float, ...] | str = minimum.root_h_alpha
    if _amplitudes_in_window(experiment, law) < minimum.amplitudes:
        amplitudes = _further_amplitudes(experiment, law, minimum.amplitudes)
    if isinstance(amplitudes, str):
        return amplitudes
    widths = wider_than(now.widths, max(minimum.widths - len(now.widths), 0))
    # some networks do not fit: as many more in proportion
    share = verdict.n_seeds / now.seeds if verdict.n_seeds else 1.0
    seeds = max(math.ceil(minimum.seeds / share), now.seeds)
    if seeds == now.seeds and not widths and not amplitudes:
        return None
    larger = Grid(now.widths + widths, seeds, now.amplitudes + len(amplitudes))
    return Addition(seeds, widths, amplitudes, None, larger.cost - now.cost)


def _further_amplitudes(experiment: Measurements, law: Prediction, needed: int) -> tuple[float, ...] | str:
    """Return amplitudes that the window lacks, or why it can't hold them."""
    low, high = law.regime.bounds(float(experiment.widths.max()))
    present = _amplitudes_in_window(experiment, law)
    if low > high:
        return f"no amplitude lies in the {law.regime.name} regime at these widths: it needs wider networks"
    if not experiment.on_common_amplitudes:
        return f"the window holds {counted(present, 'amplitude')} of {needed}, and its campaign is laid out in α"
    known = experiment.root_h_alpha.values[0]
    steps = np.arange(round(math.log10(LOWEST) * PER_DECADE), round(math.log10(HIGHEST) * PER_DECADE) + 1)
    grid = 10.0 ** (steps / PER_DECADE)
    inside = grid[(grid >= low * (1 - EDGE)) & (grid <= high * (1 + EDGE))]
    free = [a for a in inside if np.min(np.abs(np.log(known / a))) > math.log(10) / (2 * PER_DECADE)]
    # from the edge that is nearest to the crossover: half a decade apart where there is room
    ordered = sorted(free, key=lambda a: abs(math.log(a)))
    chosen = (ordered[::2] + ordered[1::2])[: needed - present]
    if len(chosen) < needed - present:
        return f"the window holds {counted(present, 'amplitude')} of {needed}, and has no room for more"
    return tuple(sorted(float(a) for a in chosen))


def _amplitudes_in_window(experiment: Measurements, law: Prediction) -> int:
    return int(window(experiment, law).all("width").sum())


def _goes_on(experiment: Measurements, law: Prediction, now: Grid) -> bool:
    """Whether the window keeps the amplitudes that it has where the widest network is four times as wide."""
    amplitudes = experiment.root_h_alpha.values[0]

    def inside(width: float) -> int:
        low, high = law.regime.bounds(width)
        return int(np.sum((amplitudes >= low * (1 - EDGE)) & (amplitudes <= high * (1 + EDGE))))

    if not experiment.on_common_amplitudes:
        return False
    return inside(4.0 * now.widths[-1]) >= min(inside(now.widths[-1]), MIN_AMPLITUDES)


def _too_near(verdict: Verdict) -> str:
    estimate, band = verdict.decided_by, verdict.band
    assert estimate is not None
    assert band is not None
    edge = min(band, key=lambda end: abs(estimate.value - end))
    return (
        f"its estimate is too uncertain, or too near an edge of the margin ({estimate.value:.3f} ± "
        f"{estimate.standard_error:.3f}, edge {edge:.3f}), for any feasible number of seeds or widths"
    )
