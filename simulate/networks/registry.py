"""Architectures by name: those that lie in this package, and those that users registered."""

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
    """Return the architectures that lie in this package, by name."""
    import_all(simulate.networks)
    classes = _subclasses(Architecture)  # type: ignore[type-abstract]
    return {cls.name: cls for cls in classes if cls.__module__.startswith(f"{simulate.networks.__name__}.")}


def _subclasses(cls: type[Architecture]) -> Iterator[type[Architecture]]:
    """Yield all classes derived from ``cls``, at any distance."""
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def register(cls: type[Architecture]) -> type[Architecture]:
    """Make an architecture known under its name: a class decorator. Those in files of this package need none.

    Raises
    ------
    InputError
        If another one has this name, or it is not whole.
    """
    if not (isinstance(cls, type) and issubclass(cls, Architecture)):
        raise InputError(
            "architecture", cls, "it is not a class derived from Architecture", "Derive it from Architecture"
        )
    missing = sorted(cls.__abstractmethods__)
    if missing or not isinstance(getattr(cls, "name", None), str) or not cls.name:
        problem = f"it has no {missing[0]}" if missing else "it has no name"
        raise InputError("architecture", cls.__qualname__, problem, "Give it name, weight_shapes and forward")
    registered = _registered.get(cls.name)
    if cls.name in _built_in() or (registered is not None and registered.__qualname__ != cls.__qualname__):
        raise InputError("architecture", cls.name, "there is another architecture of this name", "Rename yours")
    _registered[cls.name] = cls
    return cls


def architecture_names() -> tuple[str, ...]:
    """Return the names that a campaign's field ``architecture`` may have."""
    return (*_built_in(), *_registered)


def user_architectures() -> tuple[type[Architecture], ...]:
    """Return the architectures that users registered; worker processes must register them too."""
    return tuple(_registered.values())


def architecture_class(name: str) -> type[Architecture]:
    """Return the architecture with this name.

    Raises
    ------
    InputError
        If there is none.
    """
    cls = _built_in().get(name) or _registered.get(name)
    if cls is None:
        raise InputError("architecture", name, "no such architecture", f"Use one of {', '.join(architecture_names())}")
    return cls
