"""Which errors say that the system has nothing more to give: disk, files, memory, processes."""

from __future__ import annotations

import errno

_ERRNOS = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
    errno.EAGAIN,
}  # fmt: skip
_OUT_OF_MEMORY = ("DefaultCPUAllocator", "failed to map segment", "cannot allocate memory")


def scarcity(error: BaseException) -> str | None:
    """Return as a clause what the system has no more of, or None if the error has another cause.

    Examples
    --------
    >>> scarcity(RuntimeError("can't start new thread"))
    'no thread can be started'
    >>> scarcity(ValueError("not a number")) is None
    True
    """
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{where}"
    message = str(error)
    if isinstance(error, RuntimeError) and "can't start new thread" in message:
        return "no thread can be started"
    if isinstance(error, RuntimeError | ImportError) and any(words in message for words in _OUT_OF_MEMORY):
        return "no memory is left"
    return None
