"""The losses that an experiment may have; `simulate.dynamics.losses` has their formulas."""

from __future__ import annotations

LOSS_NAMES = ("hinge", "softhinge", "logistic", "square", "quadratic_hinge")
