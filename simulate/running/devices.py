"""Which devices a run computes on: each process has one."""

from __future__ import annotations

import functools
import re

import torch

from lazyrich.errors import InputError


def run_devices(device: str) -> tuple[str, ...]:
    """Return the devices that a run on ``device`` takes: all visible GPUs for "cuda", else the one that it names.

    Which GPUs are visible is the environment's to say (``CUDA_VISIBLE_DEVICES``).
    """
    if device != "cuda" or torch.cuda.device_count() < 2:
        return (device,)
    return tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))


@functools.cache
def check_device(device: str) -> None:
    """Check that a device is one of those that lazyrich computes on, and that torch can use it here.

    Raises
    ------
    InputError
        Saying which devices there are.
    """
    remedy = f"Use one that this machine has: {', '.join(_available())}"
    if re.fullmatch(r"cpu|cuda(:[0-9]{1,4})?", device) is None:
        raise InputError("device", device, "no device that lazyrich computes on (cpu, cuda, cuda:N)", remedy)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError("device", device, f"torch can't use it ({reason})", remedy) from None


def _available() -> list[str]:
    """Return the devices that torch can use here, with their names."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else range(0)
    return ["cpu", *(f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in gpus)]
