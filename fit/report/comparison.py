"""Activations side by side: what theory predicts for each, and what was measured, one row an activation and depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fit.judge.in_words import predicted_text
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.report.outcomes import LABELS, label_of
from lazyrich.errors import InputError
from theory.activation import Activation
from theory.model import Model
from theory.prediction import Form
from theory.scaling import Feature

KERNEL, CROSSOVER = "kernel", "alpha*"  #: `Verdict.column` of what this table has a use of its own for


@dataclass(frozen=True)
class Column:
    """A column of the table: the power of one variable."""

    key: str  #: `Verdict.column`
    heading: str
    variable: str


COLUMNS = (
    Column(KERNEL, "kernel", "A"),
    Column("weights", "weights", "A"),
    Column(CROSSOVER, "α*", "h"),
    Column("t1", "t₁", "A"),
    Column("t_half", "t½", "A"),
)


@dataclass(frozen=True)
class Row:
    """One activation at one depth."""

    activation: str
    depth: int
    degree: str  #: k
    total_degree: str  #: D
    cells: dict[str, Verdict]  #: `Column.key` -> verdict
    star: float | None  #: A* = sqrt(h)·alpha*, where the kernel changes by its own size, at the largest width

    @property
    def kernel(self) -> Verdict | None:
        """The verdict on the kernel's exponent."""
        return self.cells.get(KERNEL)


def comparison(verdicts: Sequence[Verdict], experiments: Sequence[Measurements]) -> list[Row]:
    """Return one row an activation and depth, in the order of the experiments; empty if there is one activation only.

    Where several experiments have the same activation and depth, the one that measured most of these laws stands.
    """
    rows: dict[tuple[str, int], Row] = {}
    for experiment in experiments:
        if experiment.activation is None or experiment.depth is None:
            continue
        cells = {v.column: v for v in verdicts if v.experiment == experiment.name and v.column is not None}
        key = (experiment.activation, experiment.depth)
        if key in rows and _measured(rows[key].cells) >= _measured(cells):
            continue
        try:
            degree = Activation(experiment.activation).degree
            total = Feature(Model(experiment.depth, degree)).total_degree
        except InputError:
            continue
        rows[key] = Row(
            experiment.activation, experiment.depth, str(degree), str(total), cells, _star(cells.get(CROSSOVER))
        )
    return list(rows.values()) if len({row.activation for row in rows.values()}) > 1 else []


def _measured(cells: dict[str, Verdict]) -> int:
    return sum(v.estimate is not None for v in cells.values())


def _star(crossover: Verdict | None) -> float | None:
    if crossover is None or crossover.points is None or crossover.points.sizes["point"] == 0:
        return None
    width, alpha = crossover.points["width"].values, crossover.points["y"].values
    widest = int(np.argmax(width))
    return float(alpha[widest] * np.sqrt(width[widest]))


def expected_power(verdict: Verdict) -> str:
    """Return the predicted power in short: a number, a logarithm, or a dash where theory makes no claim."""
    return "1, with log" if verdict.form is Form.LOGARITHM else predicted_text(verdict)


def has_power(kernel: Verdict) -> bool:
    """Whether theory predicts a power of the kernel's change, be it with logarithms."""
    return kernel.not_claimed_because is None


def tally(rows: Sequence[Row]) -> str:
    """Say in a sentence how far the predicted exponents of the kernel were met."""
    kernels = [row.kernel for row in rows if row.kernel is not None and row.kernel.predicted_value is not None]
    differences = [
        abs(v.estimate - v.predicted_value) for v in kernels if v.estimate is not None and v.predicted_value is not None
    ]
    if not differences:
        return ""
    outcomes = Counter(label_of(v).text for v in kernels)
    listed = ", ".join(f"{outcomes[label.text]} {label.text}" for label in LABELS if outcomes[label.text])
    pairs = f"{len(kernels)} pair{'' if len(kernels) == 1 else 's'} of activation and depth"
    return (
        f"{len({row.activation for row in rows})} activations; theory predicts the exponent of the kernel change for "
        f"{pairs}: {listed}. The largest difference between measured and predicted is {max(differences):.3f}."
    )
