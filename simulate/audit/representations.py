r"""What the modules of two models make of the same inputs, and how much of its change the tangent explains.

For a module with outputs Z on n points (n × features): the relative change ||Z_T - Z_0||/||Z_0||, the centred kernel
alignment of Z_0 and Z_T (linear CKA, arXiv:1905.00414), and the share of the change that the linearised model explains,
1 - ||Z_T - Z_0 - (dZ_0/dw) dw||²/||Z_T - Z_0||².
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.audit.directional_derivative import directional_derivative
from simulate.audit.model_function import ModelFunction, captured

MEMORY = 2**29  #: bytes that the outputs of modules may take at a time


@dataclass(frozen=True)
class Representation:
    """The change of one module's output, or of the model's ("")."""

    change: float  #: ||Z_T - Z_0||/||Z_0||; NaN where Z_0 is zero
    similarity: float  #: CKA; NaN where an output does not depend on the point
    tangent_share: float  #: of the change, explained by the tangent; 1 where nothing changed


def representations(
    before: ModelFunction, after: ModelFunction, x: Tensor, *, memory: int = MEMORY
) -> dict[str, Representation]:
    """Compare the outputs of all modules that have parameters or no children; "" is the model itself."""
    change = {name: after.parameters[name] - p for name, p in before.parameters.items()}
    sizes = _sizes(before, x)
    result: dict[str, Representation] = {}
    for names in _sets(sizes, memory // (3 * x.shape[0] * torch.finfo(before.dtype).bits // 8)):
        initial, tangent, final = _outputs(before, after, change, x, names)
        for name in initial:
            if name in final and initial[name].shape == final[name].shape:
                result[name] = _compare(initial[name], tangent[name], final[name])
    return {name: result[name] for name in sizes if name in result}


def _sizes(model: ModelFunction, x: Tensor) -> dict[str, int]:
    """Numbers that a module gives for a point, in the order of execution; the model itself comes last."""
    names = {
        name
        for name, module in model.module.named_modules()
        if name and (not list(module.children()) or list(module.parameters(recurse=False)))
    }
    with torch.no_grad(), captured(model.module, names) as outputs:
        model_output = model({}, x[:1])
    return {name: sum(t.numel() for t in outputs[name]) for name in outputs} | {"": model_output.numel()}


def _sets(sizes: dict[str, int], limit: int) -> Iterator[set[str]]:
    names: set[str] = set()
    used = 0
    for name, size in sizes.items():
        if names and used + size > limit:
            yield names
            names, used = set(), 0
        names.add(name)
        used += size
    yield names


def _outputs(
    before: ModelFunction, after: ModelFunction, change: dict[str, Tensor], x: Tensor, names: set[str]
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Outputs (n, features) of the initial model, their derivative along the change, and those of the final model."""

    def evaluate(model: ModelFunction, parameters, batch: Tensor) -> dict[str, Tensor]:
        with captured(model.module, names) as outputs:
            model_output = model(parameters, batch)
        flat = {
            name: torch.cat([t.reshape(len(batch), -1) for t in calls], -1)
            for name, calls in outputs.items()
            if all(t.numel() % len(batch) == 0 and t.shape[0] == len(batch) for t in calls)
        }
        return {**flat, **({"": model_output} if "" in names else {})}

    pieces: list[tuple[dict[str, Tensor], ...]] = []  # initial, tangent, final
    for batch in x.split(16):
        pair = directional_derivative(lambda p: evaluate(before, p, batch), before.parameters, change)  # noqa: B023
        with torch.no_grad():
            pieces.append((pair[0], pair[1], evaluate(after, {}, batch)))

    def joined(kind: int) -> dict[str, Tensor]:
        return {name: torch.cat([piece[kind][name] for piece in pieces]) for name in pieces[0][kind]}

    return joined(0), joined(1), joined(2)


def _compare(initial: Tensor, tangent: Tensor, final: Tensor) -> Representation:
    moved = (final - initial).double()
    size, distance = float(initial.double().norm()), float(moved.norm())
    left = float((moved - tangent.double()).norm())
    return Representation(
        change=distance / size if size > 0 else math.nan,
        similarity=_similarity(initial.double(), final.double()),
        tangent_share=1.0 - (left / distance) ** 2 if distance > 0 else 1.0,
    )


def _similarity(first: Tensor, second: Tensor) -> float:
    """Linear CKA from the n × n Gram matrices of centred features."""
    grams = []
    for features in (first, second):
        centred = features - features.mean(0)
        grams.append(centred @ centred.T)
    norms = [float(gram.norm()) for gram in grams]
    if min(norms) == 0:
        return math.nan
    return float((grams[0] * grams[1]).sum()) / (norms[0] * norms[1])
