"""The results of a task: the status comes last, and finished networks stay as they are."""

import numpy as np
import pytest

from simulate.data import load_data
from simulate.store import DamagedStoreError, Store
from simulate.store.in_memory import MemoryBackend
from simulate.store.task_results import TaskResults
from simulate.training.status import Status


class Recording(MemoryBackend):
    """Keeps the order in which objects were written."""

    def __init__(self):
        super().__init__()
        self.order = []

    def write(self, objects):
        self.order += objects
        super().write(objects)


@pytest.fixture
def opened(tiny):
    """An empty store in memory, its first task, and the object that writes results."""
    backend = Recording()
    store = Store.create(backend, tiny, {e.name: load_data(e) for e in tiny.experiment}, "cpu")
    backend.order.clear()
    return store, store.tasks()[0], TaskResults(backend, store.codecs, store.root.attributes["digest"])


def results_of(store, task, value, status):
    result = store.fill_values(task)
    result["kernel_change"].values[:] = value
    result["status"].values[:] = status
    return result


def test_the_status_is_written_last(opened):
    store, task, results = opened
    assert not results.finished_networks(task).any()
    results.write(task, results_of(store, task, 1.0, Status.CONVERGED))
    assert "/status/" in store.backend.order[-1]
    assert results.finished_networks(task).all()


def test_finished_networks_keep_their_results(opened):
    store, task, results = opened
    first = results_of(store, task, 1.0, Status.CONVERGED)
    first["status"].values[:, 0] = Status.PENDING  # the first amplitude is not finished
    results.write(task, first)
    results.write(task, results_of(store, task, 2.0, Status.STALLED))
    codec = store.codecs[task.experiment]
    values = codec.decode(task, "kernel_change", store.backend.read(codec.key(task, "kernel_change")))
    assert np.unique(values[0]).tolist() == [2.0]
    assert np.unique(values[1:]).tolist() == [1.0]
    assert results.finished_networks(task).all()


def test_what_is_taken_back_is_pending_and_its_chunks_are_gone(opened):
    store, task, results = opened
    results.write(task, results_of(store, task, 1.0, Status.CONVERGED))
    results.remove(task)
    codec = store.codecs[task.experiment]
    assert not results.finished_networks(task).any()
    assert [name for name in codec.variables if store.backend.exists(codec.key(task, name))] == ["status"]


def test_a_status_that_is_no_chunk_is_damage(opened):
    store, task, results = opened
    store.backend.write({store.codecs[task.experiment].key(task, "status"): b"no chunk"})
    with pytest.raises(DamagedStoreError, match="can't be decoded"):
        results.finished_networks(task)
