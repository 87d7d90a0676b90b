"""The results of an experiment as chunks: one for each task and variable, checksummed, made and read here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import google_crc32c
import numpy as np
import xarray as xr
import zarr
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore, StorePath

from simulate.campaign import Task

_CHECKSUM = 4  # bytes of CRC32C at the end of a chunk


class Blocks:
    """The chunks of one experiment, by the metadata that were written when the store was made.

    ``members`` maps the path of each array to its metadata; ``listed`` are the pieces that are not results (the
    manifest). An array without a listed chunk holds results.
    """

    def __init__(self, experiment: str, members: Mapping[str, Mapping[str, Any]], listed: Mapping[str, str]) -> None:
        self.experiment = experiment
        fixed = {name.split("/")[1] for name in listed if name.startswith(f"{experiment}/") and "/c" in name}
        arrays = {
            path.split("/")[1]: metadata
            for path, metadata in members.items()
            if path.startswith(f"{experiment}/") and metadata["node_type"] == "array"
        }
        self.metadata = {name: dict(metadata) for name, metadata in arrays.items() if name not in fixed}

    @property
    def names(self) -> list[str]:
        """The results, ``status`` last."""
        return [*sorted(n for n in self.metadata if n != "status"), "status"]

    @property
    def seeds_per_task(self) -> int:
        """How many seeds a chunk, and so a task, spans."""
        return int(self.metadata["status"]["chunk_grid"]["configuration"]["chunk_shape"][2])

    @cached_property
    def _arrays(self) -> dict[str, tuple[zarr.Array, dict[str, Buffer]]]:
        made = {}
        # a chunk of zeros is a result like any other: that it is there says that it was written
        with zarr.config.set({"array.write_empty_chunks": True}):
            for name, metadata in self.metadata.items():
                memory: dict[str, Buffer] = {}
                made[name] = zarr.Array.from_dict(StorePath(MemoryStore(memory), ""), metadata), memory
        return made

    def piece(self, task: Task, name: str) -> str:
        """Return the name of a task's one chunk of a variable; it spans all trailing dimensions."""
        metadata: Any = self._arrays[name][0].metadata
        index = [task.index, 0, task.seed_start // self.seeds_per_task, *[0] * (len(metadata.shape) - 3)]
        return f"{self.experiment}/{name}/{metadata.chunk_key_encoding.encode_chunk_key(tuple(index))}"

    def unknown(self, task: Task) -> xr.Dataset:
        """Return the fill values in the shape of a task's results."""
        found = {}
        for name, metadata in self.metadata.items():
            array = self._arrays[name][0]
            shape = (1, array.shape[1], task.seed_stop - task.seed_start, *array.shape[3:])
            found[name] = (metadata["dimension_names"], np.full(shape, array.fill_value, dtype=array.dtype))
        return xr.Dataset(found)

    def encode(self, task: Task, name: str, values: np.ndarray) -> bytes:
        """Return the bytes of a task's chunk: ``values`` has shape (1, amplitudes, seeds of the task, ...)."""
        array, memory = self._arrays[name]
        memory.clear()
        array[task.index : task.index + 1, :, task.seed_start : task.seed_stop] = values
        (chunk,) = memory.values()
        return chunk.to_bytes()

    def decode(self, task: Task, name: str, chunk: bytes) -> np.ndarray:
        """Return the values in a chunk, shape (amplitudes, seeds of the task, ...).

        Raises
        ------
        ValueError, RuntimeError
            If these bytes are not a chunk of this variable.
        """
        array, memory = self._arrays[name]
        key = self.piece(task, name).removeprefix(f"{self.experiment}/{name}/")
        memory.clear()
        memory[key] = zarr.core.buffer.default_buffer_prototype().buffer.from_bytes(chunk)
        return np.asarray(array[task.index, :, task.seed_start : task.seed_stop])


def is_whole(chunk: bytes) -> bool:
    """Whether a chunk's bytes bear their checksum."""
    checksum = int.from_bytes(chunk[-_CHECKSUM:], "little")
    return len(chunk) > _CHECKSUM and google_crc32c.value(chunk[:-_CHECKSUM]) == checksum
