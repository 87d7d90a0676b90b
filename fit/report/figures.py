"""Figures of what was measured beside what is predicted: one for each measured curve, with all its fits.

Several verdicts can be about one curve (the kernel change against A has a law in each regime): they share a figure.
A figure is written twice: as a file of its own, black on white, and as a part of a page, whose colours follow the
page's (light or dark) and whose points tell their values when pointed at.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from fit.curves.theory_curves import TheoryCurve
from fit.judge.verdict import Verdict
from fit.report.comparison import Row, has_power

_INK, _PAPER, _FIT, _PREDICTED, _THEORY = "#1b1f24", "#fefefe", "#1b1f25", "#b8400a", "#0b5394"
_STYLE: Any = {
    "svg.hashsalt": "lazyrich",  # same data, same bytes
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched, and coloured by the page
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
    "legend.handlelength": 2.2,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "grid.linewidth": 0.4,
    "grid.alpha": 0.15,
    **{name: _INK for name in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color",
                               "grid.color")},
}  # fmt: skip
#: inches, and left, bottom, width, height in parts: fixed, since a layout engine takes longer than all the drawing
_SIZE, _FRAME = (6.3, 3.6), (0.115, 0.135, 0.635, 0.835)
_LABELS = {
    "root_h_alpha": "A = √h·α",
    "width": "width h",
    "root_h_alpha_over_output": "A/F, F = rms output at the stop",
}
#: widths differ in colour and in shape, so that neither must be seen to tell them apart
_MARKERS = "osD^vP*X<>"
_WIDTH_COLOURS = ((0.0, 0.78), (0.42, 1.0))  #: parts of viridis for a light and for a dark page
_FONT = "DejaVu Sans, Verdana, system-ui, sans-serif"


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
    measured = "no power" if verdict.estimate is None else f"measured {_signed(f'{verdict.estimate:z.3f}')}"
    return f"{measured}, predicted {_signed(verdict.predicted or 'none')}, {verdict.verdict}"


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
    result = []
    for (experiment, _, x, _), members in grouped.items():
        name = f"{experiment}-{members[0].claim}-{members[0].regime}-{x}"
        quantities = {v.quantity for v in members} if x == "root_h_alpha" else set()
        beside = tuple(t for t in theory if t.experiment == experiment and t.quantity in quantities)
        result.append(Curve(_file(name), experiment, tuple(members), beside))
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


@dataclass(frozen=True)
class Drawing:
    """A figure, and what its points say when pointed at: (x, y in data coordinates, text)."""

    figure: Figure
    axes: Axes
    notes: tuple[tuple[float, float, str], ...]


def draw(curve: Curve) -> Drawing:
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
        points = curve.points.isel(point=shown)
        _log_scales(axes, curve.points.attrs)
        _data(axes, points, used[shown])
        for verdict in curve.verdicts:
            _law(axes, verdict)
        for one in curve.theory:
            axes.plot(one.root_h_alpha, one.value, color=_THEORY, linewidth=1.4, linestyle=one.dashes, label=one.label)
        _log_ticks(axes, curve.points.attrs, x)
        axes.set_xlabel(_LABELS[x])
        axes.set_ylabel(f"${curve.points.attrs['y_label']}$")
        axes.grid(True)
        figure.legend(loc="upper left", bbox_to_anchor=(_FRAME[0] + _FRAME[2] + 0.005, _FRAME[1] + _FRAME[3] + 0.02))
        return Drawing(figure, axes, _notes(points))


def _same(verdict: Verdict, curve: Curve) -> bool:
    return verdict.points is not None and verdict.points.sizes == curve.points.sizes


def _width_colours(number: int, dark: bool = False) -> list[str]:
    low, high = _WIDTH_COLOURS[dark]
    return [to_hex(c) for c in mpl.colormaps["viridis"](np.linspace(low, high, max(number, 1)))]


def _data(axes: Axes, points: xr.Dataset, used: np.ndarray) -> None:
    x = points[points.attrs["x"]].values
    y, low, high = (points[name].values for name in ("y", "y_low", "y_high"))
    error = np.abs(np.nan_to_num(np.stack([y - low, high - y])))
    widths = np.unique(points["width"].values[np.isfinite(points["width"].values)])
    several = points.attrs["x"] == "root_h_alpha" and len(widths) > 0
    colours = _width_colours(len(widths))
    for i, width in enumerate(widths if several else [None]):
        here = points["width"].values == width if several else np.ones(len(x), dtype=bool)
        order = np.flatnonzero(here)[np.argsort(x[here], kind="stable")]
        colour, marker = (colours[i], _MARKERS[i % len(_MARKERS)]) if several else (_THEORY, "o")
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
                markerfacecolor=_PAPER, markeredgewidth=0.8,
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


def _law(axes: Axes, verdict: Verdict) -> None:
    points = verdict.points
    assert points is not None
    attrs = points.attrs
    chosen = points[attrs["x"]].values[points["used"].values]
    if len(chosen) == 0 or "fit_exponent" not in attrs:
        return
    ends = np.array([chosen.min(), chosen.max()])
    if attrs["x"] == "root_h_alpha":
        axes.axvspan(*ends, color=_INK, alpha=0.06, linewidth=0)
    fitted = attrs["fit_prefactor"] * ends ** attrs["fit_exponent"]
    label = "fit " + _signed(f"{attrs['fit_exponent']:z.3f}")
    axes.plot(ends, fitted, color=_FIT, linewidth=1.3, label=label)
    if verdict.predicted_value is not None:
        middle = np.sqrt(ends.prod())
        aside = 1.8 if attrs["x"] == "root_h_alpha" else 1.15  # beside the fit, not on it
        level = aside * attrs["fit_prefactor"] * middle ** attrs["fit_exponent"]
        predicted = level * (ends / middle) ** verdict.predicted_value
        label = f"predicted {_signed(verdict.predicted or '')}"
        axes.plot(ends, predicted, "--", color=_PREDICTED, linewidth=1.4, label=label)


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _log_scales(axes: Axes, attrs: dict) -> None:
    if attrs.get("x_log", 1):
        axes.set_xscale("log")
    if attrs.get("y_log", 1):
        axes.set_yscale("log")


def _log_ticks(axes: Axes, attrs: dict, x: str) -> None:
    """Few ticks that can be read: powers of ten over decades, plain numbers within a decade or two."""
    axes.xaxis.set_minor_locator(NullLocator())
    if x == "width":
        low, high = axes.get_xlim()
        ticks = [2.0**k for k in range(1, 20) if low <= 2.0**k <= high]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    else:
        axes.xaxis.set_major_formatter(_DECADES)
    if attrs.get("y_log", 1):
        low, high = axes.get_ylim()
        axes.yaxis.set_major_formatter(_DECADES)
        if high / low < 30:  # powers of ten alone would leave one label or none
            steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0) if high / low < 6 else (1.0, 2.0, 5.0)
            axes.yaxis.set_major_locator(LogLocator(10, subs=steps))
            if high / low < 1.5:
                axes.yaxis.set_major_locator(FixedLocator(_round_steps(low, high)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
        axes.yaxis.set_minor_locator(NullLocator())


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _decade(value: float, _: Any = None) -> str:
    """10⁻⁴: a power of ten as text, which is set in a hundredth of the time that a formula takes."""
    return "10" + f"{np.log10(value):.0f}".translate(_SUPERSCRIPT) if value > 0 else ""


_DECADES = FuncFormatter(_decade)


def _round_steps(low: float, high: float) -> list[float]:
    step = 10 ** np.floor(np.log10((high - low) / 2))
    step *= next(m for m in (5, 2, 1) if (high - low) / (m * step) >= 2)
    return [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def phase_diagram(verdicts: Sequence[Verdict], experiment: str) -> Drawing | None:
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
        axes = figure.add_axes((*_FRAME[:2], 0.67, _FRAME[3] - 0.05))
        log_alpha, log_width, log_value = np.log10(a / np.sqrt(width)), np.log10(width), np.log10(value)
        bound = np.ceil(np.abs(log_value).max())
        filled = axes.tricontourf(log_alpha, log_width, log_value, np.linspace(-bound, bound, 25), cmap="PuOr")
        bar = figure.colorbar(filled, cax=figure.add_axes((0.82, _FRAME[1], 0.03, _FRAME[3] - 0.05)))
        bar.set_label(r"kernel change $\|\Delta\Theta\|/\|\Theta_0\|$")
        decades = np.arange(-bound, bound + 1, max(1, bound // 3)).tolist()
        bar.set_ticks(decades, labels=[_decade(10.0**d) for d in decades])
        if crossover is not None and crossover.points is not None and crossover.points.sizes["point"]:
            _star_line(axes, crossover)
            axes.legend(loc="lower left", bbox_to_anchor=(0, 0.99), ncols=2, borderpad=0)
        exponents = np.arange(np.ceil(log_alpha.min()), log_alpha.max() + 0.01)
        exponents = exponents[:: max(1, len(exponents) // 6)]
        axes.set_xticks(exponents, [_decade(10.0**e) for e in exponents])
        ticks = [2.0**k for k in range(1, 20) if width.min() <= 2.0**k <= width.max()]
        axes.set_yticks(np.log10(ticks), [f"{t:g}" for t in ticks])
        axes.set_xlabel("α  (feature training: left; lazy training: right)")
        axes.set_ylabel(_LABELS["width"])
        told = [f"h = {h:g}, α = {s / np.sqrt(h):.3g} (A = {s:.3g}): {v:.3g}" for h, s, v in zip(width, a, value,
                                                                                           strict=True)]  # fmt: skip
        return Drawing(figure, axes, tuple(zip(log_alpha, log_width, told, strict=True)))


#: degree at infinity -> colour and marker in the comparison of activations
_CLASSES = {"0": ("#2f7d4f", "s"), "1": (_THEORY, "o"), "2": (_PREDICTED, "^")}


def exponents(rows: Sequence[Row]) -> Drawing | None:
    """Draw the measured exponent a of every activation over the depth, and the predicted one for each degree.

    What theory says is no power is left out: such numbers scatter beyond all others.
    """
    shown = [
        row for row in rows if row.kernel is not None and row.kernel.estimate is not None and has_power(row.kernel)
    ]
    if len(shown) < 2:
        return None
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE)
        axes = figure.add_axes(_FRAME)
        notes: list[tuple[float, float, str]] = []
        depths = sorted({row.depth for row in shown})
        for degree in sorted({row.degree for row in shown}, key=str):
            members = [row for row in shown if row.degree == degree]
            colour, marker = _CLASSES.get(degree, (_INK, "D"))
            names = list(dict.fromkeys(row.activation for row in members))
            room = min(0.5, 0.06 * len(names))
            for i, row in enumerate(members):
                assert row.kernel is not None
                assert row.kernel.estimate is not None
                # side by side, not on each other
                place = row.depth + room * ((names.index(row.activation) + 0.5) / len(names) - 0.5)
                a = -row.kernel.estimate
                label = f"measured, k = {degree}" if i == 0 else None
                axes.plot([place], [a], marker, color=colour, markersize=4, alpha=0.8, label=label, linestyle="none")
                expected = row.kernel.predicted or "no power"
                notes.append((place, a, f"{row.activation}, L = {row.depth}: a = {a:.3f}, predicted {expected}"))
            law = sorted({(r.depth, -v.predicted_value) for r in members if (v := r.kernel) and v.predicted_value})
            if law:
                axes.plot(*zip(*law, strict=True), "--", color=colour, linewidth=1.2, label=f"predicted, k = {degree}")
        axes.set_xticks(depths, [str(depth) for depth in depths])
        axes.set_xlabel("hidden layers L")
        axes.set_ylabel("a, kernel change ~ A^(−a)")
        axes.grid(True)
        figure.legend(loc="upper left", bbox_to_anchor=(_FRAME[0] + _FRAME[2] + 0.005, _FRAME[1] + _FRAME[3] + 0.02))
        return Drawing(figure, axes, tuple(notes))


def _star_line(axes: Axes, crossover: Verdict) -> None:
    """alpha* as measured, and the predicted power through it; black, since both lie on colour in every theme."""
    star = crossover.points
    assert star is not None
    width, y = star["width"].values, star["y"].values
    axes.plot(np.log10(y), np.log10(width), "o-", color="#000000", markersize=3.5, linewidth=1.2, label="_")
    axes.plot([], [], "o-", color=_INK, markersize=3.5, linewidth=1.2, label="measured α* (change 1)")
    if crossover.predicted_value is None:
        return
    h = np.array([width.min(), width.max()])
    level = np.exp(np.mean(np.log(y) - crossover.predicted_value * np.log(width)))
    line = np.log10(float(level) * h**crossover.predicted_value)
    label = f"predicted ∝ h^({_signed(crossover.predicted or '')})"
    axes.plot(line, np.log10(h), "--", color=_PREDICTED, linewidth=1.4, label=label)


def save(drawing: Drawing, folder: Path, name: str, title: str = "") -> str:
    """Write ``name``.svg into ``folder`` and return the figure as a part of a page.

    The file is black on white. The part has ids of its own, colours that are CSS variables (see `colour_variables`),
    and over each point a transparent circle whose title tells its values.
    """
    with mpl.rc_context(_STYLE):
        buffer = io.StringIO()
        drawing.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        svg = buffer.getvalue().replace("'DejaVu Sans'", _FONT)
        plain = svg.replace("\n <defs>", '\n <rect width="100%" height="100%" fill="#ffffff"/>\n <defs>', 1)
        (folder / f"{name}.svg").write_text(plain, encoding="utf-8")
        points = _hover(drawing)
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[svg.index("<svg") :], flags=re.S)
    body = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", body)
    body = re.sub(r"(?<=[a-z]: )(#[0-9a-f]{6})", _variable, body)
    body = body.replace("<svg ", '<svg role="img" ', 1).replace(">", f">\n<title>{escape(title or name)}</title>", 1)
    return body.replace("</svg>", f"{points}</svg>")


def _hover(drawing: Drawing) -> str:
    """Transparent circles with titles, in the coordinates of the SVG: points (1/72 inch) from the upper left."""
    if not drawing.notes:
        return ""
    scale = 72 / drawing.figure.dpi
    height = drawing.figure.get_figheight() * 72
    place = drawing.axes.transData.transform([(x, y) for x, y, _ in drawing.notes]) * scale
    circles = (
        f'<circle cx="{x:.1f}" cy="{height - y:.1f}" r="5"><title>{escape(text)}</title></circle>'
        for (x, y), (_, _, text) in zip(place, drawing.notes, strict=True)
        if np.isfinite(x) and np.isfinite(y)
    )
    return f'<g class="hover" fill="transparent">{"".join(circles)}</g>'


_DARK = {
    _INK: "#e6edf3",
    _PAPER: "#0f1319",
    _FIT: "#ffffff",
    _PREDICTED: "#ff9e64",
    _THEORY: "#79b8ff",
    "#2f7d4f": "#6fd19a",
}


@functools.cache
def _dark_colours() -> dict[str, str]:
    """Colour on a light page -> colour on a dark one."""
    widths = {
        light: dark
        for number in range(1, 41)
        for light, dark in zip(_width_colours(number), _width_colours(number, dark=True), strict=True)
    }
    return widths | _DARK


def _variable(found: re.Match) -> str:
    colour = found.group(1)
    return f"var(--c{colour[1:]}, {colour})" if colour in _dark_colours() else colour


def colour_variables(page: str) -> str:
    """Return the CSS declarations that give the figures on ``page`` their colours in the dark."""
    used = sorted(set(re.findall(r"var\(--c([0-9a-f]{6}),", page)))
    return " ".join(f"--c{colour}: {_dark_colours()[f'#{colour}']};" for colour in used)
