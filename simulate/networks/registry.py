"""Architectures by name: those that lie in this package, and those that users register."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import simulate.networks
from lazyrich.discovery import import_all
from lazyrich.errors import InputError
from simulate.networks.architecture import Architecture

_registered: dict[str, type[Architecture]] = {}


@functools.cache
def _built_in() -> dict[str, type[Architecture]]:
    """Those that come with the package, by name: the classes of its files."""
    import_all(simulate.networks)
    found = _derived(Architecture)  # type: ignore[type-abstract]
    return {c.name: c for c in found if c.__module__.startswith(f"{simulate.networks.__name__}.")}


def _derived(cls: type[Architecture]) -> Iterator[type[Architecture]]:
    for one in cls.__subclasses__():
        yield one
        yield from _derived(one)


def register(cls: type[Architecture]) -> type[Architecture]:
    """Make an architecture known under its name: a class decorator. Those in files of this package need none.

    Raises
    ------
    InputError
        If another one has this name.
    """
    known = _registered.get(cls.name)
    if cls.name in _built_in() or (known is not None and known.__qualname__ != cls.__qualname__):
        raise InputError("architecture", cls.name, "there is another architecture of this name", "Rename yours")
    _registered[cls.name] = cls
    return cls


def architecture_names() -> tuple[str, ...]:
    """Return the names that a campaign may use."""
    return (*_built_in(), *_registered)


def user_architectures() -> tuple[type[Architecture], ...]:
    """Return the architectures that did not come with the package: what a worker has to be told of."""
    return tuple(_registered.values())


def architecture_class(name: str) -> type[Architecture]:
    """Return the architecture of this name.

    Raises
    ------
    InputError
        If there is none.
    """
    found = _built_in().get(name) or _registered.get(name)
    if found is None:
        raise InputError("architecture", name, "no such architecture", f"Use one of {', '.join(architecture_names())}")
    return found
