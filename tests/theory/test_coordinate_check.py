"""How activations move in a few steps, as powers of the width: derived, and done in numpy at five widths."""

import numpy as np
import pytest
from sympy import Rational

from lazyrich.errors import InputError
from theory.coordinate_check import (
    attention_powers,
    coordinate_powers,
    depth_power,
    feature_rates,
    own_step_power,
)
from theory.parametrisation import parametrisations_in_use

WIDTHS = (64, 128, 256, 512)
CHECKED = ("standard, learning rate 1", "NTK", "mean field / article at fixed A", "maximal update (muP)")
HIDDEN = 3


def parametrisation(name):
    return next(p for p in parametrisations_in_use(HIDDEN) if p.name == name)


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_rates_that_let_every_layer_learn_are_stable(name, optimizer):
    p = parametrisation(name)
    rates = feature_rates(p, optimizer)
    own_steps = coordinate_powers(p, optimizer, rates).own_step
    assert own_steps == (0,) * (HIDDEN + 1)


def test_maximal_update_rates_are_the_published_ones():
    """Adam: 1/h for hidden matrices and the readout, with sizes of the weights as in arXiv:2203.03466, table 3."""
    standard = parametrisation("standard, learning rate 1")
    assert feature_rates(standard, "adam") == (0, 1, 1, 1)
    mup = parametrisation("maximal update (muP)")
    assert feature_rates(mup, "sgd") == (0, 0, 0, 0)


def test_hidden_layers_of_the_ntk_parametrisation_are_lazy_and_its_output_is_not():
    powers = coordinate_powers(parametrisation("NTK"), "sgd")
    assert powers.total == (-Rational(1, 2), -Rational(1, 2), -Rational(1, 2), 0)


def test_shifting_a_b_and_c_together_changes_nothing():
    p = parametrisation("NTK")
    theta = Rational(1, 2)
    shifted = type(p)(p.name, tuple(a + theta for a in p.a), tuple(b - theta for b in p.b), p.c)
    for optimizer, factor in (("sgd", 2), ("adam", 1)):
        rates = [Rational(1, 2)] * (HIDDEN + 1)
        moved = [c - factor * theta for c in rates]
        assert coordinate_powers(shifted, optimizer, moved).total == coordinate_powers(p, optimizer, rates).total


def residual_change(optimizer, p, q, depth, seed):
    """The change of a linear residual stream after one small step, branches depth^-p, rates depth^-q."""
    rng = np.random.default_rng([seed, depth])
    h = 48
    weights = [rng.standard_normal((h, h)) / np.sqrt(h) for _ in range(depth)]
    scale, rate = float(depth) ** -p, 1e-5 * float(depth) ** -q
    streams, readout = [rng.standard_normal(h)], rng.standard_normal(h) / h
    for w in weights:
        streams.append(streams[-1] + scale * w @ streams[-1])
    delta, moved = readout, [None] * depth
    for layer in reversed(range(depth)):
        gradient = scale * np.outer(delta, streams[layer])
        moved[layer] = weights[layer] + rate * (gradient if optimizer == "sgd" else np.sign(gradient))
        delta = delta + scale * weights[layer].T @ delta
    stream = streams[0]
    for w in moved:
        stream = stream + scale * w @ stream
    return np.sqrt(np.mean((stream - streams[-1]) ** 2))


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.0), (0.5, 0.5), (1.0, 0.0)])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_powers_of_the_depth(optimizer, p, q):
    """0.12: the stream grows by 1 + 1/(2 L) a branch at p = 1/2, which is a correction of order 1/L."""
    depths = (8, 16, 32, 64)
    logs = [np.mean([np.log(residual_change(optimizer, p, q, depth, seed)) for seed in range(16)]) for depth in depths]
    slope = np.polyfit(np.log(depths), logs, 1)[0]
    assert slope == pytest.approx(float(depth_power(optimizer, p, q)), abs=0.12)


def test_what_is_not_derived():
    with pytest.raises(InputError, match="lion"):
        own_step_power("lion", rate=0, multiplier=0, backward=0, inputs=0, wide_inputs=True)
    with pytest.raises(InputError, match="lion"):
        depth_power("lion", 0.5, 0)
    with pytest.raises(InputError, match="there are 4 layers"):
        coordinate_powers(parametrisation("NTK"), "sgd", [0])


def attention_gradients(weights, x, readout, coefficients, alpha):
    """Logits, the loss's gradient by them, and by W_q, W_k, W_v: L = sum_i c_i r·u_i/h, one head, all tokens seen."""
    h = len(readout)
    q, k, v = (x @ w.T for w in weights)
    logits = q @ k.T * float(h) ** -alpha
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    by_mixed = np.outer(coefficients, readout) / h
    by_p = by_mixed @ v.T
    by_logits = p * (by_p - (p * by_p).sum(1, keepdims=True))
    by_q, by_k = (m * float(h) ** -alpha for m in (by_logits @ k, by_logits.T @ q))
    return logits, by_logits, [g.T @ x for g in (by_q, by_k, p.T @ by_mixed)]


def attention_changes(optimizer, alpha, h, seed, *, values_moved):
    """(rms gradient by the logits, rms change of the logits in a small step), with a + b = 1/2 and a readout of 1/h.

    Twelve tokens of twelve features, the same for all widths of a seed.
    """
    features = np.random.default_rng(seed).standard_normal((12, 12)) / np.sqrt(12)
    rng = np.random.default_rng([seed, h])
    x = features @ rng.standard_normal((12, h))
    weights = [rng.standard_normal((h, h)) / np.sqrt(h) for _ in range(3)]
    readout, coefficients = rng.standard_normal(h), np.resize([1.0, 1.0, -1.0], 12)  # a mean that is not 0
    rate = 1.0 if optimizer == "sgd" else 1 / h

    def stepped(size):
        gradients = attention_gradients(weights, x, readout, coefficients, alpha)[2]
        return [
            w - size * rate * (g if optimizer == "sgd" else np.sign(g)) for w, g in zip(weights, gradients, strict=True)
        ]

    if values_moved:  # far enough for what they gained to be all that counts
        weights[2] = stepped(100.0)[2]
    before, by_logits, _ = attention_gradients(weights, x, readout, coefficients, alpha)
    after = attention_gradients(stepped(1e-5), x, readout, coefficients, alpha)[0]
    return np.sqrt(np.mean(by_logits**2)), np.sqrt(np.mean((after - before) ** 2))


@pytest.mark.parametrize("values_moved", [False, True])
@pytest.mark.parametrize("alpha", [1, Rational(1, 2)])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_logits_of_attention_wait_for_the_values_under_sgd(optimizer, alpha, values_moved):
    """At the start SGD moves healthy logits (alpha = 1) by h^(-1/2), and by a power 0 once values have moved.

    0.2: sixty seeds leave 0.06 (SGD; few products of random signs make its gradient), widths of 32 as much again; the
    powers to be told from one another are 1/2 apart.
    """
    powers = attention_powers(optimizer, alpha, rate=0 if optimizer == "sgd" else 1, inherited=-10)
    widths = (32, 64, 128, 256)
    logs = [
        np.mean(
            [np.log(attention_changes(optimizer, float(alpha), h, s, values_moved=values_moved)) for s in range(60)], 0
        )
        for h in widths
    ]
    slopes = np.polyfit(np.log(widths), logs, 1)[0]
    expected = [float(both[values_moved]) for both in (powers.gradient, powers.change)]
    np.testing.assert_allclose(slopes, expected, atol=0.2)


def test_attention_by_the_root_of_the_size_blows_up_from_the_first_step():
    for optimizer, rate in (("sgd", 0), ("adam", 1)):
        assert attention_powers(optimizer, Rational(1, 2), rate=rate).change[0] == Rational(1, 2)
        assert attention_powers(optimizer, 1, rate=rate).change[1] == 0
