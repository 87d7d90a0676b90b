"""Results of tasks that are trained together, back task by task."""

import numpy as np
from test_engine import experiment, task

from simulate.measure.task_table import TaskTable
from simulate.training.status import Status

TASKS = (task(0, 2), task(5, 6))


def table():
    return TaskTable(experiment(root_h_alpha=(0.1, 10.0), seeds=6), TASKS)


def test_rows_are_amplitudes_times_the_seeds_of_all_tasks():
    one = table()
    assert len(one) == 2 * 3
    assert one.seeds.tolist() == [0, 1, 5]
    one.write(range(6), 0, {"train_margin": np.arange(6.0)})
    first, second = (dataset for _, dataset in one.datasets(12.0, 1000))
    assert first.train_margin.values.tolist() == [[[0.0, 1.0], [3.0, 4.0]]]
    assert second.train_margin.values.tolist() == [[[2.0], [5.0]]]
    assert first.train_margin.dims == ("width", "root_h_alpha", "seed")
    # the time of all, shared equally
    assert first.wall_time.values.tolist() == [[[2.0, 2.0], [2.0, 2.0]]]
    assert set(second.peak_memory.values.ravel()) == {1000.0}


def test_networks_that_did_not_fit_are_known_by_amplitude_and_status_alone():
    one = table()
    one.write(range(3), 0, {"train_margin": np.ones(3), "status": np.full(3, Status.CONVERGED, dtype="int8")})
    one.write_out_of_memory(range(3, 6), 1)
    _, second = (dataset for _, dataset in one.datasets(1.0, 0))
    assert second.status.values.ravel().tolist() == [Status.CONVERGED, Status.OUT_OF_MEMORY]
    assert second.batch.values.ravel().tolist() == [0, 1]
    assert np.isnan(second.train_margin.values.ravel()).tolist() == [False, True]
    np.testing.assert_allclose(second.alpha.values.ravel(), one.experiment.alphas(one.width), rtol=1e-15)
