"""Figures of an audit, in the style of the reports."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fit.audit.elements import FigureOnPage
from fit.audit.interval import Interval
from reports.log_axes import decades
from reports.plain_figures import PLAIN
from theory.curves.equivalent_amplitude import CROSSOVER_LEVEL, LAZY_LEVEL, equivalent_amplitude, kernel_change_at

_INK, _ACCENT, _LINE = "#1b1f24", "#0b5394", "#b8400a"
_STYLE: Any = {
    **PLAIN,
    "svg.hashsalt": "lazyrich",  # same data, same bytes
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "text.parse_math": False,  # modules are called as their author likes
    **{name: _INK for name in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")},
}
_DRAWN = (1e-8, 1e8)  #: kernel changes outside are drawn at these
_MOST_MODULES = 40  #: in one figure
_MOST_TICKS = 8  #: up to so many sizes each has its tick


def kernel_changes(changes: Mapping[str, Interval]) -> FigureOnPage:
    """Draw the kernel change of each module with its interval, and the levels."""
    shown = dict(list(changes.items())[:_MOST_MODULES])
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(height=0.9 + 0.22 * len(shown))
        for row, change in enumerate(reversed(shown.values())):
            low, value, high = _drawn([change.low, change.value, change.high])
            axes.plot([low, high], [row, row], color=_ACCENT, linewidth=1.2)
            axes.plot(value, row, "o", color=_ACCENT, markersize=4)
        for level, name in ((LAZY_LEVEL, "lazy"), (CROSSOVER_LEVEL, "crossover")):
            axes.axvline(level, color=_LINE, linewidth=0.8, linestyle=":")
            axes.text(level, len(shown) - 0.4, name, color=_LINE, fontsize=7, ha="center", va="bottom")
        axes.set(xlabel="relative change of the tangent kernel", ylim=(-0.6, len(shown) + 0.2))
        decades(axes, "x")
        axes.set_yticks(range(len(shown)), [name[-34:] for name in reversed(shown)])
        left = "" if len(shown) == len(changes) else f" The first {len(shown)} of {len(changes)} modules."
        return _page("kernel_changes", figure, f"How far the tangent kernel moved, with 95 % intervals.{left}")


def crossover_figure(changes: Mapping[str, float]) -> FigureOnPage:
    """Draw the simplest network's crossover curve and where the model and its modules are on it."""
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(height=3.2)
        values = _drawn([change for change in changes.values() if not np.isnan(change)])
        places = [equivalent_amplitude(change) for change in values]
        grid = np.geomspace(min(1e-2, *places) / 2, max(1e2, *places) * 2, 200)
        axes.plot(grid, [kernel_change_at(a) for a in grid], color=_INK, linewidth=1)
        axes.plot(places[1:], values[1:], "o", color=_ACCENT, markersize=4, alpha=0.6, label="modules")
        axes.plot(places[:1], values[:1], "D", color=_LINE, markersize=7, label="whole model")
        axes.axhline(CROSSOVER_LEVEL, color=_LINE, linewidth=0.8, linestyle=":")
        axes.set(xlabel="A = √h·α", ylabel="relative kernel change")
        decades(axes, "x", "y")
        axes.legend()
        caption = (
            "The crossover of the simplest network, from feature (left) to lazy training (right), and where a network "
            "with the measured kernel change lies on it."
        )
        return _page("crossover", figure, caption)


def _drawn(changes: list[float]) -> list[float]:
    return np.clip(changes, *_DRAWN).tolist()


def power_lines(
    name: str,
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    labels: tuple[str, str],
    caption: str,
) -> FigureOnPage:
    """Draw curves (x, y) on double logarithmic axes, one for each name; what is not positive and finite is left out."""
    positive = {name: _positive(*curve) for name, curve in curves.items()}
    shown = dict([(name, (x, y)) for name, (x, y) in positive.items() if len(x)][:_MOST_MODULES])
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(height=3.6, left=0.15, width=0.5)
        colours = mpl.colormaps["viridis"](np.linspace(0, 0.85, max(2, len(shown))))
        for (label, (x, y)), colour in zip(shown.items(), colours, strict=False):
            axes.plot(x, y, "o-", color=colour, markersize=3, linewidth=1, label=label[-30:])
        axes.set(xlabel=labels[0], ylabel=labels[1])
        if not shown:
            axes.text(0.5, 0.5, "nothing that could be drawn", transform=axes.transAxes, ha="center")
            return _page(name, figure, caption)
        decades(axes, "x", "y")
        abscissas = sorted({float(value) for x, _ in shown.values() for value in x})
        if len(abscissas) <= _MOST_TICKS:
            axes.set_xticks(abscissas, [f"{value:g}" for value in abscissas])
            axes.set_xticks([], minor=True)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7, ncols=1 + (len(shown) > 20))
        return _page(name, figure, caption)


def _positive(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    drawn = (np.asarray(y) > 0) & np.isfinite(y)
    return np.asarray(x)[drawn], np.asarray(y)[drawn]


def _axes(height: float, left: float = 0.32, width: float = 0.64) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.3, height))
    below = 0.45 / height
    return figure, figure.add_axes((left, below, width, 1 - below - 0.1 / height))


def _page(name: str, figure: Figure, caption: str) -> FigureOnPage:
    """Return the figure as a part of a page: its colours follow the page's."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    svg = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1), count=1
    )
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)  # several figures on one page
    return FigureOnPage(name, svg, caption)
