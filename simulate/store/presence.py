"""Which results of finished networks are not there, found without reading any: zarr reads fill values for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simulate.store.backend import StorageBackend
from simulate.store.damaged_store import DamagedStoreError
from simulate.store.root import Root
from simulate.training.status import Status


def check_presence(backend: StorageBackend, root: Root, statuses: Mapping[str, np.ndarray]) -> None:
    """Check that all chunks of finished tasks are there.

    ``statuses`` are the status of every network by experiment, (width, amplitude, seed), as read before.

    Raises
    ------
    DamagedStoreError
        Naming the first that is not.
    """
    present = set(backend.keys())
    missing = [key for key in _needed(root, statuses) if key not in present]
    if missing:
        raise DamagedStoreError.naming(backend, missing[0], "is missing", len(missing))


def _needed(root: Root, statuses: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Yield the keys of the chunks that are there if nothing is lost."""
    pending_is_written = root.attributes["schema_version"] > 1
    for path, array in root.members.items():
        experiment, _, variable = path.partition("/")
        if array["node_type"] != "array" or experiment not in statuses or not _is_result(root, path, array):
            continue
        status, shape = statuses[experiment], array["chunk_grid"]["configuration"]["chunk_shape"]
        for width in range(status.shape[0]):
            for block in range(math.ceil(status.shape[2] / shape[2])):
                task = status[width, :, block * shape[2] : (block + 1) * shape[2]]
                if (task != Status.PENDING).any() or (variable == "status" and pending_is_written):
                    yield f"{path}/c/{'/'.join(map(str, (width, 0, block, *[0] * (len(shape) - 3))))}"


def _is_result(root: Root, path: str, array: Mapping[str, Any]) -> bool:
    """Whether an array holds results, and not a coordinate, whose chunk the manifest lists."""
    coordinate = f"{path}/c/{'/'.join('0' * len(array['shape']))}"
    return len(array["shape"]) >= 3 and coordinate not in root.attributes["manifest"]
