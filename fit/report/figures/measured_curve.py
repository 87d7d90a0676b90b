"""A measured curve with the powers fitted to it, the predicted ones, and what theory gives beyond powers.

Several verdicts can be about one curve (the kernel change against A has a law in each regime): they share a figure.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fit.curves.theory_curves import TheoryCurve
from fit.judge.verdict import Verdict
from fit.report.figures.drawing import Drawing, NewFigure
from fit.report.figures.style import (
    FIT,
    FRAME,
    INK,
    MARKERS,
    PAPER,
    PREDICTED,
    RC,
    SIZE,
    THEORY,
    log_scales,
    log_ticks,
    width_colours,
)
from fit.report.titles import AXES, full_title, is_power, quantity_label, variable_of
from lazyrich.filenames import file_names
from lazyrich.numbers import number, power, signed
from theory.prediction import ANY_REGIME, BOTH_REGIMES

LONGEST_NAME = 180  #: letters of a figure's file name


@dataclass(frozen=True)
class Curve:
    """A measured curve, the verdicts about it, and the curves that theory gives for it without a free parameter."""

    name: str  #: of the files
    experiment: str
    verdicts: tuple[Verdict, ...]
    theory: tuple[TheoryCurve, ...] = ()

    @property
    def points(self) -> xr.Dataset:
        """The points of the first verdict; its siblings have the same ones, marked differently."""
        points = self.verdicts[0].points
        assert points is not None
        return points

    @property
    def drawn(self) -> xr.Dataset:
        """The points that the figure shows, with those ``used`` that entered the fit of any verdict."""
        marked = [v.points["used"].values for v in self.verdicts if v.points is not None and _same(v, self)]
        points = self.points.assign(used=("point", np.any(marked, axis=0)))
        if points.attrs["x"] == "width":
            # values at single amplitudes come along for other figures: here, those pooled over the window
            points = points.isel(point=np.isnan(points["root_h_alpha"].values))
        return points

    @property
    def caption(self) -> str:
        """What the figure shows, generated from what is drawn."""
        points = self.drawn
        titles = dict.fromkeys(full_title(v) for v in self.verdicts)
        text = f"{self.experiment}. {'; '.join(titles)}, against {AXES[points.attrs['x']]}."
        for verdict in self.verdicts:
            if (sentence := _power_sentence(verdict)) is not None:
                text += f" {sentence}"
        used = points["used"].values.astype(bool)
        if used.any() and not used.all():
            text += " Filled points entered a fit."
        if points.attrs["x"] != "width" and any(_window(v) for v in self.verdicts):
            text += " Shaded: the range that was fitted."
        return text


def curves(verdicts: Sequence[Verdict], theory: Sequence[TheoryCurve] = ()) -> list[Curve]:
    """Group the verdicts that have something to show by what was measured against what."""
    grouped: dict[tuple, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.points is None or verdict.points.sizes["point"] == 0:
            continue
        if verdict.estimate is None and verdict.verdict == "inconclusive":
            continue
        points = verdict.points
        pooled = "" if points.attrs["x"] == "root_h_alpha" else f"{verdict.claim}-{verdict.regime}"
        grouped.setdefault((verdict.experiment, points.attrs["y_label"], points.attrs["x"], pooled), []).append(verdict)
    result: dict[tuple[str, ...], Curve] = {}
    for (experiment, _, x, _), members in grouped.items():
        quantities = {v.quantity for v in members} if x == "root_h_alpha" else set()
        beside = tuple(t for t in theory if t.experiment == experiment and t.quantity in quantities)
        result[experiment, members[0].claim, members[0].regime, x] = Curve("", experiment, tuple(members), beside)
        rescaled = _against_amplitude(members)
        if rescaled is not None:
            # both regimes of one experiment give the same curve against A
            result[experiment, rescaled.claim, "root_h_alpha"] = Curve("", experiment, (rescaled,))
    parts = {key: "\0".join(key) for key in result}  # NUL is no letter, and in no name
    names = file_names(parts.values(), longest=LONGEST_NAME)
    return [dataclasses.replace(curve, name=names[parts[key]]) for key, curve in result.items()]


def _against_amplitude(members: Sequence[Verdict]) -> Verdict | None:
    """Values at single amplitudes against A, divided by the predicted power of h: widths collapse if the law holds."""
    verdict = next((v for v in members if v.figure == "collapse" and v.predicted_value is not None), None)
    if verdict is None or verdict.points is None or verdict.points.attrs["x"] != "width":
        return None
    predicted = verdict.predicted_value
    assert predicted is not None
    single = verdict.points.isel(point=np.isfinite(verdict.points["root_h_alpha"].values))
    if len(np.unique(single["root_h_alpha"])) < 3:
        return None
    scale = single["width"].values ** -predicted
    points = single.assign({name: ("point", single[name].values * scale) for name in ("y", "y_low", "y_high")})
    inverse = f"h^{{{_inverse(verdict.predicted)}}}\\," if predicted else ""
    points.attrs = {
        "x": "root_h_alpha", "y_label": f"{inverse}{verdict.points.attrs['y_label']}", "x_log": 1, "y_log": 1,
        "rescaled": _inverse(verdict.predicted),
    }  # fmt: skip
    return dataclasses.replace(verdict, points=points)


def _inverse(exponent: str | None) -> str:
    """-1/2 -> 1/2."""
    return "" if exponent is None else exponent.removeprefix("-") if exponent.startswith("-") else f"-{exponent}"


def draw(curve: Curve, axes: Axes | None = None, new_figure: NewFigure = Figure) -> Drawing:
    """Draw a curve: data with error bars, fits and predicted powers through the data, the fitted range shaded.

    Parameters
    ----------
    axes : matplotlib.axes.Axes, optional
        To draw on; default: axes of a new figure.
    """
    with mpl.rc_context(RC):
        new = axes is None
        if axes is None:
            axes = new_figure(figsize=SIZE).add_axes(FRAME)
        points = curve.drawn
        x = points.attrs["x"]
        log_scales(axes, points.attrs)
        _data(axes, points)
        for verdict in curve.verdicts:
            _law(axes, verdict)
        if "predicted_x" in points.attrs:
            axes.plot(
                points.attrs["predicted_x"], points.attrs["predicted_y"], "--", color=PREDICTED, linewidth=1.6,
                label="predicted",
            )  # fmt: skip
        for predicted in curve.theory:
            # the same colour in all figures: infinite width, and networks frozen at their own kernels
            colour = THEORY[0] if predicted.networks is None else THEORY[1]
            axes.plot(
                predicted.root_h_alpha,
                predicted.value,
                color=colour,
                linewidth=1.4,
                linestyle=predicted.dashes,
                label=predicted.label,
            )
        log_ticks(axes, points.attrs, x)
        axes.set_xlabel(AXES[x])
        axes.set_ylabel(quantity_label(points.attrs), parse_math=True)
        axes.grid(True)
        figure = axes.figure
        assert isinstance(figure, Figure)
        if new:
            figure.legend(loc="upper left", bbox_to_anchor=(FRAME[0] + FRAME[2] + 0.005, FRAME[1] + FRAME[3] + 0.02))
        else:
            axes.legend()
        return Drawing(figure, axes, _notes(points), _table(points))


def _table(points: xr.Dataset) -> pd.DataFrame:
    names = {
        "width": "width", "root_h_alpha": "root_h_alpha", "y": "value", "y_low": "low_95", "y_high": "high_95",
        "used": "in_a_fit",
    }  # fmt: skip
    frame = pd.DataFrame({column: points[name].values for name, column in names.items()})
    return frame.dropna(axis="columns", how="all")


def _power_sentence(verdict: Verdict) -> str | None:
    """What was measured and predicted, in a sentence; None where no power was measured."""
    if verdict.points is not None and "rescaled" in verdict.points.attrs:
        exponent = verdict.points.attrs["rescaled"]
        scaled = f"Multiplied by h^({exponent})" if verdict.predicted_value else "Unscaled"
        return f"{scaled}, all widths lie on one curve if the law holds."
    if verdict.points is not None and "sentence" in verdict.points.attrs:
        return str(verdict.points.attrs["sentence"])
    if verdict.estimate is None or not is_power(verdict):
        return None
    half = None if verdict.ci_low is None or verdict.ci_high is None else (verdict.ci_high - verdict.ci_low) / 2
    measured = number(verdict.estimate) + (f" ± {number(half)}" if half is not None else "")
    predicted = f"predicted {power(verdict.predicted)}" if verdict.predicted else "no power predicted"
    regime = "" if verdict.regime in (BOTH_REGIMES, ANY_REGIME) else f" in the {verdict.regime} regime"
    return f"Power of {variable_of(verdict)}{regime}: measured {measured}, {predicted}."


def _same(verdict: Verdict, curve: Curve) -> bool:
    return verdict.points is not None and verdict.points.sizes == curve.points.sizes


def _data(axes: Axes, points: xr.Dataset) -> None:
    x = points[points.attrs["x"]].values
    y, low, high = (points[name].values for name in ("y", "y_low", "y_high"))
    used = points["used"].values.astype(bool)
    error = np.abs(np.nan_to_num(np.stack([y - low, high - y])))
    widths = np.unique(points["width"].values[np.isfinite(points["width"].values)])
    several = points.attrs["x"] != "width" and len(widths) > 0
    colours = width_colours(len(widths))
    for i, width in enumerate(widths if several else [None]):
        members = points["width"].values == width if several else np.ones(len(x), dtype=bool)
        order = np.flatnonzero(members)[np.argsort(x[members], kind="stable")]
        colour, marker = (colours[i], MARKERS[i % len(MARKERS)]) if several else (THEORY[0], "o")
        ends = np.where(error[:, order] > 0, y[order] + np.array([[-1], [1]]) * error[:, order], y[order])
        # few artists, since each costs a millisecond: all bars of a width are one line with gaps
        gaps = np.full(len(order), np.nan)
        axes.plot(
            np.repeat(x[order], 3), np.stack([*ends, gaps], axis=1).ravel(), color=colour, linewidth=0.8,
            solid_capstyle="butt", zorder=1,
        )  # fmt: skip
        axes.plot(
            x[order], y[order], color=(colour, 0.6), linewidth=0.7 if several else 0, marker=marker, markersize=3.8,
            markevery=np.flatnonzero(used[order]).tolist(), markerfacecolor=colour, markeredgecolor=colour,
            label=f"h = {width:g}" if several else "measured, 95 %",
        )  # fmt: skip
        hollow = order[~used[order]]
        if len(hollow):
            axes.plot(
                x[hollow], y[hollow], color=colour, linestyle="none", marker=marker, markersize=3.8,
                markerfacecolor=PAPER, markeredgewidth=0.8,
            )  # fmt: skip


def _notes(points: xr.Dataset) -> tuple[tuple[float, float, str], ...]:
    names = (points.attrs["x"], "width", "root_h_alpha", "y", "y_low", "y_high")
    notes = []
    for x, width, amplitude, y, low, high in zip(*(points[name].values.tolist() for name in names), strict=True):
        text = f"h = {width:g}" if math.isfinite(width) else "all widths"
        text += f", A = {amplitude:.3g}" if math.isfinite(amplitude) else ""
        text += f": {y:.4g}"
        if math.isfinite(low) and math.isfinite(high):
            text += f" [{low:.4g}, {high:.4g}]"
        notes.append((x, y, text))
    return tuple(notes)


def _window(verdict: Verdict) -> tuple[float, float] | None:
    """The range of the abscissa that was fitted; None without a fit."""
    points = verdict.points
    if points is None or "fit_exponent" not in points.attrs:
        return None
    fitted = points[points.attrs["x"]].values[points["used"].values.astype(bool)]
    return (float(fitted.min()), float(fitted.max())) if len(fitted) else None


def _law(axes: Axes, verdict: Verdict) -> None:
    """The fitted power, and the predicted one with the prefactor that suits the same points best."""
    window = _window(verdict)
    if window is None or verdict.points is None:
        return
    points, attrs = verdict.points, verdict.points.attrs
    ends = np.array(window)
    if attrs["x"] != "width":
        axes.axvspan(*ends, color=INK, alpha=0.06, linewidth=0)
    fitted = attrs["fit_prefactor"] * ends ** attrs["fit_exponent"]
    label = "fit " + signed(f"{attrs['fit_exponent']:z.3f}")
    axes.plot(ends, fitted, color=FIT, linewidth=1.3, label=label)
    if verdict.predicted_value is not None:
        chosen = points["used"].values.astype(bool)
        log_x, log_y = (np.log(points[name].values[chosen]) for name in (attrs["x"], "y"))
        level = float(np.exp(np.mean(log_y - verdict.predicted_value * log_x)))
        label = f"predicted {power(verdict.predicted)}"
        axes.plot(ends, level * ends**verdict.predicted_value, "--", color=PREDICTED, linewidth=1.6, label=label)
