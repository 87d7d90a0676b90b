"""Logarithmic axes whose ticks are texts: matplotlib's own are formulas, which figures do not parse."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lazyrich.numbers import power_of_ten, short


def decades(axes: Axes, *names: Literal["x", "y"]) -> None:
    """Give axes logarithmic scales whose ticks are powers of ten, or plain numbers within two decades, as text."""
    for name in names:
        axes.set(**{f"{name}scale": "log"})
        axis = axes.xaxis if name == "x" else axes.yaxis
        low, high = axis.get_view_interval()
        axis.set_minor_locator(NullLocator())
        if high / low < 100:
            axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        else:
            axis.set_major_locator(LogLocator(10, numticks=6))
            axis.set_major_formatter(DECADES)


def decade(value: float, _: Any = None) -> str:
    """Return 10⁻⁴: a power of ten as text, which is set in a hundredth of the time that a formula takes."""
    return power_of_ten(round(np.log10(value))) if value > 0 else ""


DECADES = FuncFormatter(decade)
