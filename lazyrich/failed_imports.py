"""Libraries whose import fails, since the environment or a configuration file tells them what they can't understand."""

from __future__ import annotations

import traceback
from types import FrameType

from lazyrich.texts import one_line

_OURS = ("lazyrich", "theory", "simulate", "fit", "reports")
_LONGEST = 200  #: letters of what the library says


def failed_import(error: BaseException) -> str | None:
    """Return which library's import raised an error, and what it says, as a clause; None if no library's did.

    ``TORCH_LOGS=nonsense`` and a ``matplotlibrc`` that is no text end so. A library that is missing is another matter.
    """
    if isinstance(error, ModuleNotFoundError):
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [position for position, frame in enumerate(frames) if _package(frame) in _OURS]
    # Python leaves the frames of its own import system out
    imported = [frame for frame in frames[ours[-1] + 1 :] if frame.f_code.co_name == "<module>"] if ours else []
    if not imported:
        return None
    said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return f"{_package(imported[0])} can't be imported ({one_line(said.strip())[:_LONGEST]})"


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
