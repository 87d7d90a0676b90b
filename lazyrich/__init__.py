"""Scaling laws of lazy and feature training: derived, measured, and judged.

``lazyrich.theory``, ``lazyrich.simulate`` and ``lazyrich.fit`` are the three packages of these names;
``lazyrich.audit`` says which regime a model of torch is in. What they all share lies here: errors, consoles, the
discovery of files, the command line.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import Any

from lazyrich.early_end import install
from lazyrich.errors import InputError

__all__ = ["InputError", "__version__", "audit", "fit", "simulate", "theory"]

try:
    __version__ = metadata.version("lazyrich")
except metadata.PackageNotFoundError:  # a source tree that is not installed
    __version__ = "unknown"


install()


def __getattr__(name: str) -> Any:
    # imported when asked for: the common room itself depends on none of them
    if name in ("theory", "simulate", "fit"):
        return import_module(name)
    if name == "audit":
        return import_module("fit.audit").audit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
