"""How figures look: colours for a light and a dark page, sizes, axes and their ticks."""

from __future__ import annotations

import functools
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from reports.log_axes import DECADES
from reports.plain_figures import PLAIN

INK, PAPER, FIT, PREDICTED = "#1b1f24", "#fefefe", "#1b1f25", "#b8400a"
#: of curves that theory gives without a free parameter, in turn; the first is that of a single measured curve too
THEORY = ("#0b5394", "#ad1457", "#2f7d4f")
#: of a measured exponent: consistent, inconsistent, inconclusive
OUTCOMES = {"consistent": "#1a6fb0", "inconsistent": "#b3400a", "inconclusive": "#6b6b6b"}
RC: Any = {
    **PLAIN,
    "svg.hashsalt": "lazyrich",  # same data, same bytes
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched, and coloured by the page
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "mathtext.fontset": "dejavusans",
    "text.parse_math": False,  # names of users have dollars in them; labels that are formulas say so
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 2.2,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "grid.linewidth": 0.4,
    "grid.alpha": 0.15,
    **{name: INK for name in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color",
                              "grid.color")},
}  # fmt: skip
#: inches, and left, bottom, width, height in parts: fixed, since a layout engine takes longer than all the drawing
SIZE, FRAME = (6.3, 3.6), (0.115, 0.135, 0.635, 0.835)
#: widths differ in colour and in shape, so that neither must be seen to tell them apart
MARKERS = "osD^vP*X<>"
_WIDTH_COLOURS = ((0.0, 0.78), (0.42, 1.0))  #: parts of viridis for a light and for a dark page


def width_colours(number: int, *, dark: bool = False) -> list[str]:
    """Return a colour for each of so many widths, from the narrowest to the widest."""
    low, high = _WIDTH_COLOURS[dark]
    return [to_hex(c) for c in mpl.colormaps["viridis"](np.linspace(low, high, max(number, 1)))]


@functools.cache
def dark_colours() -> dict[str, str]:
    """Return colour on a light page -> colour on a dark one."""
    widths = {
        light: dark
        for number in range(1, 41)
        for light, dark in zip(width_colours(number), width_colours(number, dark=True), strict=True)
    }
    return widths | {
        INK: "#e6edf3",
        PAPER: "#0f1319",
        FIT: "#ffffff",
        PREDICTED: "#ff9e64",
        THEORY[0]: "#79b8ff",
        THEORY[1]: "#ff7eb0",
        THEORY[2]: "#6fd19a",
        OUTCOMES["consistent"]: "#6cb6ff",
        OUTCOMES["inconsistent"]: "#ff9e65",
        OUTCOMES["inconclusive"]: "#b0b0b0",
    }


def log_scales(axes: Axes, attrs: dict) -> None:
    """Set the scales that a dataset of points asks for (`fit.Verdict.points`)."""
    if attrs.get("x_log", 1):
        axes.set_xscale("log")
    if attrs.get("y_log", 1):
        axes.set_yscale("log")


def log_ticks(axes: Axes, attrs: dict, x: str) -> None:
    """Set few ticks that can be read: powers of ten over decades, plain numbers within a decade or two."""
    axes.xaxis.set_minor_locator(NullLocator())
    if x == "width":
        low, high = axes.get_xlim()
        ticks = powers_of_two(low, high)
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    else:
        axes.xaxis.set_major_formatter(DECADES)
    if attrs.get("y_log", 1):
        low, high = axes.get_ylim()
        axes.yaxis.set_major_formatter(DECADES)
        if high / low < 30:  # powers of ten alone would leave one label or none
            steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0) if high / low < 6 else (1.0, 2.0, 5.0)
            axes.yaxis.set_major_locator(LogLocator(10, subs=steps))
            if high / low < 1.5:
                axes.yaxis.set_major_locator(FixedLocator(_round_steps(low, high)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
        axes.yaxis.set_minor_locator(NullLocator())


def powers_of_two(low: float, high: float) -> list[float]:
    """Return the powers of two between two widths: their ticks."""
    return [2.0**k for k in range(1, 20) if low <= 2.0**k <= high]


def _round_steps(low: float, high: float) -> list[float]:
    step = 10 ** np.floor(np.log10((high - low) / 2))
    step *= next(m for m in (5, 2, 1, 0.5) if (high - low) / (m * step) >= 2)
    return [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
