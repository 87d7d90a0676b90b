"""Activations side by side: what theory predicts for each, and what was measured, one row an activation and depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.activation import Activation
from theory.model import Model
from theory.prediction import Form
from theory.scaling import Feature

#: heading -> claim, variable, regime; what is compared, in this order
COLUMNS: dict[str, tuple[str, str, str]] = {
    "kernel": ("kernel_change_feature", "root_h_alpha", "feature"),
    "weights": ("weight_change_feature", "root_h_alpha", "feature"),
    "alpha*": ("crossover", "width", "crossover"),
    "t1": ("linear_time", "root_h_alpha", "feature"),
    "t_half": ("half_time", "root_h_alpha", "feature"),
}


@dataclass(frozen=True)
class Row:
    """One activation at one depth."""

    activation: str
    depth: int
    degree: str  #: k
    total_degree: str  #: D
    cells: dict[str, Verdict]  #: heading -> verdict
    star: float | None  #: A* = sqrt(h)·alpha*, where the kernel changes by its own size, at the largest width

    @property
    def kernel(self) -> Verdict | None:
        """The verdict on the kernel's exponent."""
        return self.cells.get("kernel")


def comparison(verdicts: Sequence[Verdict], found: Sequence[Measurements]) -> list[Row]:
    """Return one row an activation and depth, in the order of the experiments; empty if there is one activation only.

    Where several experiments have the same activation and depth, the one that tells most of these laws stands.
    """
    rows: dict[tuple[str, int], Row] = {}
    for one in found:
        if one.activation is None or one.depth is None:
            continue
        own = {(v.claim, v.variable, v.regime): v for v in verdicts if v.experiment == one.name}
        cells = {heading: own[key] for heading, key in COLUMNS.items() if key in own}
        key = (one.activation, one.depth)
        if key in rows and _told(rows[key].cells) >= _told(cells):
            continue
        try:
            degree = Activation(one.activation).degree
            total = Feature(Model(one.depth, degree)).total_degree
        except InputError:
            continue
        rows[key] = Row(one.activation, one.depth, str(degree), str(total), cells, _star(cells.get("alpha*")))
    return list(rows.values()) if len({row.activation for row in rows.values()}) > 1 else []


def _told(cells: dict[str, Verdict]) -> int:
    return sum(v.estimate is not None for v in cells.values())


def _star(crossover: Verdict | None) -> float | None:
    if crossover is None or crossover.points is None or crossover.points.sizes["point"] == 0:
        return None
    width, alpha = crossover.points["width"].values, crossover.points["y"].values
    widest = int(np.argmax(width))
    return float(alpha[widest] * np.sqrt(width[widest]))


def expected_power(verdict: Verdict) -> str:
    """The predicted power in short: a number, a logarithm, or a dash where theory refuses."""
    if verdict.predicted is not None:
        return verdict.predicted.replace("-", "−")
    if verdict.form is Form.LOGARITHM:
        return "1, with log"
    if verdict.leading_exponent is not None:
        return f"{verdict.leading_exponent}, with logs".replace("-", "−")
    return "–"


def has_power(kernel: Verdict) -> bool:
    """Whether theory predicts a power of the kernel's change, be it with logarithms."""
    return kernel.predicted is not None or kernel.claimed


def tally(rows: Sequence[Row]) -> str:
    """Say in a sentence how far the predicted exponents of the kernel were met."""
    told = [row.kernel for row in rows if row.kernel is not None and row.kernel.predicted_value is not None]
    near = [v for v in told if v.estimate is not None and v.predicted_value is not None]
    if not near:
        return ""
    words = {word: sum(v.verdict == word for v in told) for word in ("consistent", "inconsistent", "inconclusive")}
    off = max(abs(v.estimate - v.predicted_value) for v in near)  # type: ignore[operator]
    listed = ", ".join(f"{count} {word}" for word, count in words.items() if count)
    return (
        f"{len({row.activation for row in rows})} activations; theory predicts the kernel's exponent for {len(told)} "
        f"pairs of activation and depth: {listed}. The largest difference between measured and predicted is {off:.3f}."
    )
