"""Figures of what was measured beside what is predicted: one for each measured curve, with all its fits.

Several verdicts can be about one curve (the kernel change against A has a law in each regime): they share a figure.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from fit.verdict import Verdict

_STYLE: Any = {
    "svg.hashsalt": "lazyrich",  # same data, same bytes
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "mathtext.fontset": "dejavusans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
#: inches, and left, bottom, width, height in parts: fixed, since a layout engine takes longer than all the drawing
_SIZE, _FRAME = (5.6, 3.7), (0.125, 0.135, 0.86, 0.845)
_FIT, _PREDICTED = "#111111", "#c23b22"
_LABELS = {"root_h_alpha": r"$A = \sqrt{h}\,\alpha$", "width": r"width $h$"}


@dataclass(frozen=True)
class Curve:
    """A measured curve and the verdicts about it."""

    name: str  #: of the files
    experiment: str
    verdicts: tuple[Verdict, ...]

    @property
    def points(self) -> xr.Dataset:
        """The points of the first verdict; its siblings have the same ones, marked differently."""
        found = self.verdicts[0].points
        assert found is not None
        return found

    @property
    def caption(self) -> str:
        """What the figure shows, in a sentence."""
        laws = "; ".join(f"{v.claim}: {words(v)}" for v in self.verdicts)
        return f"{self.experiment}: {laws}."


def words(verdict: Verdict) -> str:
    """The measured and the predicted power in words."""
    measured = "no estimate" if verdict.estimate is None else f"measured {verdict.estimate:.3f}"
    return f"{measured}, predicted {verdict.predicted or 'no power'}, {verdict.verdict}"


def curves(verdicts: Sequence[Verdict]) -> list[Curve]:
    """Group the verdicts that have an estimate by what was measured against what."""
    grouped: dict[tuple, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.points is None or verdict.points.sizes["point"] == 0 or verdict.estimate is None:
            continue
        points = verdict.points
        pooled = "" if points.attrs["x"] == "root_h_alpha" else f"{verdict.claim}-{verdict.regime}"
        grouped.setdefault((verdict.experiment, points.attrs["y_label"], points.attrs["x"], pooled), []).append(verdict)
    result = []
    for (experiment, _, x, _), members in grouped.items():
        name = f"{experiment}-{members[0].claim}-{members[0].regime}-{x}"
        result.append(Curve(_file(name), experiment, tuple(members)))
        collapsed = _against_amplitude(members) if members[0].claim == "fluctuations" else None
        if collapsed is not None:
            result.append(Curve(_file(f"{experiment}-fluctuations-root_h_alpha"), experiment, (collapsed,)))
    # both regimes of one experiment give the same curve against A
    return list({curve.name: curve for curve in result}.values())


def _file(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)


def _against_amplitude(members: Sequence[Verdict]) -> Verdict | None:
    """The fluctuation against A, divided by the predicted power of h: widths collapse if the law holds."""
    verdict = next((v for v in members if v.predicted_value is not None), None)
    if verdict is None or verdict.points is None or verdict.predicted_value is None:
        return None
    single = verdict.points.isel(point=np.isfinite(verdict.points["root_h_alpha"].values))
    if len(np.unique(single["root_h_alpha"])) < 3:
        return None
    scale = single["width"].values ** -verdict.predicted_value
    points = single.assign({name: ("point", single[name].values * scale) for name in ("y", "y_low", "y_high")})
    points.attrs = {
        "x": "root_h_alpha",
        "y_label": rf"h^{{{_inverse(verdict.predicted)}}}\,\delta F",
        "x_log": 1,
        "y_log": 1,
    }
    return dataclasses.replace(verdict, points=points)


def _inverse(power: str | None) -> str:
    """-1/2 -> 1/2."""
    return "" if power is None else power.removeprefix("-") if power.startswith("-") else f"-{power}"


def draw(curve: Curve) -> Figure:
    """Draw a curve: data with error bars, what entered a fit filled, fits, predicted slopes, windows shaded."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE)
        axes = figure.add_axes(_FRAME)
        x = curve.points.attrs["x"]
        marked = [v.points["used"].values for v in curve.verdicts if v.points is not None and _same(v, curve)]
        used = np.any(marked, axis=0)
        shown = np.ones(curve.points.sizes["point"], dtype=bool)
        if x == "width":
            # values at single amplitudes come along for other figures: here, those pooled over the window
            shown = np.isnan(curve.points["root_h_alpha"].values)
        _data(axes, curve.points.isel(point=shown), used[shown])
        for verdict in curve.verdicts:
            _law(axes, verdict)
        _log_axes(axes, curve.points.attrs, x)
        axes.set_xlabel(_LABELS[x])
        axes.set_ylabel(f"${curve.points.attrs['y_label']}$")
        axes.legend(loc="best", ncols=1)
        return figure


def _same(verdict: Verdict, curve: Curve) -> bool:
    return verdict.points is not None and verdict.points.sizes == curve.points.sizes


def _data(axes: Axes, points: xr.Dataset, used: np.ndarray) -> None:
    x = points[points.attrs["x"]].values
    y, low, high = (points[name].values for name in ("y", "y_low", "y_high"))
    error = np.abs(np.nan_to_num(np.stack([y - low, high - y])))
    widths = np.unique(points["width"].values[np.isfinite(points["width"].values)])
    several = points.attrs["x"] == "root_h_alpha" and len(widths) > 0
    colours = mpl.colormaps["viridis"](np.linspace(0.05, 0.85, max(len(widths), 1)))
    for i, width in enumerate(widths if several else [None]):
        here = points["width"].values == width if several else np.ones(len(x), dtype=bool)
        order = np.flatnonzero(here)[np.argsort(x[here], kind="stable")]
        colour = colours[i] if several else "#31688e"
        axes.errorbar(x[order], y[order], error[:, order], fmt="none", ecolor=colour, elinewidth=0.8, capsize=1.5)
        axes.plot(x[order], y[order], color=colour, linewidth=0.7 if several else 0, alpha=0.6)
        filled, hollow = order[used[order]], order[~used[order]]
        axes.plot(x[filled], y[filled], "o", color=colour, markersize=3.6, label=f"h = {width:g}" if several else None)
        axes.plot(x[hollow], y[hollow], "o", color=colour, markersize=3.6, markerfacecolor="white", markeredgewidth=0.8)


def _law(axes: Axes, verdict: Verdict) -> None:
    points = verdict.points
    assert points is not None
    attrs = points.attrs
    chosen = points[attrs["x"]].values[points["used"].values]
    if len(chosen) == 0 or "fit_exponent" not in attrs:
        return
    ends = np.array([chosen.min(), chosen.max()])
    if attrs["x"] == "root_h_alpha":
        axes.axvspan(*ends, color="#000000", alpha=0.05, linewidth=0)
    fitted = attrs["fit_prefactor"] * ends ** attrs["fit_exponent"]
    axes.plot(ends, fitted, color=_FIT, linewidth=1.3, label=f"fit {attrs['fit_exponent']:.3f}")
    if verdict.predicted_value is not None:
        middle = np.sqrt(ends.prod())
        aside = 1.8 if attrs["x"] == "root_h_alpha" else 1.15  # beside the fit, not on it
        level = aside * attrs["fit_prefactor"] * middle ** attrs["fit_exponent"]
        predicted = level * (ends / middle) ** verdict.predicted_value
        axes.plot(ends, predicted, "--", color=_PREDICTED, linewidth=1.3, label=f"predicted {verdict.predicted}")


def _log_axes(axes: Axes, attrs: dict, x: str) -> None:
    if attrs.get("x_log", 1):
        axes.set_xscale("log")
    if attrs.get("y_log", 1):
        axes.set_yscale("log")
    if x == "width":
        low, high = axes.get_xlim()
        ticks = [2.0**k for k in range(1, 20) if low <= 2.0**k <= high]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.xaxis.set_minor_formatter(NullFormatter())
    if attrs.get("y_log", 1):
        low, high = axes.get_ylim()
        if high / low < 30:  # less than a decade and a half: powers of ten alone would leave one label
            axes.yaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())


def phase_diagram(verdicts: Sequence[Verdict], experiment: str) -> Figure | None:
    """Draw the kernel change over h and alpha as colour, with the measured line where it is 1 and the predicted one."""
    members = {v.claim: v for v in verdicts if v.experiment == experiment and v.points is not None}
    kernel, crossover = members.get("kernel_change_feature"), members.get("crossover")
    if kernel is None or kernel.points is None:
        return None
    points = kernel.points
    width, a, value = (points[name].values for name in ("width", "root_h_alpha", "y"))
    if len(np.unique(width)) < 3 or len(np.unique(a)) < 4:
        return None
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE)
        axes = figure.add_axes((*_FRAME[:2], 0.67, _FRAME[3]))
        log_alpha, log_width, log_value = np.log10(a / np.sqrt(width)), np.log10(width), np.log10(value)
        bound = np.ceil(np.abs(log_value).max())
        filled = axes.tricontourf(log_alpha, log_width, log_value, np.linspace(-bound, bound, 25), cmap="PuOr")
        bar = figure.colorbar(
            filled, cax=figure.add_axes((0.83, _FRAME[1], 0.03, _FRAME[3])), label=r"$\|\Delta\Theta\|/\|\Theta_0\|$"
        )
        decades = np.arange(-bound, bound + 1, max(1, bound // 3)).tolist()
        bar.set_ticks(decades, labels=[rf"$10^{{{d:g}}}$" for d in decades])
        if crossover is not None and crossover.points is not None:
            star = crossover.points
            axes.plot(
                np.log10(star["y"]), np.log10(star["width"]), "o-", color="black", markersize=3.5, linewidth=1.1,
                label=r"measured $\alpha^*$",
            )  # fmt: skip
            if crossover.predicted_value is not None:
                h = np.array([width.min(), width.max()])
                level = np.exp(np.mean(np.log(star["y"]) - crossover.predicted_value * np.log(star["width"])))
                axes.plot(
                    np.log10(float(level) * h**crossover.predicted_value), np.log10(h), "--", color=_PREDICTED,
                    label=rf"predicted $\propto h^{{{crossover.predicted}}}$",
                )  # fmt: skip
            axes.legend(loc="upper right")
        exponents = np.arange(np.ceil(log_alpha.min()), log_alpha.max() + 0.01)
        exponents = exponents[:: max(1, len(exponents) // 6)]
        axes.set_xticks(exponents, [rf"$10^{{{e:g}}}$" for e in exponents])
        ticks = [2.0**k for k in range(1, 20) if width.min() <= 2.0**k <= width.max()]
        axes.set_yticks(np.log10(ticks), [f"{t:g}" for t in ticks])
        axes.set_xlabel(r"$\alpha$  (feature training: left; lazy training: right)")
        axes.set_ylabel(_LABELS["width"])
        return figure


def save(figure: Figure, folder: Path, name: str) -> str:
    """Write ``name``.svg into ``folder`` and return its text, without a date."""
    with mpl.rc_context(_STYLE):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        svg = buffer.getvalue()
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    # inside a page: no XML prologue, ids of its own
    body = svg[svg.index("<svg") :]
    return re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", body)
