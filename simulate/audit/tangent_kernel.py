r"""Tangent kernels of any model, in tiles: Theta = J J^T with J never formed whole.

A row of J is the gradient of one combination v·f(x) of the outputs at one point. Rows are computed for some of the
parameters at a time, as many as memory allows for all rows; where one parameter alone is too large for all rows, its
kernel is put together from pairs of row tiles, and rows are computed again for each pair. Linear layers need no rows:
their gradients are outer products (`simulate.audit.factored_gradients`).

With C outputs the kernel that is compared is the trace over outputs, Theta(x, x') = sum_c df_c(x)/dw · df_c(x')/dw;
with more than ``MOST_OUTPUTS`` it is taken over as many fixed random combinations, whose mean over draws is the trace.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap

from simulate.audit.factored_gradients import factored_weights, gradient_factors, inner_products
from simulate.audit.model_function import ModelFunction

MOST_OUTPUTS = 16  #: exact up to this many outputs, by random combinations beyond
MOST_FULL_ROWS = 256  #: up to this many (point, output) pairs the full kernel is formed too
MEMORY = 2**30  #: bytes that rows of J may take

Report = Callable[[int, int], None]  #: how many rows are done, and of how many


@dataclass(frozen=True)
class TangentKernels:
    """Kernels on n points.

    Attributes
    ----------
    parts : dict of str to ndarray of shape (n, n), float64
        For each group of parameters, the trace over outputs; their sum is the kernel.
    full : ndarray of shape (n·outputs, n·outputs), optional
        The kernel between all pairs of (point, output), where they are few.
    """

    parts: dict[str, np.ndarray]
    full: np.ndarray | None

    @property
    def total(self) -> np.ndarray:
        """The kernel of all parameters."""
        return np.sum(list(self.parts.values()), axis=0)


@dataclass(frozen=True)
class KernelPlan:
    """How one kernel will be computed.

    Attributes
    ----------
    factored : tuple of str
        Weights whose gradients are taken as factors.
    chunks : tuple of tuple of str
        The other parameters, those together whose rows are computed together.
    tiles : tuple of int
        For each chunk, how many rows are kept at a time.
    batch : int
        Rows that are differentiated at a time.
    rows : int
        Rows of one combination of outputs (the points), or all where the full kernel is formed.
    passes : int
        Combinations of outputs.
    """

    factored: tuple[str, ...]
    chunks: tuple[tuple[str, ...], ...]
    tiles: tuple[int, ...]
    batch: int
    rows: int
    passes: int

    @property
    def gradient_rows(self) -> int:
        """How many rows are differentiated in all, those computed again included."""
        return sum(_rows_computed(self.rows, tile) for tile in self.tiles) * self.passes


def output_directions(outputs: int, dtype: torch.dtype, seed: int = 0) -> Tensor:
    """Return the combinations of outputs over which kernels are traced, shape (combinations, outputs).

    The unit vectors, or ``MOST_OUTPUTS`` vectors of random signs scaled so that the mean of their kernels is the trace.
    """
    if outputs <= MOST_OUTPUTS:
        return torch.eye(outputs, dtype=dtype)
    generator = torch.Generator().manual_seed(seed)
    signs = torch.randint(0, 2, (MOST_OUTPUTS, outputs), generator=generator).to(dtype) * 2 - 1
    return signs / math.sqrt(MOST_OUTPUTS)


def plan(
    model: ModelFunction, x: Tensor, directions: Tensor, memory: int = MEMORY, *, mapped: bool = True
) -> KernelPlan:
    """Decide how a kernel on ``x`` is computed within ``memory`` bytes of rows."""
    full = len(x) * len(directions) <= MOST_FULL_ROWS and len(directions) == directions.shape[1]
    rows, passes = (len(x) * len(directions), 1) if full else (len(x), len(directions))
    size = torch.finfo(model.dtype).bits // 8
    numbers = memory // size
    kept_numbers = max(1, model.numbers_kept(x))
    batch = max(1, min(rows, numbers // (4 * kept_numbers)))
    # with rows in several batches, those of a batch are there twice for a moment
    room = max(1, numbers // (rows if batch == rows else 2 * rows))  # numbers of a row that all rows may have
    factored = factored_weights(model, x, directions) if mapped else ()
    chunks: list[list[str]] = [[]]
    used = 0
    for name, parameter in model.parameters.items():
        if name in factored:
            continue
        if chunks[-1] and used + parameter.numel() > room:
            chunks.append([])
            used = 0
        chunks[-1].append(name)
        used += parameter.numel()
    tiles = []
    chunks = [chunk for chunk in chunks if chunk]
    for chunk in chunks:
        width = sum(model.parameters[name].numel() for name in chunk)
        tile = max(1, min(rows, numbers // (3 * width)))
        tiles.append(rows if width <= room else math.ceil(rows / math.ceil(rows / tile)))
    return KernelPlan(factored, tuple(map(tuple, chunks)), tuple(tiles), batch, rows, passes)


def tangent_kernels(
    model: ModelFunction,
    x: Tensor,
    directions: Tensor,
    *,
    memory: int = MEMORY,
    mapped: bool = True,
    report: Report | None = None,
) -> TangentKernels:
    """Return the tangent kernels of a model on ``x``, shape (n, ...), for each module that owns parameters.

    Parameters
    ----------
    directions : Tensor of shape (combinations, outputs)
        See `output_directions`.
    memory : int
        Bytes that rows of J may take at a time.
    mapped : bool
        Whether rows are differentiated together by `torch.func.vmap` (see `can_be_mapped`).
    report : callable, optional
        Told of rows done and rows in all.
    """
    kernel_plan = plan(model, x, directions, memory, mapped=mapped)
    groups = model.groups()
    parts = {
        group: torch.zeros(kernel_plan.rows, kernel_plan.rows, dtype=torch.float64)
        for group in dict.fromkeys(groups.values())
    }
    done = 0
    for points, combinations in _row_sets(x, directions, kernel_plan):
        for name, part in _factored_kernels(model, kernel_plan, points, combinations, memory):
            parts[groups[name]] += part
        for chunk, tile in zip(kernel_plan.chunks, kernel_plan.tiles, strict=True):

            def rows(span: slice, chunk=chunk, points=points, combinations=combinations) -> dict[str, Tensor]:
                nonlocal done
                pieces = [
                    gradient_rows(model, chunk, points[i], combinations[i], mapped=mapped)
                    for i in torch.arange(kernel_plan.rows)[span].split(kernel_plan.batch)
                ]
                done += len(range(*span.indices(kernel_plan.rows)))
                if report is not None:
                    report(done, kernel_plan.gradient_rows)
                if len(pieces) == 1:
                    return pieces[0]
                return {name: torch.cat([piece[name] for piece in pieces]) for name in chunk}

            for first, second, left, right in _tile_pairs(kernel_plan.rows, tile, rows):
                for name in chunk:
                    block = (left[name] @ right[name].T).double()
                    parts[groups[name]][first, second] += block
                    if first != second:
                        parts[groups[name]][second, first] += block.T
    n, full = len(x), None
    if kernel_plan.passes == 1 and len(directions) == directions.shape[1]:
        full = torch.stack(list(parts.values())).sum(0).numpy()
        count = len(directions)
        parts = {g: k.reshape(n, count, n, count).diagonal(dim1=1, dim2=3).sum(-1) for g, k in parts.items()}
    return TangentKernels({group: kernel.numpy() for group, kernel in parts.items()}, full)


def gradient_rows(
    model: ModelFunction, names: Sequence[str], x: Tensor, combinations: Tensor, *, mapped: bool = True
) -> dict[str, Tensor]:
    """Return d(v_r·f(x_r))/dw for the parameters named: x (r, ...), v (r, outputs) -> (r, numbers) for each."""
    part = {name: model.parameters[name] for name in names}

    def combination(parameters: dict[str, Tensor], point: Tensor, v: Tensor) -> Tensor:
        return (model(parameters, point.unsqueeze(0))[0] * v).sum()

    if mapped:
        rows = vmap(grad(combination), in_dims=(None, 0, 0), randomness="error")(part, x, combinations)
    else:
        gradients = [grad(combination)(part, point, v) for point, v in zip(x, combinations, strict=True)]
        rows = {name: torch.stack([row[name] for row in gradients]) for name in names}
    return {name: rows[name].reshape(len(x), -1) for name in names}


def can_be_mapped(model: ModelFunction, x: Tensor, directions: Tensor) -> bool:
    """Whether `torch.func.vmap` takes the model's forward: it does not where code looks at the numbers themselves."""
    try:
        gradient_rows(model, [next(iter(model.parameters))], x[:2], directions[[0, 0]])
    except RuntimeError:
        return False
    return True


def estimated_seconds(
    model: ModelFunction, x: Tensor, directions: Tensor, *, memory: int = MEMORY, mapped: bool = True
) -> float:
    """Return about how long one kernel takes here, from the time of a few rows."""
    kernel_plan = plan(model, x, directions, memory, mapped=mapped)
    sample_size = min(len(x), kernel_plan.batch, *kernel_plan.tiles, 8)
    combinations = directions[torch.zeros(sample_size, dtype=torch.long)]
    seconds = 0.0
    if kernel_plan.factored:
        started = time.perf_counter()
        gradient_factors(model, kernel_plan.factored, x[:sample_size], combinations)
        seconds += (time.perf_counter() - started) / sample_size * kernel_plan.rows * kernel_plan.passes
    speed = _multiplications_a_second(model.dtype)
    for chunk, tile in zip(kernel_plan.chunks, kernel_plan.tiles, strict=True):
        started = time.perf_counter()
        rows = gradient_rows(model, chunk, x[:sample_size], combinations, mapped=mapped)
        seconds_per_row = (time.perf_counter() - started) / sample_size
        products = kernel_plan.rows**2 * sum(row.shape[1] for row in rows.values()) * kernel_plan.passes
        seconds += seconds_per_row * _rows_computed(kernel_plan.rows, tile) * kernel_plan.passes + products / speed
    return seconds


def _multiplications_a_second(dtype: torch.dtype) -> float:
    """Of products of rows, measured."""
    rows = torch.ones(64, 50_000, dtype=dtype)
    started = time.perf_counter()
    rows @ rows.T
    return rows.numel() * 64 / (time.perf_counter() - started)


def _rows_computed(rows: int, tile: int) -> int:
    """How many rows a kernel in tiles takes: a tile is kept while those after it are computed."""
    return sum(max(0, rows - start) for start in range(0, rows, tile))


def _factored_kernels(
    model: ModelFunction, kernel_plan: KernelPlan, points: Tensor, combinations: Tensor, memory: int
) -> Iterator[tuple[str, Tensor]]:
    """Yield the kernel of each weight whose gradients are taken as factors."""
    if not kernel_plan.factored:
        return
    pieces = [
        gradient_factors(model, kernel_plan.factored, points[i], combinations[i])
        for i in torch.arange(kernel_plan.rows).split(kernel_plan.batch)
    ]
    for name in kernel_plan.factored:
        d, a = (torch.cat([piece[name][k] for piece in pieces]) for k in range(2))
        yield name, inner_products(d, a, memory).double()


def _row_sets(x: Tensor, directions: Tensor, kernel_plan: KernelPlan) -> Iterator[tuple[Tensor, Tensor]]:
    """The points and combinations of outputs of the rows of each pass."""
    n, count = len(x), len(directions)
    if kernel_plan.passes == 1 and kernel_plan.rows == n * count:
        yield x.repeat_interleave(count, 0), directions.repeat(n, 1)
        return
    for direction in directions:
        yield x, direction.expand(n, -1)


def _tile_pairs(
    rows: int, tile: int, compute: Callable[[slice], dict[str, Tensor]]
) -> Iterator[tuple[slice, slice, dict[str, Tensor], dict[str, Tensor]]]:
    """All pairs of row tiles, the second not before the first, two tiles in memory at a time."""
    spans = [slice(start, min(start + tile, rows)) for start in range(0, rows, tile)]
    for i, first in enumerate(spans):
        left = compute(first)
        yield first, first, left, left
        for second in spans[i + 1 :]:
            yield first, second, left, compute(second)
