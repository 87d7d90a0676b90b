"""The training dynamics that a law holds for, by the names that campaigns give them."""

from __future__ import annotations

from collections.abc import Sequence

#: how sentences name them
IN_WORDS = {
    "gradient_flow": "gradient flow",
    "momentum": "gradient flow with momentum",
    "sgd": "stochastic gradient descent",
    "adam": "Adam",
}
#: What power counting of the flow's gradients is derived for, if a law says nothing else.
GRADIENT_FLOW = ("gradient_flow",)
#: Dynamics under which F takes the same course at every A while the kernel is frozen: in article time, the learning
#: rate of stochastic gradient descent does not depend on A >= 1. The time scale of momentum does: with tau from 1 to
#: 100, weights were measured to change as A^(-0.87) and half times as A^(0.27).
SAME_COURSE_WHERE_LAZY = ("gradient_flow", "sgd")


def in_words(names: Sequence[str]) -> str:
    """Return the dynamics as a list in a sentence; names that nobody knows as they are.

    Examples
    --------
    >>> in_words(("gradient_flow", "momentum", "sgd"))
    'gradient flow, gradient flow with momentum and stochastic gradient descent'
    """
    words = [IN_WORDS.get(name, name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
