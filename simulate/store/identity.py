"""What a store was made for: its campaign and its data, as its root says, and whether others are the same."""

from __future__ import annotations

from collections.abc import Mapping

from lazyrich.errors import InputError
from simulate.campaign.campaign import Campaign
from simulate.data import Data
from simulate.store.backend import StorageBackend
from simulate.store.chunk_codec import ChunkCodec
from simulate.store.damaged_store import DamagedStoreError
from simulate.store.differences import first_difference
from simulate.store.root import Root

_REMEDY_NEW = "Give another path with --out, or the store's own campaign (more seeds, widths or amplitudes: --extend)"
_REMEDY_ROOT = "Restore zarr.json from a backup"


def stored_campaign(backend: StorageBackend, root: Root) -> Campaign:
    """Return the campaign that a store was made for.

    Raises
    ------
    DamagedStoreError
        If it can't be read.
    """
    try:
        return Campaign.from_dict(root.attributes["campaign"])
    except InputError as error:
        problem = f"its campaign can't be read ({error})"
        raise DamagedStoreError("store", str(backend), problem, _REMEDY_ROOT) from None


def check_description(
    backend: StorageBackend, root: Root, campaign: Campaign, codecs: Mapping[str, ChunkCodec]
) -> None:
    """Check that the root describes arrays of the campaign's shapes.

    Raises
    ------
    DamagedStoreError
        If it does not.
    """
    try:
        for experiment in campaign.experiment:
            shape = (len(experiment.widths), len(experiment.amplitudes), experiment.seeds)
            described = codecs[experiment.name].shape
            if described != shape or experiment.name not in root.attributes["data"]:
                raise ValueError(f"{experiment.name} has networks {described}, not {shape}")
            if not isinstance(root.integrator(experiment.name), str):
                raise TypeError(f"no integrator of {experiment.name}")
    except Exception as error:  # whatever zarr says of what is described as an array and is none
        reason = (str(error) or repr(error)).splitlines()[0][:100]
        problem = f"its zarr.json does not describe its campaign ({reason})"
        raise DamagedStoreError("store", str(backend), problem, _REMEDY_ROOT) from error


def check_same_campaign(backend: StorageBackend, stored: Campaign, campaign: Campaign) -> None:
    """Check that a campaign is the stored one.

    Raises
    ------
    InputError
        Naming the first field that differs.
    """
    difference = first_difference(stored.to_dict(), campaign.to_dict())
    if difference is not None:
        field, old, new = difference
        raise InputError(field, new, f"the store {backend} was made with {old!r}", _REMEDY_NEW)


def check_same_data(backend: StorageBackend, root: Root, data: Mapping[str, Data]) -> None:
    """Compare data sets, by experiment, with those that a store was made from, by their SHA-256.

    Raises
    ------
    InputError
        For the first that is another.
    """
    for name in data:
        made_from = root.attributes["data"][name]
        if data[name].sha256 != made_from["sha256"]:
            raise InputError(
                "dataset",
                made_from["name"],
                f"experiment {name} of {backend} was made from other data (SHA-256 "
                f"{made_from['sha256'][:12]}…, not {data[name].sha256[:12]}…)",
                "Point --data-root at the data that it was made from",
            )
