"""The report: verdicts, figures, derivations and provenance, put into a page and a Markdown file."""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from fit.curves.theory_curves import TheoryCurve
from fit.judge.outlook import outlook
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.processes import Map
from fit.report import figures
from fit.report.comparison import COLUMNS, Row, comparison, expected_power, tally
from fit.report.headline import Headline, headlines
from fit.report.mathematics import mathml
from lazyrich.errors import InputError
from simulate.training.status import Status
from theory.activation import Activation
from theory.claims import claims
from theory.prediction import Form, Prediction
from theory.predictions import predictions

#: With more experiments than this a page is an overview: figures of single curves would fill hundreds of screens.
MOST_EXPERIMENTS_WITH_FIGURES = 12
#: From this many activations on, the comparison is what the page is about, and comes first.
MANY_ACTIVATIONS = 5
#: Figures that are drawn at a time, where processes share them.
BATCH = 3

GLOSSARY = (
    ("h", r"h", "neurons per hidden layer (width)"),
    ("L", r"L", "hidden layers (depth); L + 1 weight matrices"),
    ("alpha", r"\alpha", "output scale: F = alpha (f(w) - f(w_0)), last layer ~ h^(-1/2)"),
    ("A", r"A = \sqrt{h}\,\alpha", "the crossover variable"),
    ("F", r"F", "trained predictor; training stops when every margin F·y is 1"),
    ("Theta", r"\Theta", "neural tangent kernel on held-out points"),
    ("delta F", r"\delta F", "rms over test points of the seed-to-seed standard deviation of F"),
    ("t1", r"t_1", "first time at which F has left its tangent at time zero by half"),
    ("t_half", r"t_{1/2}", "first time with mean loss below 1/2"),
    ("a", r"a", "exponent of the kernel change in the feature regime, kernel change ~ A^(-a)"),
    ("k, D", r"k,\ D", "degree of the activation at infinity; degree of f in the common scale of the weights"),
)


@dataclass(frozen=True)
class Section:
    """One claim: its verdicts, the predictions behind them, and the figures."""

    claim: str
    title: str
    rows: list[Verdict]
    laws: list[tuple[Prediction, list[str]]]  #: with the experiments that they are for
    curves: list[figures.Curve]
    elsewhere: list[figures.Curve]  #: that show this claim too, and stand in another section


@dataclass(frozen=True)
class Report:
    """Everything that goes onto the page."""

    title: str
    summary: str
    headlines: list[Headline]
    decisive: list[Verdict]
    undecided: list[Verdict]  #: measured, but decided elsewhere only
    open: list[Verdict]
    sections: list[Section]
    phase: list[tuple[str, str]]  #: experiment and figure name
    compared: list[Row]  #: activations side by side; empty if there is one only
    experiments: list[dict[str, Any]]
    figures_left_out: bool
    sources: list[str]
    figure_svg: dict[str, str] = field(default_factory=dict)


def judged(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return what an experiment could bear a measurement of: an interval, or a word other than "inconclusive"."""
    order = [one.name for one in claims()]
    chosen = [v for v in verdicts if v.verdict in ("consistent", "inconsistent") or _has_interval(v)]
    return sorted(chosen, key=lambda v: (order.index(v.claim) if v.claim in order else len(order), v.experiment))


def decisive(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Leave out what is undecided in one experiment and decided in another of the same law, regime and variable."""
    rows = judged(verdicts)
    decided = {(v.claim, v.regime, v.variable) for v in rows if v.verdict != "inconclusive"}
    return [v for v in rows if v.verdict != "inconclusive" or (v.claim, v.regime, v.variable) not in decided]


def _has_interval(verdict: Verdict) -> bool:
    return verdict.verdict == "inconclusive" and verdict.ci_low is not None and verdict.ci_high is not None


def summary(verdicts: Sequence[Verdict]) -> str:
    """Say in a few sentences what came out; computed from the verdicts alone."""
    by_claim: dict[str, list[Verdict]] = {}
    for verdict in judged(verdicts):
        by_claim.setdefault(verdict.claim, []).append(verdict)
    if not by_claim:
        return "No law could be measured with these data."
    words = {claim: Counter(v.verdict for v in rows) for claim, rows in by_claim.items()}
    hold = [c for c, w in words.items() if w["consistent"] and not w["inconsistent"]]
    fail = [c for c, w in words.items() if w["inconsistent"]]
    undecided = [c for c in words if c not in hold and c not in fail]
    parts = [f"{len(hold)} of {len(words)} laws hold wherever the data decide"]
    if fail:
        parts.append(
            f"{_list(fail)} {_do(fail, 'contradicts', 'contradict')} the prediction in at least one experiment"
        )
    if undecided:
        parts.append(f"{_list(undecided)} {_do(undecided, 'stays', 'stay')} undecided with this much data")
    text = "; ".join(parts) + "."
    exponents = [v for v in by_claim.get("kernel_change_feature", []) if v.estimate is not None]
    if 0 < len(exponents) <= MOST_EXPERIMENTS_WITH_FIGURES:
        slopes = [f"{-v.estimate:.3f} ± {(v.ci_high - v.ci_low) / 2:.3f} ({v.experiment})" for v in exponents]  # type: ignore[operator]
        text += f" In the feature regime the kernel changes as A^−a with a = {_list(slopes)}."
    rows = [v for rows in by_claim.values() for v in rows]
    counts = Counter(v.verdict for v in rows)
    told = ", ".join(
        f"{counts[word]} {word}" for word in ("consistent", "inconsistent", "inconclusive") if counts[word]
    )
    return f"{text} Verdicts: {told}."


def _list(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _do(items: Sequence[str], one: str, many: str) -> str:
    return one if len(items) == 1 else many


def build(
    title: str,
    verdicts: Sequence[Verdict],
    found: Sequence[Measurements],
    folder: Path,
    *,
    theory: Sequence[TheoryCurve] = (),
    apply: Map = map,
) -> Report:
    """Draw the figures into ``folder``/figures and collect what the templates need.

    Parameters
    ----------
    theory : sequence of TheoryCurve
        What theory gives beyond powers, drawn beside the measurements.
    apply : callable
        What draws figures one by one: ``map``, or one that processes share (`fit.processes`).
    """
    laws = {one.name: _laws(one) for one in found}
    overview = len(found) > MOST_EXPERIMENTS_WITH_FIGURES
    # what is undecided here and decided by another experiment has its numbers in the tables, and no figure
    undecided = [v for v in judged(verdicts) if v not in decisive(verdicts)]
    drawn = [] if overview else figures.curves([v for v in verdicts if v not in undecided], theory)
    report = Report(
        title=title,
        summary=summary(verdicts),
        headlines=headlines(decisive(verdicts)),
        decisive=decisive(verdicts),
        undecided=undecided,
        open=[v for v in verdicts if v not in judged(verdicts)],
        sections=_sections(verdicts, laws, drawn),
        phase=[],
        compared=comparison(verdicts, found),
        figures_left_out=overview,
        experiments=[_experiment(one) for one in found],
        sources=sorted({one.store for one in found if one.store}),
    )
    target = folder / "figures"
    target.mkdir(parents=True, exist_ok=True)
    told = "Measured and predicted exponents a over the depth"
    wanted = [_Figure("exponents", told, functools.partial(figures.exponents, report.compared))]
    for one in [] if overview else found:
        told = f"Kernel change over width and output scale, {one.name}"
        own = [v for v in verdicts if v.experiment == one.name]
        wanted.append(_Figure(f"phase-{one.name}", told, functools.partial(figures.phase_diagram, own, one.name)))
    wanted += [_Figure(curve.name, curve.caption, functools.partial(figures.draw, curve)) for curve in drawn]
    batches = [wanted[i : i + BATCH] for i in range(0, len(wanted), BATCH)]
    for svgs in apply(functools.partial(_draw, folder=target), batches):
        report.figure_svg.update(svgs)
    # the first one stands on the first screen: that of most networks
    largest = sorted(found, key=lambda one: (len(one.widths), one.status.size), reverse=True)
    report.phase.extend((one.name, f"phase-{one.name}") for one in largest if f"phase-{one.name}" in report.figure_svg)
    return report


@dataclass(frozen=True)
class _Figure:
    name: str
    title: str
    draw: Callable[[], figures.Drawing | None]


def _draw(wanted: Sequence[_Figure], folder: Path) -> dict[str, str]:
    """Write those figures that there is something to draw for; return them as parts of a page."""
    return {
        one.name: figures.save(drawing, folder, one.name, one.title)
        for one in wanted
        if (drawing := one.draw()) is not None
    }


def _laws(one: Measurements) -> tuple[Prediction, ...]:
    if one.activation is None or one.depth is None:
        return ()
    try:
        activation = Activation(one.activation, normalise=bool(one.description.get("normalise", True)))
        return predictions(activation, one.depth)
    except InputError:
        return ()


def _sections(
    verdicts: Sequence[Verdict], laws: Mapping[str, Sequence[Prediction]], drawn: Sequence[figures.Curve]
) -> list[Section]:
    sections = []
    titles = {one.name: one.title for one in claims()}
    for claim in [*titles, *sorted({v.claim for v in verdicts} - set(titles))]:
        rows = [v for v in judged(verdicts) if v.claim == claim]
        if not rows:
            continue
        told: dict[tuple, tuple[Prediction, list[str]]] = {}
        for name in sorted({part for v in rows for part in v.experiment.split(" + ")}):
            for law in laws.get(name, ()):
                if law.claim == claim:
                    told.setdefault((law.expected, law.derivation), (law, []))[1].append(name)
        own = [c for c in drawn if c.verdicts[0].claim == claim]
        elsewhere = [c for c in drawn if c not in own and any(v.claim == claim for v in c.verdicts)]
        sections.append(Section(claim, titles.get(claim, claim), rows, list(told.values()), own, elsewhere))
    return sections


def _experiment(one: Measurements) -> dict[str, Any]:
    """What was run, how it ended and what it cost, of one experiment."""
    attributes = one.data.attrs
    endings, counts = np.unique(one.status, return_counts=True)
    cost = {}
    for name in ("steps", "gradient_evaluations", "wall_time"):
        if name in one.data:
            values = np.asarray(one.data[name].values, dtype=float)
            cost[name] = float(np.nansum(values))
    return {
        "name": one.name,
        "description": {k: v for k, v in one.description.items() if k != "name"},
        "data": attributes.get("data", {}) if isinstance(attributes.get("data"), dict) else {},
        "versions": attributes.get("versions") if isinstance(attributes.get("versions"), dict) else {},
        "commit": attributes.get("commit"),
        "device": attributes.get("device"),
        "dtype": attributes.get("dtype"),
        "endings": [(Status(s).sentence, n) for s, n in zip(endings.tolist(), counts.tolist(), strict=True)],
        "networks": int(np.asarray(one.status).size),
        "cost": cost,
    }


def write(report: Report, verdicts: Sequence[Verdict], folder: Path) -> None:
    """Write report.html, report.md and verdicts.json into ``folder``."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "number": _number,
        "interval": _interval,
        "short": _short,
        "power": _power,
        "measured": _measured,
        "agreement": _agreement,
        "expected_power": expected_power,
    }
    environment.globals |= {
        "math": mathml,
        "svg": lambda name: Markup(report.figure_svg.get(name, "")),
        "glossary": GLOSSARY,
        "margins": [one for one in claims() if one.because],
        "table_of": _table,
        "outlook": outlook,
        "columns": COLUMNS,
        "tally": tally,
        "many_activations": MANY_ACTIVATIONS,
    }
    page = "".join(report.figure_svg.values())
    for template, name in (("report.html.j2", "report.html"), ("report.md.j2", "report.md")):
        text = environment.get_template(template).render(report=report, dark=figures.colour_variables(page))
        (folder / name).write_text(text, encoding="utf-8")
    rows = [verdict.to_json() for verdict in verdicts]
    text = json.dumps(rows, indent=2, allow_nan=False, ensure_ascii=False)
    (folder / "verdicts.json").write_text(text + "\n", encoding="utf-8")


def _template(name: str) -> str:
    return resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")


def _number(value: float | None, digits: int = 3) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:z.{digits}f}".replace("-", "−")


def _power(verdict: Verdict) -> str:
    """The predicted power, or what is predicted instead."""
    if verdict.predicted is not None:
        return verdict.predicted.replace("-", "−")
    if verdict.stands_for_power is not None and verdict.claimed:
        return verdict.stands_for_power
    return "A ln(1/A)" if verdict.form is Form.LOGARITHM else "no power"


def _measured(verdict: Verdict) -> str:
    """The estimate and the half-width of its 95 % interval."""
    if verdict.estimate is None:
        return "no power"
    if verdict.ci_low is None or verdict.ci_high is None:
        return _number(verdict.estimate)
    return f"{_number(verdict.estimate)} ± {_number((verdict.ci_high - verdict.ci_low) / 2)}"


def _agreement(curve: TheoryCurve, measured: figures.Curve) -> str:
    """How far the widest networks are from a curve that has no free parameter, where it is drawn."""
    points = measured.points
    width, a, y = (points[name].values for name in ("width", "root_h_alpha", "y"))
    here = (width == np.max(width)) & (a >= curve.root_h_alpha.min() * 0.99) & (a <= curve.root_h_alpha.max() * 1.01)
    if not here.any():
        return ""
    expected = np.exp(np.interp(np.log(a[here]), np.log(curve.root_h_alpha), np.log(curve.value)))
    ratio = y[here] / expected
    return f"measured values at h = {np.max(width):g} are {ratio.min():.2f} to {ratio.max():.2f} times the curve"


def _interval(verdict: Verdict) -> str:
    if verdict.ci_low is None or verdict.ci_high is None:
        return "–"
    return f"[{_number(verdict.ci_low)}, {_number(verdict.ci_high)}]"


def _short(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.4g}"


def _table(curve: figures.Curve) -> list[tuple[str, ...]]:
    """The plotted values as rows: h, A, value, interval, used."""
    points = curve.points
    used = np.any([v.points["used"].values for v in curve.verdicts if v.points is not None], axis=0)
    columns = [points[name].values.tolist() for name in ("width", "root_h_alpha", "y", "y_low", "y_high")]
    pooled_only = points.attrs["x"] == "width"
    return [
        (*map(_short, row), "yes" if marked else "no")
        for row, marked in zip(zip(*columns, strict=True), used, strict=True)
        if not (pooled_only and math.isfinite(row[1]))
    ]
