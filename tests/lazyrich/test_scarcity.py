"""Errors that say that the system has nothing more to give are told from all others, by number or by message."""

import errno

import pytest

from lazyrich.scarcity import scarcity


@pytest.mark.parametrize(
    ("error", "clause"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "s.zarr"), "No space left on device (s.zarr)"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (RuntimeError("can't start new thread"), "no thread can be started"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "no memory is left"),
        (ImportError("libx.so: failed to map segment from shared object"), "no memory is left"),
    ],
)
def test_what_is_scarce_is_named(error, clause):
    assert scarcity(error) == clause


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOENT, "No such file"), RuntimeError("shapes differ"), ValueError("cannot allocate memory")],
)
def test_other_errors_are_not_about_the_system(error):
    assert scarcity(error) is None
