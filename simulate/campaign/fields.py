"""Checks of single fields of an experiment: each takes a value and returns it, as it is kept.

What is wrong is an `InputError` without a field: which one it is `lazyrich.validation` finds out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from lazyrich.errors import InputError
from simulate.campaign.arms import ARMS
from simulate.campaign.dynamics import NAMES
from simulate.campaign.losses import LOSS_NAMES
from theory.activation import Activation
from theory.black_box import is_function_name

_MOST_PER_DECADE = 20  # checkpoints


def expand_range(value: Any) -> Any:
    """Make of ``{start, stop, per_decade}`` the points 10**(i/per_decade) from start to stop."""
    if not isinstance(value, Mapping):
        return value
    if set(value) != {"start", "stop", "per_decade"}:
        raise InputError("", value, "a range has start, stop and per_decade", "Write {start, stop, per_decade}")
    start, stop, per_decade = (value[k] for k in ("start", "stop", "per_decade"))
    numbers = all(_is_number(v) for v in (start, stop, per_decade))
    if not (numbers and 0 < start <= stop < math.inf and 1 <= per_decade <= 100 and per_decade == int(per_decade)):
        raise InputError(
            "",
            dict(value),
            "a range needs 0 < start <= stop and a whole number 1 <= per_decade <= 100",
            "Write {start = 1e-4, stop = 1e4, per_decade = 2}, say",
        )
    first = math.ceil(per_decade * math.log10(start) - 1e-9)
    last = math.floor(per_decade * math.log10(stop) + 1e-9)
    return tuple(10.0 ** (i / per_decade) for i in range(first, last + 1))


def no_switch(value: Any) -> Any:
    """Refuse true and false, alone or in a list, where a number belongs."""
    parts = value if isinstance(value, list | tuple) else (value,)
    if any(isinstance(part, bool) for part in parts):
        raise InputError("", value, "is true or false, and a number or a text belongs here", "Write that")
    return value


def ascending(value: Any) -> Any:
    """Refuse values that are not ascending and different."""
    if isinstance(value, tuple) and any(b <= a for a, b in itertools.pairwise(value)):
        raise InputError("", value, "values must be ascending and different", "Sort them and give each once")
    return value


def named_dynamics(value: Any) -> Any:
    """Dynamics without a name are gradient flow; a name that is not known is refused."""
    if not isinstance(value, Mapping):
        return value
    named = {"name": "gradient_flow", **value}
    if named["name"] not in NAMES:
        raise InputError("name", named["name"], "no such dynamics", f"Use one of {', '.join(NAMES)}")
    return named


def known_arms(value: tuple[str, ...]) -> tuple[str, ...]:
    """Arms are the network, first, and others that are known, each once."""
    for name in value:
        if name not in ARMS:
            raise InputError("", name, "no such arm", f"Use some of {', '.join(ARMS)}")
    if value[0] != "network" or len(set(value)) < len(value):
        raise InputError("", list(value), "arms are the network, first, and others, each once", "Put network first")
    return value


def known_checkpoints(value: Any) -> Any:
    """Checkpoints are none, a number per decade, a range, or a list of times."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return expand_range(value)
    times = value if isinstance(value, list | tuple) else (value,)
    positive = len(times) > 0 and all(_is_number(v) and 0 < v < math.inf for v in times)
    count = isinstance(value, int) and value <= _MOST_PER_DECADE
    if not (positive and (count or isinstance(value, list | tuple))):
        problem = "checkpoints are a number from 1 to 20 per decade, or a list of times t/min(1, A)"
        raise InputError("", value, problem, "Write 4, say, or [0.1, 1, 10]")
    return value


def known_activation(value: str) -> str:
    """Return the formula, or the name of a function, without spaces around it; refuse what is no activation."""
    # a function is needed where networks are trained, and not to look at a store
    return value.strip() if is_function_name(value) else Activation(value).formula


def known_architecture(value: str) -> str:
    """Refuse an architecture that nobody has registered."""
    from simulate.networks.registry import (
        architecture_names,  # torch: for whoever makes campaigns, not for whoever reads stores
    )

    if value not in architecture_names():
        raise InputError("", value, "no such architecture", f"Use one of {', '.join(architecture_names())}")
    return value


def known_loss(value: str) -> str:
    """Refuse a loss without a formula in `simulate.dynamics.losses`."""
    if value not in LOSS_NAMES:
        raise InputError("", value, "no such loss", f"Use one of {', '.join(LOSS_NAMES)}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
