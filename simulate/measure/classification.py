"""How often the sign of a predictor is wrong: the test error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

#: what the store says of it; an output of zero decides nothing, and counts as wrong
TEST_ERROR = "fraction of test points with F·y <= 0"


def error_fraction(output: Tensor, y: Tensor) -> Tensor:
    """Return the fraction of points with F·y <= 0, (members,): NaN where an output is not finite.

    ``output`` is F on the points (members, n), ``y`` (n,) their labels ±1.
    """
    wrong = (output * y <= 0).to(output.dtype).mean(-1)
    return wrong.where(output.isfinite().all(-1), float("nan"))
