"""The kernel's exponent over depth: measured for every activation, predicted for every degree."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from fit.report.comparison import Row, has_power
from fit.report.figures.drawing import Drawing
from fit.report.figures.style import FRAME, INK, PREDICTED, RC, SIZE, THEORY

#: degree at infinity -> colour and marker
_CLASSES = {"0": (THEORY[2], "s"), "1": (THEORY[0], "o"), "2": (PREDICTED, "^")}


def draw(rows: Sequence[Row]) -> Drawing | None:
    """Draw the measured exponent a of every activation over the depth, and the predicted one for each degree.

    What theory says is no power is left out: such numbers scatter beyond all others. None with fewer than two
    exponents.
    """
    shown = [
        (row, row.kernel) for row in rows if row.kernel and row.kernel.estimate is not None and has_power(row.kernel)
    ]
    if len(shown) < 2:
        return None
    with mpl.rc_context(RC):
        figure = Figure(figsize=SIZE)
        axes = figure.add_axes(FRAME)
        notes: list[tuple[float, float, str]] = []
        table = []
        depths = sorted({row.depth for row, _ in shown})
        for degree in sorted({row.degree for row, _ in shown}, key=str):
            members = [(row, kernel) for row, kernel in shown if row.degree == degree]
            colour, marker = _CLASSES.get(degree, (INK, "D"))
            names = list(dict.fromkeys(row.activation for row, _ in members))
            room = min(0.5, 0.06 * len(names))
            for i, (row, kernel) in enumerate(members):
                assert kernel.estimate is not None
                # side by side, not on each other
                abscissa = row.depth + room * ((names.index(row.activation) + 0.5) / len(names) - 0.5)
                a = -kernel.estimate
                label = f"measured, k = {degree}" if i == 0 else None
                axes.plot([abscissa], [a], marker, color=colour, markersize=4, alpha=0.8, label=label, linestyle="none")
                expected = kernel.predicted or "no power"
                notes.append((abscissa, a, f"{row.activation}, L = {row.depth}: a = {a:.3f}, predicted {expected}"))
                predicted = None if kernel.predicted_value is None else -kernel.predicted_value
                table.append((row.activation, row.depth, row.degree, a, predicted, kernel.verdict))
            law = sorted({(r.depth, -v.predicted_value) for r, v in members if v.predicted_value})
            if law:
                axes.plot(*zip(*law, strict=True), "--", color=colour, linewidth=1.2, label=f"predicted, k = {degree}")
        axes.set_xticks(depths, [str(depth) for depth in depths])
        axes.set_xlabel("hidden layers L")
        axes.set_ylabel("a, kernel change ~ A^(−a)")
        axes.grid(True)
        figure.legend(loc="upper left", bbox_to_anchor=(FRAME[0] + FRAME[2] + 0.005, FRAME[1] + FRAME[3] + 0.02))
        columns = ["activation", "depth", "degree", "a_measured", "a_predicted", "verdict"]
        return Drawing(figure, axes, tuple(notes), pd.DataFrame(table, columns=columns))
