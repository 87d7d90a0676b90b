"""The losses that an experiment may have; `simulate.dynamics.losses` has their formulas."""

from __future__ import annotations

LOSS_NAMES = ("hinge", "softhinge", "logistic", "square", "quadratic_hinge")
#: those with which training ends when every point has its margin
MARGIN_LOSSES = ("hinge", "softhinge", "logistic")
