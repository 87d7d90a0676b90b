"""The variables of stores: declared by observers, listed in a fixed order, read without torch."""

import subprocess
import sys

import numpy as np
from test_engine import experiment, points, task

from simulate.measure.engine import run_task
from simulate.measure.observer import OBSERVERS, Observer
from simulate.measure.schema import (
    NONDETERMINISTIC_VARIABLES,
    VARIABLES,
    coordinates,
    grid,
    observers_of,
    variables,
)
from simulate.measure.variable import Variable

FIRST = ["alpha", "kernel_change", "kernel_change_layer", "kernel_norm_initial", "weight_change", "weight_norm"]


def test_variables_keep_the_order_of_stores_that_were_written_before():
    assert list(VARIABLES)[:6] == FIRST
    assert list(VARIABLES)[-2:] == ["test_output", "status"]
    assert list(variables(experiment(checkpoints=2)))[-2:] == ["kernel_change_t", "preactivation_velocity"]


def test_checkpoints_and_arms_are_declared_where_they_are_asked_for():
    plain = set(variables(experiment()))
    assert plain == set(VARIABLES)
    assert set(variables(experiment(checkpoints=2))) - plain == {
        "time", "loss", "output_rms", "kernel_change_t", "preactivation_velocity",
    }  # fmt: skip
    with_arms = variables(experiment(arms=("network", "initial_kernel")))
    assert set(with_arms) - plain == {"arm_time_end", "arm_distance", "arm_status"}
    assert with_arms["test_error"].dims == ("arm",)
    assert variables(experiment())["test_error"].dims == ()


def test_of_the_two_amplitudes_one_is_a_coordinate():
    by_alpha = experiment(root_h_alpha=None, alpha=(0.1, 1.0))
    assert grid(by_alpha) == ("width", "alpha", "seed")
    assert "alpha" not in variables(by_alpha)
    axes = coordinates(by_alpha, np.ones(by_alpha.n_test))
    assert axes["root_h_alpha"].dims == ("width", "alpha")
    assert axes["root_h_alpha"].values.tolist() == by_alpha.root_h_alphas(by_alpha.widths[0])[None].tolist()


def test_what_depends_on_the_machine_is_not_reproduced():
    assert set(NONDETERMINISTIC_VARIABLES) == {"wall_time", "peak_memory", "batch"}


def test_no_variable_is_declared_by_two_observers_that_every_experiment_has():
    names = [name for observer in OBSERVERS if not observer.optional for name in observer.variables]
    assert len(names) == len(set(names))


def test_an_observer_of_a_users_own_adds_a_variable_to_results(monkeypatch):
    """One class, in one place: what it declares is on the grid, after the variables of every store."""
    monkeypatch.setattr("simulate.measure.observer.OBSERVERS", listed := list(OBSERVERS))
    monkeypatch.setattr("simulate.measure.schema.OBSERVERS", listed)

    class LargestOutput(Observer):
        variables = {"output_max": Variable("largest |F| on the test points at the end")}  # noqa: RUF012

        def end(self, ending):
            self.columns.put("output_max", ending.members, ending.test_output.abs().amax(-1))

    assert LargestOutput in observers_of(experiment())
    assert list(variables(experiment()))[-1] == "output_max"
    result = run_task(experiment(seeds=2), task(0, 2), points())
    largest = np.abs(result.test_output).max("test_point")
    # test_output is stored in float32
    np.testing.assert_allclose(result.output_max, largest, rtol=1e-6)


def test_readers_of_stores_and_reports_do_not_wait_for_torch():
    """One fresh process: a module that imports it would be named, and those after it."""
    modules = ("simulate.measure.schema", "fit", "fit.report.command")
    asked = (
        f"import importlib, sys\nfor m in {modules}:\n    importlib.import_module(m)\n    print('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", f"import sys\n{asked}"], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False"] * 3
