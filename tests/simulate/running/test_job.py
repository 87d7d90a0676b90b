"""What a worker does before it trains: the device, the data and the packages are those of the run."""

import numpy as np
import pytest

from lazyrich.errors import InputError
from simulate.running.job import _ranges_of_equal_columns
from simulate.running.runner import worker_count


@pytest.mark.parametrize(
    ("workers", "threads", "field"),
    [(0, 1, "workers"), (-3, 1, "workers"), (10**20, 1, "workers"), (1, 0, "threads"), (1, 10**20, "threads")],
)
def test_processes_and_threads_have_bounds(workers, threads, field):
    with pytest.raises(InputError) as caught:
        worker_count(workers, "cpu", threads)
    assert caught.value.field == field


def test_without_a_number_there_is_a_process_for_each_core_or_for_so_many_threads(monkeypatch):
    monkeypatch.setattr("simulate.running.runner.usable_cores", lambda: 8)
    assert worker_count(None, "cpu") == 8
    assert worker_count(None, "cpu", 3) == 2
    assert worker_count(None, "cpu", 16) == 1
    assert worker_count(None, "cuda") == 1


def test_neighbouring_seeds_that_lack_the_same_amplitudes_are_trained_together():
    finished = np.array([[1, 1, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
    assert _ranges_of_equal_columns(finished) == [(0, 2), (2, 4), (4, 5)]
