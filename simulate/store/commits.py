"""The commit record of a task: which bytes its chunks hold, so that a chunk is known from another one that is whole.

A chunk's own checksum says that its bytes are some chunk's. The record, written before the task's ``status``, says
whose: SHA-256 of every chunk by its key. A task that is finished in part (after an extension) has its chunks rewritten;
while that goes on, its record lists both digests of each. Stores made before there were records have none, and miss
none (`simulate.store.root.Root.has_commit_records`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulate.store.backend import BOOKKEEPING, StorageBackend
from simulate.store.checked_json import digest_of, dump_checked, load_checked

#: the folder of all of them
COMMITS = f"{BOOKKEEPING}/commits"


class CommitRecord:
    """The digests that each chunk of one task may have; ``key`` is where it is kept.

    ``status_key`` is the key of the task's status, from which the record's own is made; ``campaign`` the digest of the
    campaign that the store was made for.
    """

    def __init__(self, status_key: str, campaign: str) -> None:
        experiment, _, chunk = status_key.partition("/status/c/")
        self.key = f"{COMMITS}/{experiment}/{chunk.replace('/', '.')}.json"
        self.campaign = campaign

    def bytes_of(self, *versions: Mapping[str, bytes]) -> bytes:
        """Return the record's bytes, for chunks that are of any of these versions (key -> bytes)."""
        digests: dict[str, list[str]] = {}
        for version in versions:
            for key, chunk in version.items():
                digest = digest_of(chunk)
                if digest not in digests.setdefault(key, []):
                    digests[key].append(digest)
        return dump_checked({"key": self.key, "campaign": self.campaign, "sha256": digests})

    def read(self, backend: StorageBackend) -> Mapping[str, list[str]] | None:
        """Return key -> digests; None if there is no record.

        Raises
        ------
        ValueError
            If it is not as it was written, or is another task's or another store's.
        """
        try:
            record: Any = load_checked(backend.read(self.key))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError:
            raise ValueError(backend.obstruction(self.key) or "is no file") from None
        if not isinstance(record, dict):
            raise ValueError("is not as it was written")
        if record.get("key") != self.key or record.get("campaign") != self.campaign:
            raise ValueError("is the record of another task")
        digests = record.get("sha256")
        if not isinstance(digests, dict):
            raise ValueError("is not as it was written")
        return digests
