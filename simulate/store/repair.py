"""What of a store's layout can be computed again: descriptions, coordinates, the root, the records of runs."""

from __future__ import annotations

from collections.abc import Mapping

from simulate.campaign.campaign import Campaign
from simulate.data import Data
from simulate.store.backend import StorageBackend
from simulate.store.checked_json import digest_of
from simulate.store.layout import description, lay_out
from simulate.store.records import RECORDS, read_records, write_records
from simulate.store.root import COPY, ROOT, Root, read_root, sealed


def repair_layout(
    backend: StorageBackend, root: Root, campaign: Campaign, damaged: list[str], data: Mapping[str, Data]
) -> Root:
    """Write the damaged objects of a layout anew, by their keys; return the root as it then is."""
    if not damaged:
        return root
    if any(key in RECORDS for key in damaged):
        write_records(backend, read_records(backend))
    manifest = root.attributes["manifest"]
    listed = [key for key in damaged if key in manifest]
    fresh = lay_out(campaign, data, root.attributes)
    # descriptions from the root's own copy: the schema may have got new variables since
    for key in listed:
        member = key.removesuffix("/zarr.json")
        if member != key:
            fresh[key] = description(root.members[member])
    backend.write({key: fresh[key] for key in listed})
    manifest.update({key: digest_of(fresh[key]) for key in listed})
    document = sealed(root.document)
    backend.write({COPY: document, ROOT: document})
    return read_root(backend)
