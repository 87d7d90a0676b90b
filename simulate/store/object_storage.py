"""A store on object storage: any URL that fsspec knows, with the package for it installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from lazyrich.errors import InputError
from simulate.store.backend import BOOKKEEPING, StoreError, storage_errors
from simulate.store.file_lock import LOCK_KEY, describe_holder, holder


class ObjectStorageBackend:
    """A prefix on object storage. Objects are put whole by the service; the lock is an object created only if absent.

    Where the service offers no conditional creation (fsspec then looks before it writes), two runs that start in the
    same instant could both begin: keep to one. A run that is killed leaves its lock; `break_lock` removes it.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self.fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except Exception as error:  # whatever a package for a scheme raises on a URL that it can't read
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
            remedy = "Install the fsspec package for it (s3fs for s3://, gcsfs for gs://, adlfs for abfs://)"
            raise InputError("store", url, f"can't be opened ({reason})", remedy) from None
        self.url = url
        self.root = root.rstrip("/")

    def __str__(self) -> str:
        return self.url

    def read(self, key: str) -> bytes:
        """Return an object."""
        with _client_errors():
            return self.fs.cat_file(f"{self.root}/{key}")

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        with _client_errors():
            return bool(self.fs.isfile(f"{self.root}/{key}"))

    def write(self, objects: Mapping[str, bytes]) -> None:
        """Put objects."""
        with _client_errors():
            self.fs.pipe({f"{self.root}/{key}": data for key, data in objects.items()})

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; a key without an object is skipped."""
        for key in keys:
            with _client_errors(), contextlib.suppress(FileNotFoundError):
                self.fs.rm_file(f"{self.root}/{key}")

    def keys(self, folder: str = "") -> list[str]:
        """Return the keys of all objects, or of those in a folder."""
        with _client_errors():
            self.fs.invalidate_cache()
            files = self.fs.find(f"{self.root}/{folder}".rstrip("/"))
        return sorted(str(file)[len(self.root) + 1 :] for file in files)

    def obstruction(self, key: str) -> str | None:
        """Nothing: a key has an object or has none."""
        return None

    def remove_obstructions(self, keys: Iterable[str]) -> None:
        """Nothing: a key has an object or has none."""

    def is_empty(self) -> bool:
        """Whether there is nothing but what `BOOKKEEPING` holds."""
        with _client_errors():
            self.fs.invalidate_cache()
            try:
                entries = self.fs.ls(self.root, detail=False)
            except FileNotFoundError:
                return True
        return all(str(entry).rstrip("/").endswith(f"/{BOOKKEEPING}") for entry in entries)

    def create(self) -> None:
        """Nothing: prefixes are not created."""

    def zarr_store(self) -> str:
        """Return what zarr and xarray open."""
        return self.url

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the prefix for one writer."""
        with storage_errors(self):
            try:
                with _client_errors():
                    self.fs.pipe_file(f"{self.root}/{LOCK_KEY}", holder(), mode="create")
            except FileExistsError:
                raise StoreError(f"{self}: {self._holder()}") from None
        try:
            yield
        finally:
            with storage_errors(self):
                self.delete([LOCK_KEY])

    def break_lock(self) -> bool:
        """Remove the lock of a run that is dead; return whether there was one."""
        held = self.exists(LOCK_KEY)
        self.delete([LOCK_KEY])
        return held

    def _holder(self) -> str:
        try:
            who = describe_holder(self.read(LOCK_KEY))
        except OSError:
            who = "holder unknown"
        return (
            f"another run is writing to it ({who}). Wait for it, or stop it; "
            f"if it is dead: lazyrich simulate unlock {self}"
        )


@contextmanager
def _client_errors() -> Iterator[None]:
    """What a service's client raises (no connection, no credentials, no such bucket) is a failing storage."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}".rstrip(". ")) from error
