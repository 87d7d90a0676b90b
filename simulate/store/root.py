"""A store's root metadata: who made it from what, the manifest, and a seal; kept twice, since all else hangs on it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, TypeGuard

from lazyrich.errors import InputError
from simulate.measure.schema import READABLE
from simulate.store.backend import OWN, StorageBackend

ROOT = "zarr.json"
COPY = f"{OWN}/root.json"  # not in a folder's zarr.json: it would be taken for a group
CREATING = f"{OWN}/creating"


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


def read_root(place: StorageBackend) -> Root:
    """Read the root, or its copy where the root is damaged.

    Raises
    ------
    InputError
        If there is no store, its making was interrupted, both are damaged, or it is of an unknown schema version.
    """
    texts = {name: _read(place, name) for name in (ROOT, COPY)}
    documents = {name: _parse(text) for name, text in texts.items()}
    sound = [name for name in (ROOT, COPY) if _bears_its_seal(texts[name], documents[name])]
    for document in documents.values():
        if _is_ours(document):
            _check_version(place, document)
    remedy = "Give the path of a store that python -m simulate has written"
    if not sound:
        if place.exists(CREATING):
            raise InputError(
                "store", str(place), "was being made when its run was interrupted", "Run the same command again"
            )
        if texts[ROOT] is None and texts[COPY] is None:
            problem = "no such store" if place.is_empty() else "is not a store"
            raise InputError("store", str(place), problem, remedy)
        if documents[COPY] is None and not _is_ours(documents[ROOT]):
            problem = "is not a store of lazyrich, or its zarr.json is damaged"
            raise InputError("store", str(place), problem, remedy)
        raise InputError(
            "store", str(place), "its zarr.json is damaged, and so is the copy of it", "Restore zarr.json from a backup"
        )
    document = documents[sound[0]]
    assert document is not None  # it bears its seal
    return Root(document, sound[0] == ROOT)


def sealed(document: dict[str, Any]) -> bytes:
    """Return the bytes of a root document with its seal."""
    document["attributes"].pop("seal", None)
    document["attributes"]["seal"] = _seal(document)
    return _written(document)


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, allow_nan=False).encode()


def digest_of(data: bytes) -> str:
    """SHA-256."""
    return hashlib.sha256(data).hexdigest()


def _check_version(place: StorageBackend, document: dict[str, Any]) -> None:
    version = document["attributes"].get("schema_version")
    if version in READABLE:
        return
    wrote = document["attributes"].get("versions", {}).get("lazyrich")
    raise InputError(
        "store",
        str(place),
        f"has schema version {version}, and this version of lazyrich reads {' and '.join(map(str, READABLE))}",
        f"Use the version of lazyrich that wrote it ({wrote})",
    )


def _seal(document: dict[str, Any]) -> str:
    attributes = {k: v for k, v in document["attributes"].items() if k != "seal"}
    # version 1 sealed its attributes only
    covered = attributes if attributes.get("schema_version") == 1 else {**document, "attributes": attributes}
    return digest_of(json.dumps(covered, sort_keys=True).encode())


def _bears_its_seal(text: bytes | None, document: dict[str, Any] | None) -> bool:
    if not _is_ours(document) or document["attributes"].get("seal") != _seal(document):
        return False
    # a byte between the values can change without changing any of them
    return document["attributes"]["schema_version"] == 1 or text == _written(document)


def _is_ours(document: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    attributes = document.get("attributes") if document is not None else None
    return isinstance(attributes, dict) and isinstance(attributes.get("manifest"), dict) and "campaign" in attributes


def _read(place: StorageBackend, name: str) -> bytes | None:
    try:
        return place.read(name)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError("store", str(place), f"can't be read ({reason})", "Mend that, or give another path") from None


def _parse(text: bytes | None) -> dict[str, Any] | None:
    try:
        document = json.loads(text) if text is not None else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
