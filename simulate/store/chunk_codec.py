"""The results of an experiment as chunks: one for each task and variable, checksummed, made and read here.

A chunk is what Zarr v3 says it is (little-endian bytes, Zstandard, CRC32C). It is made here and not by zarr, whose way
to a single chunk through an event loop and threads takes thirty times as long, which bounds a campaign on many GPUs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import google_crc32c
import numpy as np
import xarray as xr
from numcodecs import Zstd
from zarr.core.metadata.v3 import ArrayV3Metadata

from simulate.planning.tasks import Task
from simulate.training.status import Status

ZSTD_LEVEL = 3
_CHECKSUM = 4  # bytes of CRC32C at the end of a chunk


class ChunkCodec:
    """The chunks of one experiment, by the metadata that were written when the store was made.

    ``members`` maps the path of each array to its metadata; ``listed`` are the keys of what are not results (the
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
    def variables(self) -> list[str]:
        """The results, ``status`` last."""
        return [*sorted(n for n in self.metadata if n != "status"), "status"]

    @property
    def shape(self) -> tuple[int, ...]:
        """The networks: widths, amplitudes, seeds; every array is described by then, or zarr raises."""
        shapes = {array.shape[:3] for array in self._described.values()}
        if len(shapes) != 1 or any(array.chunks[1] != array.shape[1] for array in self._described.values()):
            raise ValueError(f"arrays of different networks, {shapes}")
        return shapes.pop()

    @property
    def seeds_per_task(self) -> int:
        """How many seeds a chunk, and so a task, spans."""
        return int(self.metadata["status"]["chunk_grid"]["configuration"]["chunk_shape"][2])

    @cached_property
    def _described(self) -> dict[str, ArrayV3Metadata]:
        return {name: ArrayV3Metadata.from_dict(metadata) for name, metadata in self.metadata.items()}

    def key(self, task: Task, name: str) -> str:
        """Return the key of a task's one chunk of a variable; it spans all trailing dimensions."""
        array = self._described[name]
        index = [task.index, 0, task.seed_start // self.seeds_per_task, *[0] * (len(array.shape) - 3)]
        return f"{self.experiment}/{name}/{array.encode_chunk_key(tuple(index))}"

    def fill_values(self, task: Task) -> xr.Dataset:
        """Return the fill values in the shape of a task's results."""
        variables = {}
        for name, array in self._described.items():
            shape = (1, array.shape[1], task.seed_stop - task.seed_start, *array.shape[3:])
            fill = np.full(shape, array.fill_value, dtype=array.dtype.to_native_dtype())
            variables[name] = (array.dimension_names, fill)
        return xr.Dataset(variables)

    def pending(self, task: Task) -> bytes:
        """Return the chunk of status of a task of which nothing is known."""
        shape = (1, self._described["status"].shape[1], task.seed_stop - task.seed_start)
        return self.encode(task, "status", np.full(shape, Status.PENDING, "int8"))

    def encode(self, task: Task, name: str, values: np.ndarray) -> bytes:
        """Return the bytes of a task's chunk: ``values`` has shape (1, amplitudes, seeds of the task, ...)."""
        # the last chunk of an axis is as long as all others
        chunk = np.full(self._described[name].chunks, self._described[name].fill_value, self._dtype(name))
        chunk[:, :, : task.seed_stop - task.seed_start] = values
        packed = Zstd(ZSTD_LEVEL).encode(chunk)
        return packed + google_crc32c.value(packed).to_bytes(_CHECKSUM, "little")

    def decode(self, task: Task, name: str, chunk: bytes) -> np.ndarray:
        """Return the values in a chunk, shape (amplitudes, seeds of the task, ...).

        Raises
        ------
        ValueError, RuntimeError
            If these bytes are not a chunk of this variable.
        """
        if not is_whole(chunk):
            raise ValueError("the checksum does not match")
        packed, shape, dtype = chunk[:-_CHECKSUM], self._described[name].chunks, self._dtype(name)
        # a bound first: a few bytes can claim to unpack into any number of them
        Zstd().decode(packed, out=np.empty(shape, dtype))
        values = np.frombuffer(Zstd().decode(packed), dtype).reshape(shape)
        return values[0, :, : task.seed_stop - task.seed_start]

    def _dtype(self, name: str) -> np.dtype:
        return self._described[name].dtype.to_native_dtype().newbyteorder("<")


def is_whole(chunk: bytes) -> bool:
    """Whether a chunk's bytes bear their checksum."""
    checksum = int.from_bytes(chunk[-_CHECKSUM:], "little")
    return len(chunk) > _CHECKSUM and google_crc32c.value(chunk[:-_CHECKSUM]) == checksum
