"""What drawing a figure gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: makes a figure: `Figure`, or ``pyplot.figure`` where it is to be shown
NewFigure = Callable[..., Figure]


@dataclass(frozen=True)
class Drawing:
    """A figure with one pair of axes, the values that it shows, and what its points say when pointed at.

    Attributes
    ----------
    notes : tuple of (float, float, str)
        x and y in data coordinates, and the text.
    table : pandas.DataFrame
        The plotted values, a row a point: what the figure's CSV file holds.
    """

    figure: Figure
    axes: Axes
    notes: tuple[tuple[float, float, str], ...] = ()
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
