"""What was trained, how much of it is done, and what was left out: the first thing that a report says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from fit.measurements.description import dynamics_name
from fit.measurements.measurements import Measurements
from lazyrich.numbers import short
from lazyrich.wording import are, counted, listed
from simulate.campaign.experiment import Experiment
from simulate.training.status import Status

#: the one that goes without saying
_DEFAULT_ARCHITECTURE = Experiment.model_fields["architecture"].default
#: endings whose networks did not do what was asked, in the words of a table
_LEFT_OUT = {
    Status.MAX_STEPS: "not fitted after the allowed steps",
    Status.STALLED: "stalled before they fitted",
    Status.DIVERGED: "diverged",
    Status.OUT_OF_MEMORY: "out of memory",
    Status.TIME_LIMIT: "out of time",
}


#: columns with blanks that the page names
_MOST_BLANK_NAMED = 6


@dataclass(frozen=True)
class ExperimentState:
    """One experiment: its networks in words, and how many of them are trained, pending and left out.

    ``recorded`` is False for tables without a column of how training ended: all their networks are used.
    """

    name: str
    architecture: str  #: "3 hidden layers, softplus"
    widths: tuple[float, ...]
    amplitudes: tuple[float, ...]
    seeds: int
    data: str  #: "digits, N = 80"
    dynamics: str
    dtype: str
    date: str
    networks: int
    trained: int
    pending: int
    left_out: dict[str, int]  #: reason -> networks
    recorded: bool
    blank: dict[str, int]  #: variable -> networks without a value of it, of a source that does not record endings
    partly_fitted: int = 0  #: networks that count as trained with some of their points unfitted
    source: str = ""  #: name of the file
    guesses: tuple[str, ...] = ()  #: what was guessed of its format: clauses

    @property
    def grid(self) -> str:
        """The grid in words: widths, amplitudes, seeds."""
        return f"h = {_span(self.widths)}; A = {_span(self.amplitudes)}; {counted(self.seeds, 'seed')}"


def state_of(experiment: Measurements) -> ExperimentState:
    """Return what can be said of one experiment's data without looking at what was measured."""
    status = np.asarray(experiment.status)
    left_out = {reason: int((status == ending).sum()) for ending, reason in _LEFT_OUT.items()}
    described = experiment.description
    return ExperimentState(
        name=experiment.name,
        architecture=_architecture(described),
        widths=tuple(experiment.widths.tolist()),
        amplitudes=tuple(np.unique(experiment.root_h_alpha.values).tolist()),
        seeds=experiment.n_seeds,
        data=_data(experiment),
        dynamics=_dynamics(described),
        dtype=str(experiment.data.attrs.get("dtype", "")),
        date=str(experiment.data.attrs.get("created", ""))[:10],
        networks=int(status.size),
        trained=int((status == Status.CONVERGED).sum()),
        pending=int((status == Status.PENDING).sum()),
        left_out={reason: count for reason, count in left_out.items() if count},
        recorded="status" in experiment.data,
        blank={} if "status" in experiment.data else _blank(experiment),
        partly_fitted=_partly_fitted(experiment),
        source=PurePath(experiment.store).name if experiment.store else "",
        guesses=experiment.guesses,
    )


def headline(states: Sequence[ExperimentState]) -> str:
    """Say in a few sentences what the report rests on."""
    networks = sum(s.networks for s in states)
    trained = sum(s.trained for s in states)
    pending = sum(s.pending for s in states)
    data = "; ".join(dict.fromkeys(s.data for s in states if s.data))
    dates = sorted({s.date for s in states if s.date})
    text = f"{networks:,} networks in {counted(len(states), 'experiment')}"
    text += f" on {data}" if data else ""
    text += f", trained {' to '.join(dict.fromkeys((dates[0], dates[-1])))}" if dates else ""
    text += f", {', '.join(dtypes)}" if (dtypes := sorted({s.dtype for s in states if s.dtype})) else ""
    text += "."
    if pending:
        text += (
            f" {pending:,} of them are still pending: everything below is based on the other {networks - pending:,}."
        )
    left_out: dict[str, int] = {}
    for s in states:
        for reason, count in s.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + count
    if left_out:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in left_out.items())
        text += f" Left out: {reasons}."
    elif not all(s.recorded for s in states):
        text += f" The source does not say how training ended: every network in it is used{_except_blank(states)}."
    elif not pending and trained == networks:
        text += " Every one of them met its stopping criterion, so none is left out."
    if partly := sum(s.partly_fitted for s in states):
        text += (
            f" {counted(partly, 'network')} with some training points short of their margin at the end {are(partly)} "
            "used, since no more are than the campaign allows (unfitted)."
        )
    guessed = {s.source: s.guesses for s in states if s.guesses}  # of all experiments of a file the same
    for source, clauses in guessed.items():
        text += f" Inferred from {source or 'the table'}: {'; '.join(clauses)}."
    return text


def _partly_fitted(one: Measurements) -> int:
    """Count the trained networks with unfitted points, where the campaign allows some."""
    if "unfitted" not in one.data:
        return 0
    return int(((one.data["unfitted"] > 0) & (one.data["status"] == Status.CONVERGED)).sum())


def _blank(one: Measurements) -> dict[str, int]:
    """Count the networks without a number, of each variable that has one for each network."""
    counts = {}
    for name, values in one.data.data_vars.items():
        if values.ndim == 3 and {"width", "seed"} <= set(values.dims) and values.dtype.kind == "f":
            counts[str(name)] = int(np.isnan(values.values).sum())
    return {name: count for name, count in counts.items() if count}


def _except_blank(states: Sequence[ExperimentState]) -> str:
    """Say which values are missing: ", but for blanks: 3 in kernel_change"."""
    total: Counter[str] = Counter()
    for s in states:
        total.update(s.blank)
    if not total:
        return ""
    named = [f"{count:,} in {name}" for name, count in total.most_common(_MOST_BLANK_NAMED)]
    more = len(total) - len(named)
    return f", but for blanks: {listed(named)}{f', and in {more} more columns' if more else ''}"


def _architecture(described: dict[str, Any]) -> str:
    depth, activation = described.get("depth"), described.get("activation")
    parts = [] if depth is None else [f"{counted(int(depth), 'hidden layer')}"]
    architecture = described.get("architecture")
    parts += [str(activation)] if activation is not None else []
    parts += [str(architecture)] if architecture not in (None, _DEFAULT_ARCHITECTURE) else []
    return ", ".join(parts)


def _data(experiment: Measurements) -> str:
    described = experiment.description
    name = described.get("dataset")
    if name is None:
        return ""
    text = str(name).replace("_", " ")
    n_train, pca = described.get("n_train"), described.get("pca")
    text += f", {pca} principal components" if pca is not None else ""
    return text + (f" (N = {int(n_train):,})" if n_train is not None else "")


def _dynamics(described: dict[str, Any]) -> str:
    name = dynamics_name(described)
    return "" if name is None else str(name).replace("_", " ")


def _span(values: Sequence[float]) -> str:
    if len(values) == 1:
        return short(values[0])
    return f"{short(values[0])} to {short(values[-1])} ({len(values)} values)"
