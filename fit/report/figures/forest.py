"""All laws in one figure: how far each measured power is from the predicted one, in units of its margin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fit.judge.in_words import predicted_text
from fit.judge.verdict import Verdict
from fit.report.figures.drawing import Drawing, NewFigure
from fit.report.figures.style import INK, OUTCOMES, PREDICTED, RC
from fit.report.titles import full_title, section_titles

#: the axis ends here; what lies beyond is an arrow
LIMIT = 2.6
#: inches
_WIDTH, _ROW, _TOP, _BOTTOM = 9.0, 0.155, 0.35, 0.45
_LEFT, _RIGHT = 3.95, 1.75
_MARKERS = {"consistent": "o", "inconsistent": "X", "inconclusive": "o"}


def by_law(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return verdicts law by law, in the order of a report; those on one law stay in their order."""
    order = list(section_titles())

    def place(verdict: Verdict) -> tuple[int, str, str]:
        known = verdict.claim in order
        return order.index(verdict.claim) if known else len(order), verdict.regime, verdict.variable

    return sorted(verdicts, key=place)


def draw(verdicts: Sequence[Verdict], axes: Axes | None = None, new_figure: NewFigure = Figure) -> Drawing | None:
    """Draw a row for each measured power, or ratio, that a number and a margin are predicted for; None without any.

    What theory predicts nothing of has no row.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Rows in their order; neighbours with the same title and regime form a group.
    axes : matplotlib.axes.Axes, optional
        To draw on; default: axes of a new figure that is as high as its rows need.
    """
    shown = [v for v in verdicts if v.estimate is not None and v.compared_with is not None and v.margin]
    if not shown:
        return None
    groups = [(group, list(members)) for group, members in groupby(shown, key=_heading)]
    rows = len(shown) + len(groups)
    with mpl.rc_context({**RC, "font.size": 8}):
        if axes is None:
            axes = _axes(rows, new_figure)
        figure = axes.figure
        assert isinstance(figure, Figure)
        axes.axvspan(-1, 1, color=INK, alpha=0.07, linewidth=0)
        axes.axvline(0, color=PREDICTED, linestyle="--", linewidth=1.2)
        notes: list[tuple[float, float, str]] = []
        y = 0.0
        for heading, members in groups:
            _text(axes, -LIMIT, y, heading, "left", weight="bold", shift=-72 * (_LEFT - 0.1))
            y += 1
            for verdict in members:
                notes.append(_row(axes, verdict, y))
                y += 1
        axes.set_xlim(-LIMIT, LIMIT)
        axes.set_ylim(rows - 0.5, -0.7)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xticks([-2, -1, 0, 1, 2], ["−2", "−1", "predicted", "1", "2"])
        axes.set_xlabel("(measured − predicted) / margin")
        _text(axes, LIMIT, -1.0, "predicted, measured ± 95 %", "left", shift=6)
        return Drawing(figure, axes, tuple(notes), _table(shown))


def _axes(rows: int, new_figure: NewFigure) -> Axes:
    height = rows * _ROW + _TOP + _BOTTOM
    figure = new_figure(figsize=(_WIDTH, height))
    frame = (_LEFT / _WIDTH, _BOTTOM / height, (_WIDTH - _LEFT - _RIGHT) / _WIDTH, rows * _ROW / height)
    return figure.add_axes(frame)


def _row(axes: Axes, verdict: Verdict, y: float) -> tuple[float, float, str]:
    assert verdict.estimate is not None
    assert verdict.compared_with is not None
    assert verdict.margin
    scaled = [
        None if value is None else (value - verdict.compared_with) / verdict.margin
        for value in (verdict.estimate, verdict.ci_low, verdict.ci_high)
    ]
    centre, low, high = scaled
    assert centre is not None
    colour = OUTCOMES[verdict.verdict]
    if low is not None and high is not None:
        axes.plot([max(low, -LIMIT), min(high, LIMIT)], [y, y], color=colour, linewidth=1.2, solid_capstyle="butt")
    inside = min(max(centre, -LIMIT), LIMIT)
    marker = _MARKERS[verdict.verdict] if inside == centre else "<" if centre < 0 else ">"
    face = "none" if verdict.verdict == "inconclusive" else colour
    axes.plot(
        [inside], [y], marker, color=colour, markerfacecolor=face, markersize=4.5, clip_on=False, linestyle="none"
    )
    _text(axes, -LIMIT, y, verdict.experiment, "right", shift=-6)
    _text(axes, LIMIT, y, f"{predicted_text(verdict)},  {verdict.measured_in_words}", "left", shift=6)
    note = f"{verdict.title}, {verdict.experiment}: {verdict.measured_in_words}, predicted {predicted_text(verdict)}"
    return inside, y, note


def _heading(verdict: Verdict) -> str:
    return f"{full_title(verdict)} ({verdict.compared_is_the})"


def _text(axes: Axes, x: float, y: float, text: str, align: str, *, shift: float = 0, weight: str = "normal") -> None:
    axes.annotate(
        text, (x, y), (shift, 0), textcoords="offset points", ha=align, va="center", weight=weight,
        annotation_clip=False,
    )  # fmt: skip


def _table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    columns = ("title", "experiment", "regime", "variable", "compared_with", "estimate", "ci_low", "ci_high", "margin",
               "verdict")  # fmt: skip
    return pd.DataFrame([{name: getattr(v, name) for name in columns} for v in verdicts])
