"""A store's root metadata: who made it from what, the manifest, and a seal; kept twice, since all else hangs on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeGuard

from lazyrich.errors import InputError
from simulate.measure.schema import READABLE
from simulate.store.backend import BOOKKEEPING, StorageBackend, read_if_present
from simulate.store.checked_json import digest_of, load_json
from simulate.store.damaged_store import DamagedStoreError

ROOT = "zarr.json"
COPY = f"{BOOKKEEPING}/root.json"  # not in a folder's zarr.json: it would be taken for a group
CREATING = f"{BOOKKEEPING}/creating"


@dataclass(frozen=True)
class Root:
    """The root's document. ``sound`` says that the root itself, not its copy, was read and bears its seal."""

    document: dict[str, Any]
    sound: bool

    @property
    def attributes(self) -> dict[str, Any]:
        """The campaign, versions, commit, device, data, manifest."""
        return self.document["attributes"]

    @property
    def members(self) -> dict[str, dict[str, Any]]:
        """Path -> metadata of every group and array, as consolidated when the store was made."""
        return self.document["consolidated_metadata"]["metadata"]

    def integrator(self, experiment: str) -> str:
        """Return the name of the integrator that an experiment's networks are made with."""
        return self.members[experiment]["attributes"]["integrator"]

    @property
    def has_commit_records(self) -> bool:
        """Whether every finished task has a commit record (`simulate.store.commits`)."""
        return bool(self.attributes.get("commit_records", False))


def read_root(backend: StorageBackend) -> Root:
    """Read the root, or its copy where the root is damaged.

    Raises
    ------
    InputError
        If there is no store, its making was interrupted, or it is of an unknown schema version.
    DamagedStoreError
        If both are damaged.
    """
    texts = {key: _read(backend, key) for key in (ROOT, COPY)}
    documents = {key: _parse(text) for key, text in texts.items()}
    sound = [key for key in (ROOT, COPY) if _bears_its_seal(texts[key], documents[key])]
    for document in documents.values():
        if _is_ours(document):
            _check_version(backend, document)
    if not sound:
        raise _refusal(backend, texts, documents)
    if len(sound) == 2 and texts[ROOT] != texts[COPY]:  # two stores' roots, each whole: which one is this store's?
        sound.sort(key=lambda key: -_described_objects(backend, documents[key]))
    document = documents[sound[0]]
    assert document is not None  # it bears its seal
    return Root(document, sound[0] == ROOT)


def _refusal(
    backend: StorageBackend, texts: dict[str, bytes | None], documents: dict[str, dict[str, Any] | None]
) -> InputError:
    """Return why there is no root to be read."""
    store, remedy = str(backend), "Give the path of a store that lazyrich simulate has written"
    if _exists(backend, CREATING):
        return InputError("store", store, "was being made when its run was interrupted", "Run the same command again")
    if texts[ROOT] is None and texts[COPY] is None:
        return InputError("store", store, "no such store" if _is_empty(backend) else "is not a store", remedy)
    if texts[COPY] is None and not _is_ours(documents[ROOT]):
        return InputError("store", store, "is not a store of lazyrich, or its zarr.json is damaged", remedy)
    problem = "its zarr.json is damaged, and so is the copy of it"
    return DamagedStoreError("store", store, problem, "Restore zarr.json from a backup")


def sealed(document: dict[str, Any]) -> bytes:
    """Return the bytes of a root document with its seal."""
    document["attributes"].pop("seal", None)
    document["attributes"]["seal"] = _seal(document)
    return _dumped(document)


def _dumped(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, allow_nan=False).encode()


def _check_version(backend: StorageBackend, document: dict[str, Any]) -> None:
    version = document["attributes"].get("schema_version")
    if version in READABLE:
        return
    versions = document["attributes"].get("versions")
    writer = versions.get("lazyrich") if isinstance(versions, dict) else None
    raise InputError(
        "store",
        str(backend),
        f"has schema version {str(version)[:20]}, and this version of lazyrich reads "
        f"{' and '.join(map(str, READABLE))}",
        f"Use the version of lazyrich that wrote it ({str(writer or 'unknown')[:40]})",
    )


def _seal(document: dict[str, Any]) -> str:
    attributes = {k: v for k, v in document["attributes"].items() if k != "seal"}
    # version 1 sealed its attributes only
    covered = attributes if attributes.get("schema_version") == 1 else {**document, "attributes": attributes}
    return digest_of(json.dumps(covered, sort_keys=True).encode())


def _bears_its_seal(text: bytes | None, document: dict[str, Any] | None) -> bool:
    """Whether a root is as it was written, and of the types that it is read as."""
    if not _is_ours(document) or not _is_complete(document) or document["attributes"].get("seal") != _seal(document):
        return False
    # a byte between the values can change without changing any of them
    return document["attributes"]["schema_version"] == 1 or text == _dumped(document)


def _is_ours(document: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    attributes = document.get("attributes") if document is not None else None
    return isinstance(attributes, dict) and isinstance(attributes.get("manifest"), dict) and "campaign" in attributes


def _is_complete(document: dict[str, Any]) -> bool:
    """Whether everything that is read of a root is there and of its type."""
    attributes, consolidated = document["attributes"], document.get("consolidated_metadata")
    consolidated = consolidated if isinstance(consolidated, dict) else {}
    members = consolidated.get("metadata")
    texts = (attributes.get("device"), attributes.get("digest"), *attributes["manifest"].values())
    data = attributes.get("data")
    return (
        (document.get("zarr_format"), document.get("node_type")) == (3, "group")
        and consolidated.get("kind") == "inline"
        and all(isinstance(text, str) for text in texts)
        and all(isinstance(attributes.get(name), dict) for name in ("campaign", "versions"))
        and isinstance(data, dict)
        and all(
            isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("sha256"), str)
            for entry in data.values()
        )
        and isinstance(members, dict)
        and all(isinstance(member, dict) and "node_type" in member for member in members.values())
    )


def _described_objects(backend: StorageBackend, document: dict[str, Any] | None) -> int:
    """Count the objects of a store that are as a root's manifest says."""
    assert document is not None
    manifest = document["attributes"]["manifest"]
    return sum((data := _read(backend, key)) is not None and digest_of(data) == manifest[key] for key in manifest)


def _read(backend: StorageBackend, key: str) -> bytes | None:
    with _unreadable(backend):
        return read_if_present(backend, key)


def _exists(backend: StorageBackend, key: str) -> bool:
    with _unreadable(backend):
        return backend.exists(key)


def _is_empty(backend: StorageBackend) -> bool:
    with _unreadable(backend):
        return backend.is_empty()


@contextmanager
def _unreadable(backend: StorageBackend) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "Mend that, or give another path"
        raise InputError("store", str(backend), f"can't be read ({reason})", remedy) from None


def _parse(text: bytes | None) -> dict[str, Any] | None:
    document = load_json(text) if text is not None else None
    return document if isinstance(document, dict) else None
