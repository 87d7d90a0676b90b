"""What figures look like before a report's own style: matplotlib's defaults, whatever its configuration files say.

A ``matplotlibrc`` in the working folder is read by matplotlib itself; with one that asks for TeX or for the language's
decimal sign, figures would fail, or differ from those of the same data elsewhere.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl

#: where figures are shown, not how they look
_OTHER = (
    "backend",
    "date.epoch",
    "docstring",
    "interactive",
    "savefig.directory",
    "timezone",
    "tk",
    "toolbar",
    "webagg",
)


def differing_settings() -> dict[str, Any]:
    """Return matplotlib's default of each setting about looks that stands at something else."""
    names = [name for name in mpl.rcParamsDefault if not name.startswith(_OTHER)]
    return {name: mpl.rcParamsDefault[name] for name in names if mpl.rcParams[name] != mpl.rcParamsDefault[name]}


PLAIN = differing_settings()  #: as the configuration files have left them
