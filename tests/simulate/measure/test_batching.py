"""Several tasks in one batch: the same results, each task's handed back by itself."""

import numpy as np
import pytest
import torch
import xarray as xr
from test_engine import experiment, points, task

from simulate.measure.batching import batch_limit, batches_together, tasks_together
from simulate.measure.engine import run_task, run_tasks
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.planning.memory import bytes_per_network, networks_at_once, networks_that_fit
from simulate.planning.tasks import Task
from simulate.training.status import Status

TASKS = (task(0, 2), task(2, 3), task(5, 7))  # the seeds between are another run's


@pytest.fixture
def together(monkeypatch):
    """Let a batch hold tasks of so many networks, as on a GPU."""

    def limit(networks):
        monkeypatch.setattr("simulate.measure.batching.networks_of_tasks", lambda *_: networks)
        monkeypatch.setattr("simulate.measure.engine.batch_limit", lambda *_: networks)

    return limit


def assert_same(result, expected, rtol=1e-9):
    """To rounding in float64; in what is stored in float32 to its last digits."""
    for name, variable in expected.drop_vars(NONDETERMINISTIC_VARIABLES).items():
        tight = rtol if variable.dtype == np.float64 else max(rtol, 1e-6)
        np.testing.assert_allclose(result[name], variable, rtol=tight, atol=1e-3 * tight, err_msg=name)


@pytest.mark.parametrize(
    "changes",
    [
        {"checkpoints": (0.1, 1.0)},
        {"arms": ("network", "initial_kernel", "final_kernel")},
        {"dynamics": {"name": "gradient_flow", "integrator": "chebyshev"}},
        {"subtract_initial": False},
        {"dtype": "mixed", "root_h_alpha": (1e-2, 1.0, 1e3)},
    ],
)
def test_tasks_that_are_trained_together_give_what_each_gives_alone(together, changes):
    spec, data = experiment(depth=2, **{"root_h_alpha": (1e-3, 1.0, 1e2), "seeds": 7, **changes}), points()
    together(100)
    results = list(run_tasks(spec, TASKS, data))
    assert [t for t, _ in results] == list(TASKS)
    # of one precision each, all networks were in one batch
    assert {int(r.batch.max()) for _, r in results} == {1 if spec.dtype == "mixed" else 0}
    for each, result in results:
        alone = run_task(spec, each, data)
        assert result.sizes == alone.sizes
        assert (result.status == Status.CONVERGED).all()
        # float32 members carry rounding of 1e-7 through the integration
        assert_same(result, alone, rtol=1e-9 if spec.dtype == "float64" else 1e-4)


def test_a_batch_may_cut_through_tasks(together):
    """Nine networks of three tasks, four at a time: which batch holds which has no influence."""
    spec, data = experiment(root_h_alpha=(1e-3, 1.0, 1e2), seeds=7), points()
    together(100)
    whole = dict(run_tasks(spec, TASKS, data))
    together(15)
    for each, result in run_tasks(spec, TASKS, data):
        assert_same(result, whole[each])


def test_stochastic_dynamics_draw_the_same_minibatches_whoever_is_beside(together):
    sgd = {"name": "sgd", "temperature": 0.01, "batch_size": 4}
    spec, data = experiment(dynamics=sgd, max_steps=30, root_h_alpha=(0.1, 10.0), seeds=7), points()
    together(100)
    for each, result in run_tasks(spec, TASKS, data):
        assert_same(result, run_task(spec, each, data))


def test_tasks_are_handed_over_as_soon_as_their_batch_is_done(together):
    """A run that is killed between two batches has lost nothing of the first."""
    spec, data = experiment(seeds=4), points()
    together(2)
    tasks = [task(i, i + 1) for i in range(4)]
    source = run_tasks(spec, tasks, data)
    finished = [next(source)[0] for _ in range(2)]
    source.close()
    assert finished == tasks[:2]


def test_a_batch_has_tasks_of_one_width(together):
    spec = experiment(widths=(8, 16), seeds=3)
    tasks = [Task("test", i, h, s, s + 1) for s in range(3) for i, h in enumerate(spec.widths)]
    together(2)
    groups = list(tasks_together(spec, tasks, "cpu"))
    assert [[t.width for t in group] for group in groups] == [[8, 8], [16, 16], [8], [16]]
    assert sorted(t for g in groups for t in [(t.width, t.seed_start) for t in g]) == sorted(
        (t.width, t.seed_start) for t in tasks
    )


def test_on_a_processor_each_task_is_alone_and_its_batches_fit_its_cache():
    spec = experiment(seeds=7)
    assert list(tasks_together(spec, TASKS, "cpu")) == [(each,) for each in TASKS]
    assert batch_limit(spec, 24, "cpu") == networks_at_once(spec, 24)


def test_on_a_gpu_a_batch_takes_what_memory_is_free(monkeypatch):
    spec = experiment(seeds=400)
    each = bytes_per_network(spec, 24)
    monkeypatch.setattr("simulate.measure.batching.free_memory", lambda _: 1000 * each)
    fitting = batch_limit(spec, 24, "cuda")
    assert 500 < fitting < 1000
    tasks = [task(i, i + 100) for i in range(0, 400, 100)]
    groups = list(tasks_together(spec, tasks, "cuda:1"))
    assert [len(group) for group in groups] == [4]
    monkeypatch.setattr("simulate.measure.batching.free_memory", lambda _: each)
    assert [len(group) for group in tasks_together(spec, tasks, "cuda")] == [1, 1, 1, 1]
    assert batch_limit(spec, 24, "cuda") == 1


def test_memory_of_the_published_grid_on_one_card():
    """230 networks, N = 10,000, h = 100, L = 3 took 59 GiB on an H200: they fit 120 GiB free by the estimate."""
    spec = experiment(
        dataset="mnist", n_train=10_000, n_test=3_000, n_kernel=1_000, depth=3, widths=(100,),
        dynamics={"name": "gradient_flow", "integrator": "chebyshev"},
    )  # fmt: skip
    assert networks_that_fit(spec, 100, 120 * 2**30) >= 230
    # and no more than would fit by what was measured
    assert networks_that_fit(spec, 100, 120 * 2**30) * 59 / 230 < 120


def test_the_tangent_is_looked_at_on_five_hundred_points_and_outputs_on_all(monkeypatch):
    """With more test points than that, time_linear is that of the first 500; all else sees every point."""
    spec, data = experiment(n_test=24), points()
    whole = run_task(spec, task(), data)
    monkeypatch.setattr("simulate.measure.held_out.EVENT_POINTS", 10)
    part = run_task(spec, task(), data)
    data.x_test, data.y_test = data.x_test[:10], data.y_test[:10]
    first = run_task(experiment(n_test=10), task(), data)
    assert part.time_linear.item() == pytest.approx(first.time_linear.item(), rel=1e-9)
    assert part.time_linear.item() != pytest.approx(whole.time_linear.item(), rel=1e-3)
    for name in ("test_output", "test_error", "output_rms_half", "kernel_change"):
        xr.testing.assert_equal(part[name], whole[name])


@pytest.mark.parametrize("numbers", [1, 50, 400])
def test_outputs_in_tiles_are_those_of_all_points(monkeypatch, numbers):
    """Tiles of a few points of a network, of a network, of several networks."""
    spec, data = experiment(depth=2, seeds=3, root_h_alpha=(0.1, 10.0)), points()
    whole = run_task(spec, task(0, 3), data)
    monkeypatch.setattr("simulate.measure.held_out._OUTPUT_BYTES", numbers * 8 * 100)
    assert_same(run_task(spec, task(0, 3), data), whole)


def test_memory_of_the_device_is_asked_for_with_what_torch_keeps(monkeypatch):
    from simulate.measure.memory import free_memory

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (10, 100))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 30)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 25)
    assert free_memory("cuda") == 15


@pytest.mark.parametrize(
    ("changes", "device", "turns"),
    [
        ({}, "cuda:1", 3),
        ({}, "cpu", 1),
        ({"dynamics": {"name": "gradient_flow", "integrator": "chebyshev"}}, "cuda", 1),
        ({"dynamics": {"name": "momentum", "tau": 1.0}}, "cuda", 3),
        ({"dynamics": {"name": "adam", "batch_size": 4}, "loss": "hinge"}, "cuda", 1),
        ({"arms": ("network", "initial_kernel")}, "cuda", 1),
        ({"time_limit": 60.0}, "cuda", 1),
    ],
)
def test_networks_take_turns_on_a_gpu_where_each_has_its_own_time(changes, device, turns):
    assert batches_together(experiment(**changes), device) == turns
