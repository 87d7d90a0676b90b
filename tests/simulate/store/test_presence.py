"""A chunk of a finished task that is gone is found without reading any."""

import numpy as np
import pytest

from simulate.store.damaged_store import DamagedStoreError
from simulate.store.in_memory import MemoryBackend
from simulate.store.presence import check_presence
from simulate.store.root import Root
from simulate.training.status import Status


def array(*shape, chunk):
    return {
        "node_type": "array",
        "shape": shape,
        "chunk_grid": {"configuration": {"chunk_shape": chunk}},
    }


#: one width, two amplitudes, four seeds in two tasks; a variable with layers, and a coordinate of three dimensions
ROOT = Root(
    {
        "attributes": {"schema_version": 2, "manifest": {"one/axis/c/0/0/0": "digest"}},
        "consolidated_metadata": {
            "metadata": {
                "one": {"node_type": "group"},
                "one/status": array(1, 2, 4, chunk=(1, 2, 2)),
                "one/weights": array(1, 2, 4, 3, chunk=(1, 2, 2, 3)),
                "one/axis": array(1, 2, 4, chunk=(1, 2, 4)),
            }
        },
    },
    sound=True,
)
STATUS = np.array([[[1, 1, 0, 0], [1, 1, 0, 0]]])  # the first task is finished, the second pending
NEEDED = ("one/status/c/0/0/0", "one/status/c/0/0/1", "one/weights/c/0/0/0/0")


def backend_with(keys):
    backend = MemoryBackend()
    backend.write(dict.fromkeys(keys, b""))
    return backend


def test_finished_tasks_need_all_their_chunks_and_pending_ones_their_status():
    check_presence(backend_with(NEEDED), ROOT, {"one": STATUS})


@pytest.mark.parametrize("missing", NEEDED)
def test_the_one_that_is_missing_is_named(missing):
    with pytest.raises(DamagedStoreError, match=f"{missing} is missing"):
        check_presence(backend_with(set(NEEDED) - {missing}), ROOT, {"one": STATUS})


def test_how_many_are_missing_is_said():
    with pytest.raises(DamagedStoreError, match="and 2 more"):
        check_presence(backend_with([]), ROOT, {"one": STATUS})


def test_a_store_that_nobody_has_finished_anything_of_needs_its_statuses_only():
    pending = np.full_like(STATUS, Status.PENDING)
    check_presence(backend_with([key for key in NEEDED if "status" in key]), ROOT, {"one": pending})
