"""Powers of theory against networks, with the code of `benchmarks.audit_theory`."""

import numpy as np
import pytest

from benchmarks.audit_theory import (
    HIDDEN_LAYERS,
    OPTIMIZERS,
    TOLERANCE,
    compare,
    drawn_weights,
    log_changes,
    rate_vectors,
    tangents,
)
from theory.parametrisation import parametrisations_in_use


def change_of_a_step(p, optimizer, rates, drawn, x, residual, size):
    """The change of each layer's preactivations after a step of a given size, divided by that size."""
    h = len(drawn[0])
    multipliers = [float(h) ** -float(a) for a in p.a]
    weights = [w * float(h) ** -float(b) for w, b in zip(drawn, p.b, strict=True)]

    def forward(weights):
        activations, preactivations = [x], []
        for multiplier, w in zip(multipliers, weights, strict=True):
            preactivations.append(multiplier * w @ activations[-1])
            activations.append(np.sqrt(2) * np.maximum(preactivations[-1], 0))
        return activations, preactivations

    activations, before = forward(weights)
    delta, moved = residual, list(weights)
    for layer in reversed(range(HIDDEN_LAYERS + 1)):
        gradient = multipliers[layer] * delta @ activations[layer].T
        step = gradient if optimizer == "sgd" else np.sign(gradient)
        moved[layer] = weights[layer] + size * float(h) ** -float(rates[layer]) * step
        if layer:
            delta = multipliers[layer] * (weights[layer].T @ delta) * np.sqrt(2) * (before[layer - 1] > 0)
    return [(z - z0) / size for z, z0 in zip(forward(moved)[1], before, strict=True)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("p", parametrisations_in_use(HIDDEN_LAYERS), ids=lambda p: p.name)
def test_tangents_give_the_change_of_a_small_step(p, optimizer):
    """1e-4: steps of 1e-7 leave rounding of 1e-9 and curvature of 1e-7, times powers of 16."""
    rng = np.random.default_rng(0)
    x, residual, drawn = rng.standard_normal((5, 3)), rng.standard_normal((1, 3)), drawn_weights(16, 0)
    rates = rate_vectors()[0]
    changes = change_of_a_step(p, optimizer, rates, drawn, x, residual, 1e-7)
    expected = np.exp(log_changes(tangents(p, optimizer, drawn, x, residual), rates, 16))
    np.testing.assert_allclose([np.sqrt(np.mean(np.square(z))) for z in changes], expected, rtol=1e-4)


def test_powers_are_those_of_networks():
    """Four parametrisations, two optimisers, 28 vectors of rates, one input; the full comparison has more seeds.

    0.12: twelve seeds leave 0.06 (three standard errors), sums of terms of different powers at such widths 0.06.
    """
    rows = compare(1, (128, 256, 512, 1024), 12)
    assert len(rows) == 224
    for row in rows:
        np.testing.assert_allclose(row["measured"], row["expected"], atol=TOLERANCE, err_msg=str(row["rates"]))
