"""What can be said of a prediction, and the level at which it is said."""

from __future__ import annotations

from typing import Literal

Outcome = Literal["consistent", "inconsistent", "inconclusive"]
LEVEL = 0.05  #: of every test that decides
