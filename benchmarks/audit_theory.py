"""Powers that a coordinate check should find, against networks: four parametrisations, two optimisers, many rates.

The change that a small step makes is the sum over layers of what the step of each makes, h^-c_l times a tangent: the
tangents of a network give its change at all exponents c of the rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sympy import Rational

from theory.coordinate_check import Optimizer, coordinate_powers
from theory.parametrisation import Parametrisation, parametrisations_in_use

HIDDEN_LAYERS, FEATURES = 3, 5
PARAMETRISATIONS = (
    "standard, learning rate 1",
    "NTK",
    "mean field / article at fixed A",
    "maximal update (muP)",
)
OPTIMIZERS: tuple[Optimizer, ...] = ("sgd", "adam")
RATE_VECTORS = 28
TOLERANCE = 0.12
SQRT_TWO = np.sqrt(2)

#: [k][l]: the change of the preactivations of layer k that the step of layer l <= k makes, at a rate of 1
Tangents = list[list[np.ndarray]]


def drawn_weights(h: int, seed: int) -> list[np.ndarray]:
    """Return standard normal weights of all layers."""
    rng = np.random.default_rng([seed, h])
    return [rng.standard_normal(shape) for shape in ((h, FEATURES), *[(h, h)] * (HIDDEN_LAYERS - 1), (1, h))]


def tangents(
    p: Parametrisation, optimizer: Optimizer, drawn: Sequence[np.ndarray], x: np.ndarray, residual: np.ndarray
) -> Tangents:
    """Return what an infinitesimal step of each layer changes in a ReLU network, per rate.

    Parameters
    ----------
    drawn : sequence of arrays
        See `drawn_weights`.
    x : array of shape (features, inputs)
    residual : array of shape (1, inputs)
        The loss's gradient by the outputs.
    """
    h, layers = len(drawn[0]), len(drawn)
    weights = [w * float(h) ** -float(a + b) for w, a, b in zip(drawn, p.a, p.b, strict=True)]
    activations, preactivations = [x], []
    for w in weights:
        preactivations.append(w @ activations[-1])
        activations.append(SQRT_TWO * np.maximum(preactivations[-1], 0))
    slopes = [SQRT_TWO * (z > 0) for z in preactivations]
    changes: Tangents = [[] for _ in range(layers)]
    backward = residual
    for layer in reversed(range(layers)):
        multiplier = float(h) ** -float(p.a[layer])
        gradient = multiplier * backward @ activations[layer].T
        change = multiplier * (gradient if optimizer == "sgd" else np.sign(gradient)) @ activations[layer]
        changes[layer].insert(0, change)
        for above in range(layer + 1, layers):
            change = weights[above] @ (slopes[above - 1] * change)
            changes[above].insert(0, change)
        if layer:
            backward = (weights[layer].T @ backward) * slopes[layer - 1]
    return changes


def rate_vectors() -> list[list[Rational]]:
    """Return random exponents of the rates: 0, 1/2, ..., 2 for each layer."""
    rng = np.random.default_rng(0)
    return [[Rational(int(twice), 2) for twice in row] for row in rng.integers(0, 5, (RATE_VECTORS, HIDDEN_LAYERS + 1))]


def log_changes(changes: Tangents, rates: Sequence[Rational], h: int) -> list[float]:
    """Return the logarithm of the rms change of each layer."""
    factors = [float(h) ** -float(c) for c in rates]
    summed = [sum(f * change for f, change in zip(factors, row, strict=False)) for row in changes]
    return [float(np.log(np.sqrt(np.mean(np.square(total))))) for total in summed]


def compare(inputs: int, widths: Sequence[int], seeds: int) -> list[dict[str, Any]]:
    """Return measured and expected powers, a row for each parametrisation, optimiser and vector of rates."""
    vectors = rate_vectors()
    by_name = {p.name: p for p in parametrisations_in_use(HIDDEN_LAYERS)}
    logs: dict[tuple[str, Optimizer], list[Any]] = {(n, o): [] for n in PARAMETRISATIONS for o in OPTIMIZERS}
    for h in widths:
        at_width: dict[tuple[str, Optimizer], list[Any]] = {key: [] for key in logs}
        for seed in range(seeds):
            rng = np.random.default_rng(seed)  # the data are the same at all widths
            x, residual = rng.standard_normal((FEATURES, inputs)), rng.choice([-1.0, 1.0], (1, inputs))
            drawn = drawn_weights(h, seed)
            for name, optimizer in logs:
                changes = tangents(by_name[name], optimizer, drawn, x, residual)
                at_width[name, optimizer].append([log_changes(changes, rates, h) for rates in vectors])
        for key, values in at_width.items():
            logs[key].append(np.mean(values, axis=0))
    rows = []
    for (name, optimizer), by_width in logs.items():
        table = np.array(by_width).reshape(len(widths), -1)
        slopes = np.polyfit(np.log(widths), table, 1)[0].reshape(len(vectors), -1)
        for rates, measured in zip(vectors, slopes, strict=True):
            powers = coordinate_powers(by_name[name], optimizer, rates).total
            rows.append(
                {
                    "parametrisation": name,
                    "optimizer": optimizer,
                    "rates": [str(c) for c in rates],
                    "measured": measured.tolist(),
                    "expected": [float(power) for power in powers],
                }
            )
    return rows


def summarise(inputs: int, widths: Sequence[int], seeds: int) -> dict[str, Any]:
    """Return how far networks are from theory, over all layers of all cases."""
    rows = compare(inputs, widths, seeds)
    distances = np.array([np.abs(np.subtract(row["measured"], row["expected"])) for row in rows])
    worst = rows[int(distances.max(axis=1).argmax())]
    return {
        "inputs": inputs,
        "widths": list(widths),
        "seeds": seeds,
        "cases": len(rows),
        "powers": int(distances.size),
        "largest_distance": float(distances.max()),
        "median_distance": float(np.median(distances)),
        "within_tolerance": float(np.mean(distances <= TOLERANCE)),
        "worst": worst,
    }
