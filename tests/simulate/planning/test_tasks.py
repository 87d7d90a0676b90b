"""How a grid is cut into tasks: once, along the chunks of the store, the most expensive first."""

import numpy as np
from campaigns import campaign, experiment

from simulate.planning.tasks import campaign_tasks, experiment_tasks, networks_in, seeds_per_task


def test_tasks_cover_the_grid_once_and_cut_it_along_chunks():
    one = experiment(seeds=230, widths=[16, 32, 64])
    block = seeds_per_task(one)
    seen = np.zeros((3, 230), dtype=int)
    for task in experiment_tasks(one):
        assert task.seed_start % block == 0
        assert one.widths[task.index] == task.width
        seen[task.index, task.seed_start : task.seed_stop] += 1
    assert (seen == 1).all()
    # about a hundred networks a task: 2 amplitudes × 46 seeds
    assert 80 <= block * len(one.amplitudes) <= 100


def test_memory_limits_a_task():
    assert seeds_per_task(experiment(widths=[8000], n_train=1000, seeds=40)) == 1


def test_expensive_tasks_come_first():
    tasks = campaign_tasks(campaign())
    assert [t.width for t in tasks] == sorted((t.width for t in tasks), reverse=True)


def test_a_task_has_all_amplitudes_of_its_seeds():
    one = campaign(seeds=3)
    for task in campaign_tasks(one):
        assert networks_in(one, task) == 2 * task.seed_count


def test_a_store_that_was_cut_otherwise_keeps_its_tasks():
    assert {task.seed_count for task in campaign_tasks(campaign(), {"one": 1})} == {1}
