"""Kernels of networks of infinite width: duals in closed form or integrated, and the recursion through the layers."""

from theory.kernels.dual import dual_expression
from theory.kernels.infinite_width import infinite_width_kernels

__all__ = ["dual_expression", "infinite_width_kernels"]
