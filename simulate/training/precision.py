"""Precision of the arithmetic, and what it must not cost.

Full precision: no TF32 or bfloat16 in place of the dtype that was asked for, whatever the defaults are. No denormal
numbers in float32: the force and curvature of points far behind their margin, exp(-20 (F·y - 1)), run into them, and a
processor takes a hundred times longer for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """Switch reduced-precision products and convolutions off, and back to what they were.

    alpha (f - f_0) cancels log10(alpha) digits: TF32, with ten bits of mantissa, has none of them to spare.
    """
    products = torch.get_float32_matmul_precision()
    convolutions = torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")  # also allow_tf32 = False of CUDA's products
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions


@contextmanager
def without_denormals(dtype: torch.dtype) -> Iterator[None]:
    """Take float32 numbers below 1e-38 for zero, on the calling thread of a CPU. With float64 nothing is changed."""
    before = torch.tensor(1e-40, dtype=torch.float32).mul(1.0).item() == 0.0
    torch.set_flush_denormal(before or dtype == torch.float32)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
