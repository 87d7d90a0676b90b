"""The kernel change over width and output scale, with the line alpha* between lazy and feature training."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from fit.judge.verdict import Verdict
from fit.report.figures.drawing import Drawing, NewFigure
from fit.report.figures.style import FRAME, INK, PREDICTED, RC, SIZE, powers_of_two
from fit.report.titles import AXES
from lazyrich.numbers import signed
from reports.log_axes import decade


def draw(
    verdicts: Sequence[Verdict], experiment: str, axes: Axes | None = None, new_figure: NewFigure = Figure
) -> Drawing | None:
    """Draw the kernel change over h and alpha as colour, with the measured line where it is 1 and the predicted one.

    None where fewer than three widths or four amplitudes were measured.

    Parameters
    ----------
    axes : matplotlib.axes.Axes, optional
        To draw on; default: axes of a new figure.
    """
    columns = {v.column: v for v in verdicts if v.experiment == experiment and v.points is not None and v.column}
    kernel, crossover = columns.get("kernel"), columns.get("alpha*")
    if kernel is None or kernel.points is None:
        return None
    points = kernel.points
    width, a, value = (points[name].values for name in ("width", "root_h_alpha", "y"))
    if len(np.unique(width)) < 3 or len(np.unique(a)) < 4:
        return None
    with mpl.rc_context(RC):
        new = axes is None
        if axes is None:
            axes = new_figure(figsize=SIZE).add_axes((*FRAME[:2], 0.67, FRAME[3] - 0.05))
        figure = axes.figure
        assert isinstance(figure, Figure)
        log_alpha, log_width, log_value = np.log10(a / np.sqrt(width)), np.log10(width), np.log10(value)
        bound = np.abs(log_value).max()
        # white is a change of 1 whatever the range; the colour bar ends where the data do
        levels = np.linspace(log_value.min(), log_value.max(), 25)
        filled = axes.tricontourf(log_alpha, log_width, log_value, levels, cmap="PuOr", norm=Normalize(-bound, bound))
        if new:
            bar = figure.colorbar(filled, cax=figure.add_axes((0.82, FRAME[1], 0.03, FRAME[3] - 0.05)))
        else:
            bar = figure.colorbar(filled, ax=axes)
        bar.set_label(r"kernel change $\|\Delta\Theta\|/\|\Theta_0\|$", parse_math=True)
        decades = np.arange(np.ceil(log_value.min()), np.floor(log_value.max()) + 1)
        decades = decades[decades % max(1, len(decades) // 6) == 0]
        bar.set_ticks(decades.tolist(), labels=[decade(10.0**d) for d in decades])
        if crossover is not None and crossover.points is not None and crossover.points.sizes["point"]:
            _star_line(axes, crossover)
            axes.legend(loc="lower left", bbox_to_anchor=(0, 0.99), ncols=2, borderpad=0)
        ticks = np.arange(np.ceil(log_alpha.min()), log_alpha.max() + 0.01)
        ticks = ticks[:: max(1, len(ticks) // 6)]
        axes.set_xticks(ticks, [decade(10.0**e) for e in ticks])
        widths = powers_of_two(width.min(), width.max())
        axes.set_yticks(np.log10(widths), [f"{h:g}" for h in widths])
        axes.set_xlabel("α  (feature training: left; lazy training: right)")
        axes.set_ylabel(AXES["width"])
        texts = [
            f"h = {h:g}, α = {s / np.sqrt(h):.3g} (A = {s:.3g}): {v:.3g}"
            for h, s, v in zip(width, a, value, strict=True)
        ]
        table = pd.DataFrame({"width": width, "alpha": a / np.sqrt(width), "root_h_alpha": a, "kernel_change": value})
        return Drawing(figure, axes, tuple(zip(log_alpha, log_width, texts, strict=True)), table)


def _star_line(axes: Axes, crossover: Verdict) -> None:
    """alpha* as measured, and the predicted power through it; black, since both lie on colour in every theme."""
    star = crossover.points
    assert star is not None
    width, y = star["width"].values, star["y"].values
    axes.plot(np.log10(y), np.log10(width), "o-", color="#000000", markersize=3.5, linewidth=1.2, label="_")
    axes.plot([], [], "o-", color=INK, markersize=3.5, linewidth=1.2, label="measured α* (change 1)")
    if crossover.predicted_value is None:
        return
    h = np.array([width.min(), width.max()])
    level = np.exp(np.mean(np.log(y) - crossover.predicted_value * np.log(width)))
    line = np.log10(float(level) * h**crossover.predicted_value)
    label = f"predicted ∝ h^({signed(crossover.predicted or '')})"
    axes.plot(line, np.log10(h), "--", color=PREDICTED, linewidth=1.4, label=label)
