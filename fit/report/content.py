"""Everything that goes onto the page, collected from verdicts and measurements, with the figures drawn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fit.curves.theory_curves import TheoryCurve
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.processes import Map
from fit.report import data_state, summary
from fit.report.comparison import Row, comparison
from fit.report.figures import exponents, forest, measured_curve, phase_diagram, svg
from fit.report.figures.drawing import Drawing
from fit.report.figures.measured_curve import Curve
from fit.report.figures.svg import PagePart
from fit.report.laws import Law, laws, same_prediction
from fit.report.titles import full_title, section_title, section_titles
from lazyrich.errors import InputError
from lazyrich.filenames import file_names
from lazyrich.wording import sentence_case
from theory.activation import Activation
from theory.prediction import Prediction
from theory.predictions import predictions

#: With more experiments than this a page is an overview: figures of single curves would fill hundreds of screens.
MOST_EXPERIMENTS_WITH_FIGURES = 12
#: With more measured powers than this the figure of all laws has one row a law and not one a measurement.
MOST_FOREST_ROWS = 90
#: Figures that are drawn at a time, where processes share them.
BATCH = 3


@dataclass(frozen=True)
class Section:
    """One claim: its verdicts, the predictions behind them, and the figures."""

    claim: str
    title: str
    rows: list[Verdict]
    laws: list[tuple[Prediction, list[str]]]  #: with the experiments that they are for
    statements: list[tuple[Prediction, list[str]]]  #: the same, what reads alike (in A and in h, at two depths) once
    fits: list[tuple[str, dict[str, Any]]]  #: experiment and a row of `Verdict.goodness`, each once
    curves: list[Curve]
    elsewhere: list[Curve]  #: that show this claim too, and stand in another section


@dataclass(frozen=True)
class Unmeasured:
    """Claims without a measurement, for one reason: (title, experiments) of each."""

    reason: str
    claims: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Report:
    """Everything that goes onto the page."""

    title: str
    data: str  #: what it rests on, in a few sentences
    unfinished: bool  #: whether networks are pending
    states: list[data_state.ExperimentState]
    summary: str
    counts: str  #: measurements by outcome
    laws: list[Law]
    verdicts: list[Verdict]
    decisive: list[Verdict]
    undecided: list[Verdict]  #: measured, but decided elsewhere only
    unmeasured: list[Unmeasured]
    refused: list[Unmeasured]  #: of which theory makes no claim
    sections: list[Section]
    phase: list[tuple[str, str]]  #: experiment and figure name
    compared: list[Row]  #: activations side by side; empty if there is one only
    experiments: list[dict[str, Any]]
    figures_left_out: bool
    one_row_a_law: bool  #: whether the figure of all laws shows of each the measurement that speaks most against it
    sources: list[str]
    command: str = ""  #: that makes it again
    figures: dict[str, PagePart] = field(default_factory=dict)
    folder: Path = Path()


def measured(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts on what could be measured: with an interval, or decided.

    A law that is not derived for these networks is left out where another one is about the same measurement: of the
    kernel change in the lazy regime, say, theory has a law for networks that keep f_0 and one for those that do not.
    """
    order = list(section_titles())
    derived = {_same_measurement(v) for v in verdicts if v.claimed}
    chosen = [
        v for v in verdicts
        if (v.verdict != "inconclusive" or None not in (v.ci_low, v.ci_high))
        and (v.claimed or _same_measurement(v) not in derived)
    ]  # fmt: skip
    return sorted(chosen, key=lambda v: (order.index(v.claim) if v.claim in order else len(order), v.experiment))


def _same_measurement(verdict: Verdict) -> tuple:
    return verdict.experiment, verdict.quantity, verdict.variable, verdict.regime


def decisive(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Leave out what is undecided in one experiment and decided in another of which the same is predicted."""
    rows = measured(verdicts)
    decided = {same_prediction(v) for v in rows if v.verdict != "inconclusive"}
    return [v for v in rows if v.verdict != "inconclusive" or same_prediction(v) not in decided]


def collect(
    title: str,
    verdicts: Sequence[Verdict],
    experiments: Sequence[Measurements],
    folder: Path,
    *,
    theory: Sequence[TheoryCurve] = (),
    formats: Sequence[str] = (),
    command: str = "",
    apply: Map = map,
) -> Report:
    """Draw the figures into ``folder``/figures and collect what the templates need.

    Parameters
    ----------
    theory : sequence of TheoryCurve
        What theory gives beyond powers, drawn beside the measurements.
    formats : sequence of {"pdf", "png"}
        In which the figures are written beside SVG.
    command : str
        The command line that makes the report again; empty where there is none.
    apply : callable
        What draws figures one by one: ``map``, or one that processes share (`fit.processes`).
    """
    predicted = {experiment.name: _predictions(experiment) for experiment in experiments}
    overview = len(experiments) > MOST_EXPERIMENTS_WITH_FIGURES
    deciding = decisive(verdicts)
    # what is undecided here and decided by another experiment has its numbers in the appendix, and no figure
    undecided = [v for v in measured(verdicts) if v not in deciding]
    shown = [v for v in verdicts if v in deciding or (v.claimed and v not in undecided)]
    drawn = [] if overview else measured_curve.curves(shown, theory)
    unmeasured = [v for v in verdicts if v not in deciding and v not in undecided]
    states = [data_state.state_of(experiment) for experiment in experiments]
    report = Report(
        title=title,
        data=data_state.headline(states),
        unfinished=any(state.pending for state in states),
        states=states,
        summary=summary.summary(deciding, experiments),
        counts=summary.outcome_counts(measured(verdicts)),
        laws=laws(deciding, experiments),
        verdicts=list(verdicts),
        decisive=deciding,
        undecided=undecided,
        unmeasured=_by_reason([v for v in unmeasured if v.not_claimed_because is None]),
        refused=_by_reason([v for v in unmeasured if v.not_claimed_because is not None]),
        sections=_sections(verdicts, predicted, drawn),
        phase=[],
        compared=comparison(verdicts, experiments),
        figures_left_out=overview,
        one_row_a_law=len(deciding) + len(undecided) > MOST_FOREST_ROWS,
        experiments=[_provenance(experiment) for experiment in experiments],
        sources=sorted({experiment.store for experiment in experiments if experiment.store}),
        command=command,
        folder=folder,
    )
    phase_names = _phase_names(experiments, drawn)
    figures = _figures(report, experiments, drawn, overview, phase_names)
    target = folder / "figures"
    target.mkdir(parents=True, exist_ok=True)
    batches = [figures[i : i + BATCH] for i in range(0, len(figures), BATCH)]
    for parts in apply(functools.partial(_draw, folder=target, formats=tuple(formats)), batches):
        report.figures.update(parts)
    # the first one stands on the first screen: that of most networks
    largest = sorted(experiments, key=lambda e: (len(e.widths), e.status.size), reverse=True)
    drawn_phases = ((experiment.name, phase_names[experiment.name]) for experiment in largest)
    report.phase.extend((experiment, name) for experiment, name in drawn_phases if name in report.figures)
    return report


@dataclass(frozen=True)
class _Figure:
    name: str
    title: str
    draw: Callable[[], Drawing | None]


def _figures(
    report: Report,
    experiments: Sequence[Measurements],
    drawn: Sequence[Curve],
    overview: bool,
    phase_names: Mapping[str, str],
) -> list[_Figure]:
    rows = report.decisive + report.undecided
    if report.one_row_a_law:
        rows = [row.shown for law in report.laws for row in law.rows]
    rows = forest.by_law(rows)
    figures = [
        _Figure("laws", "Measured powers beside the predicted ones", functools.partial(forest.draw, rows)),
        _Figure(
            "exponents", "Measured and predicted exponents a over the depth",
            functools.partial(exponents.draw, report.compared),
        ),
    ]  # fmt: skip
    for experiment in [] if overview else experiments:
        title = f"Kernel change over width and output scale, {experiment.name}"
        of_experiment = [v for v in report.verdicts if v.experiment == experiment.name]
        draw = functools.partial(phase_diagram.draw, of_experiment, experiment.name)
        figures.append(_Figure(phase_names[experiment.name], title, draw))
    return figures + [_Figure(c.name, c.caption, functools.partial(measured_curve.draw, c)) for c in drawn]


def _phase_names(experiments: Sequence[Measurements], drawn: Sequence[Curve]) -> dict[str, str]:
    """Return the file name of each experiment's phase diagram, none of them that of another figure."""
    prefix = "phase-"
    taken = ["laws", "exponents", *(curve.name for curve in drawn)]
    wanted = (prefix + experiment.name for experiment in experiments)
    names = file_names(wanted, longest=measured_curve.LONGEST_NAME, taken=taken)
    return {text.removeprefix(prefix): name for text, name in names.items()}


def _draw(figures: Sequence[_Figure], folder: Path, formats: Sequence[str]) -> dict[str, PagePart]:
    """Write those figures that there is something to draw for; return them as parts of a page."""
    return {
        figure.name: svg.save(drawing, folder, figure.name, figure.title, formats)
        for figure in figures
        if (drawing := figure.draw()) is not None
    }


def _predictions(experiment: Measurements) -> tuple[Prediction, ...]:
    if experiment.activation is None or experiment.depth is None:
        return ()
    try:
        activation = Activation(experiment.activation, normalise=bool(experiment.description.get("normalise", True)))
        return predictions(activation, experiment.depth)
    except InputError:
        return ()


def _sections(
    verdicts: Sequence[Verdict], predicted: Mapping[str, Sequence[Prediction]], drawn: Sequence[Curve]
) -> list[Section]:
    rows_of: dict[str, list[Verdict]] = {}
    for v in measured(verdicts):
        rows_of.setdefault(v.claim, []).append(v)
    sections = []
    for claim, rows in rows_of.items():
        regimes = {(v.regime, v.variable) for v in rows}
        stated: dict[tuple, tuple[Prediction, list[str]]] = {}
        for name in sorted({part for v in rows for part in v.experiment.split(" + ")}):
            for law in predicted.get(name, ()):
                if law.claim == claim and (law.regime.label, law.variable) in regimes:
                    key = (law.expected, law.regime, law.variable, law.derivation)
                    names = stated.setdefault(key, (law, []))[1]
                    names.extend([] if name in names else [name])
        of_claim = [c for c in drawn if c.verdicts[0].claim == claim]
        elsewhere = [c for c in drawn if c not in of_claim and any(v.claim == claim for v in c.verdicts)]
        laws_stated = list(stated.values())
        once = _stated_once(laws_stated)
        sections.append(
            Section(claim, section_title(rows[0]), rows, laws_stated, once, _fits(rows), of_claim, elsewhere)
        )
    return sections


def _stated_once(stated: Sequence[tuple[Prediction, list[str]]]) -> list[tuple[Prediction, list[str]]]:
    """Return laws of which no two read alike, each with all experiments that it is for."""
    once: dict[tuple, tuple[Prediction, list[str]]] = {}
    for law, names in stated:
        key = (law.formula or law.expected, law.regime.name, law.regime.condition, law.by_construction)
        known = once.setdefault(key, (law, []))[1]
        known.extend(name for name in names if name not in known)
    return list(once.values())


def _fits(rows: Sequence[Verdict]) -> list[tuple[str, dict[str, Any]]]:
    """Return the comparisons with whole curves: one that spans both regimes is that of two verdicts."""
    fits = [(v.experiment, fit) for v in rows for fit in v.goodness]
    once = {(name, fit["curve"], fit["width"], fit["low"], fit["high"]): (name, fit) for name, fit in fits}
    return list(once.values())


def _by_reason(verdicts: Sequence[Verdict]) -> list[Unmeasured]:
    """Verdicts with the same reason together, so that it is said once."""
    grouped: dict[str, dict[str, list[str]]] = {}
    for v in verdicts:
        reason = v.reason if v.not_claimed_because is None else f"{sentence_case(v.not_claimed_because)}."
        grouped.setdefault(reason, {}).setdefault(full_title(v), []).append(v.experiment)
    return [
        Unmeasured(reason, [(title, sorted(set(names))) for title, names in claims.items()])
        for reason, claims in grouped.items()
    ]


def _provenance(experiment: Measurements) -> dict[str, Any]:
    """What was run, and what it cost, of one experiment."""
    attributes = experiment.data.attrs
    cost = {}
    for name in ("steps", "gradient_evaluations", "wall_time"):
        if name in experiment.data:
            values = np.asarray(experiment.data[name].values, dtype=float)
            cost[name] = float(np.nansum(values))
    return {
        "name": experiment.name,
        "description": {k: v for k, v in experiment.description.items() if k != "name"},
        "data": attributes.get("data", {}) if isinstance(attributes.get("data"), dict) else {},
        "versions": attributes.get("versions") if isinstance(attributes.get("versions"), dict) else {},
        "commit": attributes.get("commit"),
        "device": attributes.get("device"),
        "dtype": attributes.get("dtype"),
        "networks": int(np.asarray(experiment.status).size),
        "cost": cost,
    }
