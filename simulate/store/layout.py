"""The layout of an empty store, as the objects that it consists of: metadata, coordinates, pending status.

Chunks hold a task each. Every chunk carries a CRC32C checksum; every ``zarr.json`` and every coordinate is listed
with its SHA-256 in the root's attributes (the manifest); the root itself is sealed (`simulate.store.root`).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, VLenUTF8Codec, ZstdCodec
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore

from simulate.campaign.campaign import Campaign
from simulate.campaign.experiment import Experiment
from simulate.data import Data
from simulate.measure.schema import Coordinate, coordinates, variables
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.tasks import seeds_per_task
from simulate.store.checked_json import digest_of
from simulate.store.chunk_codec import ZSTD_LEVEL
from simulate.store.root import ROOT, sealed
from simulate.training.status import Status

_FILL = {"float64": np.nan, "float32": np.nan}
_SHARED = ("schema_version", "versions", "commit", "device")


def lay_out(campaign: Campaign, data: Mapping[str, Data], origin: Mapping[str, Any]) -> dict[str, bytes]:
    """Return key -> bytes of every object of an empty store, the root's metadata last.

    ``origin`` are the root's attributes (`simulate.store.provenance.origin`).
    """
    memory: dict[str, Buffer] = {}
    store = MemoryStore(memory)
    attributes = {k: v for k, v in origin.items() if k not in ("manifest", "seal")}
    # a chunk of zeros is a result like any other: that it is there says that it was written
    with zarr.config.set({"array.write_empty_chunks": True}):
        root = zarr.create_group(store, zarr_format=3)
        results = {e.name: _fill_group(store, e, data[e.name], origin) for e in campaign.experiment}
    listed = [key for key in sorted(memory) if key != ROOT and not _is_result(key, results)]
    attributes["manifest"] = {key: digest_of(memory[key].to_bytes()) for key in listed}
    root.attrs.put(attributes)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(store)
    document = json.loads(memory.pop(ROOT).to_bytes())
    objects = {key: buffer.to_bytes() for key, buffer in memory.items()}
    return {**objects, ROOT: sealed(document)}


def description(member: Mapping[str, Any]) -> bytes:
    """Return the bytes of a group's or an array's ``zarr.json``, from its entry in the root."""
    metadata = {k: v for k, v in member.items() if k != "consolidated_metadata"}
    return json.dumps(metadata, indent=2).encode()


def _is_result(key: str, results: Mapping[str, set[str]]) -> bool:
    """Whether an object is a chunk of results (written again and again) and not part of the layout."""
    experiment, _, path = key.partition("/")
    variable, _, chunk = path.partition("/")
    return chunk.startswith("c/") and variable in results[experiment]


def _fill_group(store: MemoryStore, experiment: Experiment, data: Data, origin: Mapping[str, Any]) -> set[str]:
    """Create an experiment's group; return the names of its results."""
    group = zarr.create_group(store, path=experiment.name, zarr_format=3)
    group.attrs.put(
        {
            "experiment": experiment.model_dump(mode="json", exclude_none=True),
            "data": origin["data"][experiment.name],
            "dtype": experiment.dtype,
            "integrator": integrator_of(experiment),
            **{name: origin[name] for name in _SHARED},
            **({"coordinates": "root_h_alpha"} if experiment.amplitude == "alpha" else {}),
        }
    )
    axes = coordinates(experiment, data.y_test)
    results = variables(experiment)
    grid = ("width", experiment.amplitude, "seed")
    for name, variable in results.items():
        dims = (*grid, *variable.dims)
        shape = tuple(len(axes[d].values) for d in dims)
        chunk = (1, shape[1], seeds_per_task(experiment), *shape[3:])
        about: dict[str, Any] = {"long_name": variable.long_name, "units": "1"}
        if name in ("status", "arm_status"):
            about["flag_values"] = [int(s) for s in Status]
            about["flag_meanings"] = " ".join(s.name.lower() for s in Status)
        array = _create(group, name, shape, chunk, dims, variable.dtype, about)
        if name == "status":
            array[...] = Status.PENDING
    for name, axis in axes.items():
        _write_coordinate(group, name, axis)
    return set(results)


def _write_coordinate(group: zarr.Group, name: str, axis: Coordinate) -> None:
    about = {"long_name": axis.long_name, "units": "1"}
    shape = axis.values.shape
    dtype = "str" if axis.values.dtype == object else str(axis.values.dtype)
    array = _create(group, name, shape, shape, axis.dims, dtype, about)
    array[...] = axis.values


def _create(group: zarr.Group, name: str, shape, chunk, dims, dtype: str, attributes) -> zarr.Array:
    labels = dtype == "str"
    return group.create_array(
        name,
        shape=shape,
        chunks=chunk,
        dtype=str if labels else dtype,
        fill_value="" if labels else _FILL.get(dtype, 0),
        serializer=VLenUTF8Codec() if labels else BytesCodec(),
        compressors=[ZstdCodec(level=ZSTD_LEVEL), Crc32cCodec()],
        dimension_names=dims,
        attributes=attributes,
    )
