"""The variables of a store: names, dimensions, meanings. Everything is dimensionless (``units`` = "1").

Times are gradient-flow times of the article convention (loss alpha^-2 · mean l(F·y), arXiv:1906.08034).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulate.campaign.checkpoints import scaled_times

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment

#: 2: the root is kept twice, and ``status`` is written as pending when a store is made
SCHEMA_VERSION = 2
READABLE = (1, 2)
GRID = ("width", "root_h_alpha", "seed")


@dataclass(frozen=True)
class Variable:
    """One variable: dimensions beyond the grid (width, root_h_alpha, seed), dtype, fill value, meaning."""

    long_name: str
    dims: tuple[str, ...] = ()
    dtype: str = "float64"


_AT = ("checkpoint",)

#: name -> variable; all have the grid's three dimensions first.
VARIABLES: dict[str, Variable] = {
    "alpha": Variable("output scale, article convention (last layer ~ h^(-1/2))"),
    "kernel_change": Variable("||Theta_end - Theta_0||_F / ||Theta_0||_F on n_kernel held-out points"),
    "kernel_change_layer": Variable("||Theta_end^l - Theta_0^l||_F / ||Theta_0^l||_F, matrix l's part", ("layer",)),
    "kernel_norm_initial": Variable("||Theta_0||_F / n_kernel, article convention"),
    "weight_change": Variable("||W_l(end) - W_l(0)||_F", ("layer",)),
    "weight_norm": Variable("||W_l(0)||_F", ("layer",)),
    "test_error": Variable("fraction of test points with F·y <= 0"),
    "train_margin": Variable("min over training points of F·y at the end"),
    "time_end": Variable("time at which training stopped"),
    "time_half": Variable("first time with mean l(F·y) < 1/2; NaN if never"),
    "time_linear": Variable(
        "first time with rms_test|F(t) - t F'(0)| > rms_test|t F'(0)|/2 (end of linear dynamics); NaN if never"
    ),
    "output_rms_half": Variable("rms over test points of F at time_half"),
    "output_rms_linear": Variable("rms over test points of F at time_linear"),
    "kernel_change_linear": Variable("kernel_change at time_linear"),
    "loss_end": Variable("mean of l(F·y) over training points at the end (without 1/alpha^2)"),
    "steps": Variable("accepted integrator steps", dtype="int32"),
    "gradient_evaluations": Variable("forward-backward passes over the training set", dtype="int32"),
    "wall_time": Variable("seconds of the task, shared equally by its networks"),
    "batch": Variable(
        "which batch of its task the network was trained in: what a cache holds, or less where memory ran short",
        dtype="int32",
    ),
    "peak_memory": Variable("bytes in use at most during the task: the process's on a CPU, torch's on a GPU"),
    "test_output": Variable("predictor F on the test points at the end", ("test_point",), "float32"),
    "status": Variable("how training ended", dtype="int8"),
}


#: what may differ from run to run of the same campaign; everything else is reproduced
NONDETERMINISTIC_VARIABLES = ("wall_time", "peak_memory", "batch")


#: what is stored at checkpoints, for experiments that have some
CHECKPOINT_VARIABLES: dict[str, Variable] = {
    "time": Variable("time of the checkpoint; NaN, as all that is stored there, after training stopped", _AT),
    "loss": Variable("mean of l(F·y) over training points (without 1/alpha^2)", _AT),
    "output_rms": Variable("rms over test points of F", _AT),
    "kernel_change_t": Variable("||Theta_t - Theta_0||_F / ||Theta_0||_F on n_kernel held-out points", _AT),
    "preactivation_velocity": Variable(
        "rms over training points and neurons of dz/dt, z what W_l puts out", (*_AT, "layer")
    ),
}


#: what is stored of arms, for experiments that have others than the network
ARM_VARIABLES: dict[str, Variable] = {
    "test_error": Variable("fraction of test points with F·y <= 0", ("arm",)),
    "arm_time_end": Variable("time at which the arm's training stopped", ("arm",)),
    "arm_distance": Variable("rms over test points of the arm's F minus the network's, over the network's", ("arm",)),
    "arm_status": Variable("how the arm's training ended", ("arm",), "int8"),
}


def variables(experiment: Experiment) -> dict[str, Variable]:
    """Return the variables of an experiment: those of all, and those that it asks for."""
    optional = CHECKPOINT_VARIABLES if experiment.checkpoints is not None else {}
    # of the two amplitudes one is a coordinate
    arms = ARM_VARIABLES if len(experiment.arms) > 1 else {}
    named = {**VARIABLES, **optional, **arms}
    return {name: variable for name, variable in named.items() if name != experiment.amplitude}


@dataclass(frozen=True)
class Coordinate:
    """A coordinate of a store: dimensions, values, meaning."""

    long_name: str
    dims: tuple[str, ...]
    values: np.ndarray


def coordinates(experiment: Experiment, y_test: np.ndarray) -> dict[str, Coordinate]:
    """Return the coordinates of an experiment's group; one named as its own dimension gives the dimension's size."""
    amplitude = experiment.amplitude
    found = {
        "width": Coordinate("neurons per hidden layer, h", ("width",), np.array(experiment.widths, dtype="int64")),
        "seed": Coordinate("seed of the initial weights", ("seed",), np.arange(experiment.seeds, dtype="int64")),
        "layer": Coordinate(
            "weight matrix, 0 next to the input", ("layer",), np.arange(experiment.layers, dtype="int64")
        ),
        **(
            {"arm": Coordinate("what was trained", ("arm",), np.array(experiment.arms, dtype=object))}
            if len(experiment.arms) > 1
            else {}
        ),
        **(
            {"checkpoint": Coordinate("t/min(1, sqrt(h)·alpha)", ("checkpoint",), scaled_times(experiment.checkpoints))}
            if experiment.checkpoints is not None
            else {}
        ),
        "test_point": Coordinate("test point", ("test_point",), np.arange(experiment.n_test, dtype="int64")),
        "test_label": Coordinate("label of the test point, ±1", ("test_point",), y_test.astype("int8")),
    }
    if amplitude == "alpha":
        found["alpha"] = Coordinate("output scale, article convention", ("alpha",), experiment.amplitudes)
        rows = np.stack([experiment.root_h_alphas(width) for width in experiment.widths])
        found["root_h_alpha"] = Coordinate("sqrt(h)·alpha", ("width", "alpha"), rows)
    else:
        found["root_h_alpha"] = Coordinate("sqrt(h)·alpha", ("root_h_alpha",), experiment.amplitudes)
    return found
