"""Memory: how much is free, how much was taken, smaller parts when it runs out, and pages kept for the next step."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import torch

from lazyrich.chunking import chunk_size

T = TypeVar("T")

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h

_MESSAGES = (
    "not enough memory",
    "DefaultCPUAllocator",
    "can't allocate memory",
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out; of a CPU's torch only the message says so."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _MESSAGES)


def free_memory(device: str) -> int:
    """Return the bytes that can still be allocated on a CUDA device, what torch keeps for itself included."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def in_parts(
    work: Callable[[range], T], items: range, limit: int | None = None, unit: int = 1, in_memory: int | None = None
) -> Iterator[tuple[range, T | None]]:
    """Do ``work`` on ``items`` in parts of at most ``limit`` (`chunk_size`), in smaller ones when memory runs out.

    ``in_memory`` is how many items ``work`` holds in memory at once, where that is not all of a part.

    Yields each part with the result of ``work``, or None for a single item that does not fit alone. A size that was too
    large once is not tried again.
    """
    start, size = items.start, chunk_size(len(items), limit, unit)
    of_one_unit = size < unit
    while start < items.stop:
        stop = min(start + size, items.stop)
        if of_one_unit:
            stop = min(stop, start + unit - (start - items.start) % unit)
        part = range(start, stop)
        result = None
        try:
            result = work(part)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        if result is None:
            # after the except clause: the exception holds the frames that hold the memory
            _release()
            if len(part) > 1:
                size = (min(len(part), in_memory or len(part)) + 1) // 2
                continue
        yield part, result
        start = part.stop


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@functools.cache
def keep_memory() -> None:
    """Tell the C library, where it is glibc, to keep what is freed: each step takes arrays of the same sizes again.

    Dask's nannies have it give back whatever is above 64 KiB, with which tasks take half as long again.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 2**25)
        mallopt(_M_TRIM_THRESHOLD, 2**28)


class PeakMemory:
    """The largest amount of memory in use since this was made.

    On a GPU what torch had allocated there (``max_memory_allocated``); on a CPU the resident memory of the process, all
    its libraries included: where the system can't forget an older peak (other than Linux), the peak since its start;
    zero where the system does not say.
    """

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            _forget_peak()

    def bytes(self) -> int:
        """Return that amount in bytes."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return _peak_of_process()


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets the peak resident set size


def _peak_of_process() -> int:
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return _peak_by_resource()


def _peak_by_resource() -> int:
    try:
        import resource  # of Unix
    except ImportError:
        return 0  # not known
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
