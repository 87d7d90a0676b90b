"""What the environment (``ZARR_…``) or a file tells zarr, looked at before zarr fails of it in the middle of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import zarr

from lazyrich.errors import InputError


def check_zarr_settings() -> None:
    """Refuse settings of zarr's that are of another type than its own, or no number from 1 on.

    Raises
    ------
    InputError
        Naming the variable of the environment that would set it.
    """
    for name, default in _leaves(zarr.config.defaults[0]):
        value = zarr.config.get(name)
        if default is None or (type(value) is type(default) and (type(default) is not int or value > 0)):
            continue
        kind = "a whole number from 1 on" if type(default) is int else f"of the type {type(default).__name__}"
        raise InputError(f"ZARR_{name.upper().replace('.', '__')}", value, f"zarr needs {kind}", "Unset it")


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if not isinstance(value, Mapping):
            yield prefix + name, value
        elif name != "codecs":  # whose names have dots in them
            yield from _leaves(value, f"{prefix}{name}.")
