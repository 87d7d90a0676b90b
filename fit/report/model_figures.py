"""Figures of a fitted scaling law: measured against fitted, and what is left against each variable."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fit.models.assess import ModelResult
from fit.report.figures.drawing import Drawing
from fit.report.figures.style import INK, PREDICTED, RC, THEORY
from lazyrich.wording import counted
from reports.log_axes import decades

_MOST_PANELS = 3


def residual_figure(result: ModelResult) -> Drawing:
    """Draw measured against fitted values, and the residuals against the variables, the first three."""
    fit, points = result.fit, result.points
    log = fit.method.scale == "log"
    fitted = fit.formula(points.columns, fit.best.values)[0]
    shown = dict(list(points.columns.items())[:_MOST_PANELS])
    unit = 100.0 if log else 1.0
    with mpl.rc_context(RC):
        figure = Figure(figsize=(3.1 * (1 + len(shown)), 2.9))
        panels = figure.subplots(1, 1 + len(shown), squeeze=False).ravel()
        first = panels[0]
        first.plot(fitted, points.response, "o", color=THEORY[0], markersize=2.5, alpha=0.6, markeredgewidth=0)
        ends = np.array([min(fitted.min(), points.response.min()), max(fitted.max(), points.response.max())])
        first.plot(ends, ends, color=PREDICTED, linewidth=0.9)
        first.set(xlabel=f"fitted {fit.formula.response}", ylabel=f"measured {fit.formula.response}")
        if log and ends[1] > 10 * ends[0]:
            decades(first, "x", "y")
        for axes, (name, column) in zip(panels[1:], shown.items(), strict=False):
            axes.plot(column, unit * fit.residuals, "o", color=THEORY[0], markersize=2.5, alpha=0.6, markeredgewidth=0)
            axes.axhline(0.0, color=PREDICTED, linewidth=0.9)
            limit = 5 * unit * fit.noise or None
            for x, y in zip(*_beyond(column, unit * fit.residuals, limit), strict=True):
                axes.plot(x, y, marker="^" if y > 0 else "v", color=INK, markersize=4, clip_on=False)
            axes.set(xlabel=name, ylabel="residual, %" if log else "residual")
            if limit:
                axes.set_ylim(-limit, limit)
            if (column > 0).all() and column.max() > 10 * column.min():
                decades(axes, "x")
        figure.tight_layout()
    table = pd.DataFrame({
        **points.columns, fit.formula.response: points.response, "fitted": fitted, "residual": fit.residuals
    })  # fmt: skip
    return Drawing(figure, first, table=table)


def _beyond(x: NDArray, y: NDArray, limit: float | None) -> tuple[NDArray, NDArray]:
    """Points outside the panel, drawn at its edge."""
    if not limit:
        return np.array([]), np.array([])
    far = np.abs(y) > limit
    return x[far], np.clip(y[far], -limit, limit)


def caption(result: ModelResult) -> str:
    """Say what `residual_figure` shows."""
    columns = list(result.points.columns)[:_MOST_PANELS]
    kind = "in per cent" if result.fit.method.scale == "log" else "in units of the response"
    far = int(np.sum(np.abs(result.fit.residuals) > 5 * result.fit.noise)) if result.fit.noise else 0
    edge = f" Triangles at an edge: {counted(far, 'point')} further out." if far else ""
    return (
        f"{result.statement.title}: measured against fitted {result.fit.formula.response}; residuals, {kind}, against "
        f"{' and '.join(columns)}.{edge}"
    )
