"""One audit's measurements: everything that two checkpoints of a model and probe inputs say."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lazyrich.errors import InputError
from lazyrich.wording import counted
from simulate.audit.loading import Checkpoint, Make, build, load_checkpoint
from simulate.audit.model_function import ModelFunction, check_forward
from simulate.audit.representations import Representation, representations
from simulate.audit.tangent_kernel import (
    MEMORY,
    TangentKernels,
    can_be_mapped,
    estimated_seconds,
    output_directions,
    tangent_kernels,
)
from simulate.audit.weight_changes import WeightChange, weight_changes


@dataclass(frozen=True)
class RunMeasurement:
    """One run of training: its checkpoints before and after, compared on the probe inputs."""

    before: TangentKernels
    after: TangentKernels
    representations: dict[str, Representation]  #: by module; "" is the model's output
    weights: dict[str, WeightChange]  #: by parameter


@dataclass(frozen=True)
class Measurement:
    """All runs of one model.

    Attributes
    ----------
    modules : dict of str to str
        Class names of the modules that own trained parameters, in the order of the model.
    parameters : int
        How many numbers are trained.
    inputs, outputs, combinations : int
        Probe points; outputs of a point; combinations of outputs over which kernels are traced.
    mapped : bool
        Whether gradients were taken together (`torch.func.vmap`) or one by one.
    seconds : float
        What the measurement took.
    """

    runs: tuple[RunMeasurement, ...]
    modules: dict[str, str]
    parameters: int
    inputs: int
    outputs: int
    combinations: int
    mapped: bool
    dtype: str
    seconds: float


@dataclass(frozen=True)
class Cost:
    """What a measurement will take, told beforehand."""

    seconds: float
    memory: int  #: bytes that rows of the Jacobian take at most
    parameters: int
    kernels: int


def measure(
    make: Make,
    before: list[Checkpoint],
    after: list[Checkpoint],
    x: Tensor,
    *,
    memory: int = MEMORY,
    dtype: torch.dtype | None = None,
    announce: Callable[[Cost], None] | None = None,
    report: Callable[[float], None] | None = None,
) -> Measurement:
    """Measure one or several runs of one model.

    Parameters
    ----------
    make : callable
        Returns the model; its weights are overwritten.
    before, after : lists of checkpoints
        Of equal length: one pair a run.
    x : Tensor of shape (n, ...)
        Probe inputs.
    memory : int
        Bytes that rows of the Jacobian may take.
    dtype : torch.dtype, optional
        Precision of the computation; by default that of the model's parameters.
    announce, report : callable, optional
        Told of the cost before anything long starts, and of the share that is done.
    """
    started = time.perf_counter()
    if len(before) != len(after) or not before:
        against = f"against {counted(len(before), 'checkpoint')} before training"
        raise InputError("after", len(after), against, "Give one pair a run")

    def model(checkpoint: Checkpoint, field: str) -> ModelFunction:
        module = load_checkpoint(build(make), checkpoint, field)
        return ModelFunction.from_module(module if dtype is None else module.to(dtype))

    first = model(before[0], "before")
    x = x.to(first.dtype) if x.is_floating_point() else x
    outputs = check_forward(first, x).shape[1]
    directions = output_directions(outputs, first.dtype)
    mapped = can_be_mapped(first, x, directions)
    for start, end in zip(before, after, strict=True):  # what can't be used is found before anything long starts
        check_forward(model(start, "before"), x)
        check_forward(model(end, "after"), x)
    kernels = 2 * len(before)
    if announce is not None:
        whole = len(x) * len(directions) * first.size * torch.finfo(first.dtype).bits // 8  # the Jacobian
        seconds_per_kernel = estimated_seconds(first, x, directions, memory=memory, mapped=mapped)
        announce(Cost(seconds_per_kernel * kernels, min(memory, whole), first.size, kernels))
    runs: list[RunMeasurement] = []
    for start, end in zip(before, after, strict=True):
        initial, final = model(start, "before"), model(end, "after")
        pair = []
        for part, measured in enumerate((initial, final)):

            def progress(done: int, rows: int, part=part) -> None:
                if report is not None:
                    report((2 * len(runs) + part + done / rows) / kernels)

            pair.append(tangent_kernels(measured, x, directions, memory=memory, mapped=mapped, report=progress))
        changes = representations(initial, final, x)
        runs.append(RunMeasurement(pair[0], pair[1], changes, weight_changes(initial, final)))
    owners = dict.fromkeys(first.groups().values())
    types = {name: type(module).__name__ for name, module in first.module.named_modules()}
    return Measurement(
        runs=tuple(runs),
        modules={name: types[name] for name in owners},
        parameters=first.size,
        inputs=len(x),
        outputs=outputs,
        combinations=len(directions),
        mapped=mapped,
        dtype=str(first.dtype).removeprefix("torch."),
        seconds=time.perf_counter() - started,
    )


def effective_rank(kernel: np.ndarray) -> float:
    """Return (tr K)²/tr K²: how many directions in the space of points carry a kernel."""
    square = float(np.sum(kernel**2))
    return float(np.trace(kernel)) ** 2 / square if square > 0 else math.nan


def alignment(kernel: np.ndarray, targets: np.ndarray) -> float:
    """Return the centred alignment of a kernel with y y^T, between -1 and 1 (arXiv:1203.0550).

    ``targets`` has shape (n, columns).
    """
    centre = np.eye(len(kernel)) - 1 / len(kernel)
    centred, outer = centre @ kernel @ centre, centre @ targets @ targets.T @ centre
    norms = np.linalg.norm(centred) * np.linalg.norm(outer)
    return float(np.sum(centred * outer) / norms) if norms > 0 else math.nan
