"""What made a store: versions, commit, machine, device, and the record of every run that wrote to it."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from simulate.campaign.campaign import Campaign
from simulate.data import Data
from simulate.measure.schema import SCHEMA_VERSION

_PACKAGES = ("lazyrich", "numpy", "scipy", "sympy", "torch", "xarray", "zarr", "scikit-learn")
#: packages that decide the last bits of a result
DECISIVE = ("lazyrich", "numpy", "scipy", "torch")


def origin(campaign: Campaign, data: Mapping[str, Data], device: str) -> dict[str, Any]:
    """Return the attributes that say how to make a store again (plain values)."""
    return {
        "campaign": campaign.to_dict(),
        "digest": campaign.digest,
        "schema_version": SCHEMA_VERSION,
        "commit_records": True,
        "versions": versions(),
        "commit": commit(),
        "device": device,
        "machine": machine(device),
        "created": now(),
        "data": {
            e.name: {"name": e.dataset, "sha256": data[e.name].sha256, "description": data[e.name].description}
            for e in campaign.experiment
        },
    }


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat("T", "seconds")


@functools.cache
def versions() -> dict[str, str | None]:
    """Versions of the packages that results pass through."""
    return {name: _version(name) for name in _PACKAGES}


def machine(device: str) -> dict[str, Any]:
    """What kind of machine this is: results are equal bitwise on the same kind only."""
    described = {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": usable_cores(),
        "python": platform.python_version(),
        "torch_capability": torch.backends.cpu.get_cpu_capability(),
    }
    if device.startswith("cuda") and torch.cuda.is_available():
        described["gpu"] = torch.cuda.get_device_name(device)
        described["cuda"] = torch.version.cuda
    return described


def usable_cores() -> int:
    """Return how many cores this process may use, one at least."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS


@functools.cache
def commit() -> str | None:
    """The commit of the checkout that this code runs from, "+dirty" if it was changed; None outside one."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            # without locks: a run that is cut off must leave nothing in the checkout
            ["git", "--no-optional-locks", "-C", folder, *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        tracked = git("ls-files", "--error-unmatch", Path(__file__).name)
        head, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return (head + ("+dirty" if changes else "")) if tracked else None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's model; platform.processor() is empty on Linux."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
