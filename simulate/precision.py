"""Full precision: no TF32 or bfloat16 in place of the dtype that was asked for, whatever the defaults are."""

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
