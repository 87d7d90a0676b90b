"""The variables of a store: those that observers declare, and its coordinates. Everything is dimensionless.

Times are gradient-flow times of the article convention (loss alpha^-2 · mean l(F·y), arXiv:1906.08034). ``units`` are
"1" throughout.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lazyrich.discovery import import_all
from simulate.campaign.checkpoints import scaled_times
from simulate.measure import observers
from simulate.measure.observer import OBSERVERS, Observer
from simulate.measure.variable import Variable

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment

import_all(observers)

#: 2: the root is kept twice, and ``status`` is written as pending when a store is made
SCHEMA_VERSION = 2
READABLE = (1, 2)

# as stores list their variables; what observers declare beside these comes after them
_LISTED = (
    "alpha", "kernel_change", "kernel_change_layer", "kernel_norm_initial", "weight_change", "weight_norm",
    "test_error", "train_margin", "time_end", "time_half", "time_linear", "output_rms_half", "output_rms_linear",
    "kernel_change_linear", "loss_end", "steps", "gradient_evaluations", "wall_time", "batch", "peak_memory",
    "kernel_diagonal_initial", "kernel_diagonal_square_initial", "test_output", "status",
    "time", "loss", "output_rms", "kernel_change_t", "preactivation_velocity",
    "arm_time_end", "arm_distance", "arm_status",
)  # fmt: skip


def _declared(by: Iterable[type[Observer]]) -> dict[str, Variable]:
    # optional observers last: arms declare test_error anew, one for each
    ordered = sorted(by, key=lambda observer: observer.optional)
    declared = {name: variable for observer in ordered for name, variable in observer.variables.items()}
    position = {name: i for i, name in enumerate(_LISTED)}
    return {name: declared[name] for name in sorted(declared, key=lambda name: position.get(name, len(position)))}


#: name -> variable, of every experiment; all have the grid's three dimensions first
VARIABLES: dict[str, Variable] = _declared(observer for observer in OBSERVERS if not observer.optional)

#: what may differ from run to run of the same campaign; everything else is reproduced
NONDETERMINISTIC_VARIABLES = tuple(name for name, variable in VARIABLES.items() if not variable.reproducible)


def grid(experiment: Experiment) -> tuple[str, str, str]:
    """Return the dimensions that every variable of an experiment has first."""
    return ("width", experiment.amplitude, "seed")


def observers_of(experiment: Experiment) -> list[type[Observer]]:
    """Return the observers of an experiment: those of all, and those that it asks for, last."""
    chosen = [observer for observer in OBSERVERS if not observer.optional or observer.serves(experiment)]
    return sorted(chosen, key=lambda observer: observer.optional)


def variables(experiment: Experiment) -> dict[str, Variable]:
    """Return the variables of an experiment, in the order in which stores list them."""
    declared = _declared(observers_of(experiment))
    # of the two amplitudes one is a coordinate
    return {name: variable for name, variable in declared.items() if name != experiment.amplitude}


@dataclass(frozen=True)
class Coordinate:
    """A coordinate of a store: dimensions, values, meaning."""

    long_name: str
    dims: tuple[str, ...]
    values: np.ndarray


def coordinates(experiment: Experiment, y_test: np.ndarray) -> dict[str, Coordinate]:
    """Return the coordinates of an experiment's group; one named as its own dimension gives the dimension's size."""
    axes = {
        "width": Coordinate("neurons per hidden layer, h", ("width",), np.array(experiment.widths, dtype="int64")),
        "seed": Coordinate("seed of the initial weights", ("seed",), np.arange(experiment.seeds, dtype="int64")),
        "layer": Coordinate(
            "weight matrix, 0 next to the input", ("layer",), np.arange(experiment.layers, dtype="int64")
        ),
    }
    if len(experiment.arms) > 1:
        axes["arm"] = Coordinate("what was trained", ("arm",), np.array(experiment.arms, dtype=object))
    if experiment.checkpoints is not None:
        times = scaled_times(experiment.checkpoints)
        axes["checkpoint"] = Coordinate("t/min(1, sqrt(h)·alpha)", ("checkpoint",), times)
    axes["test_point"] = Coordinate("test point", ("test_point",), np.arange(experiment.n_test, dtype="int64"))
    axes["test_label"] = Coordinate("label of the test point, ±1", ("test_point",), y_test.astype("int8"))
    if experiment.amplitude == "alpha":
        rows = np.stack([experiment.root_h_alphas(width) for width in experiment.widths])
        axes["alpha"] = Coordinate("output scale, article convention", ("alpha",), experiment.amplitudes)
        axes["root_h_alpha"] = Coordinate("sqrt(h)·alpha", ("width", "alpha"), rows)
    else:
        axes["root_h_alpha"] = Coordinate("sqrt(h)·alpha", ("root_h_alpha",), experiment.amplitudes)
    return axes
