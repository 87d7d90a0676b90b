"""Which parametrisations learn features: the published table (arXiv:2011.14522), from power counting."""

import numpy as np
import pytest
from sympy import Rational

from theory import InputError
from theory.parametrisation import Parametrisation, parametrisations_in_use

KINDS = {
    "standard, learning rate 1": "unstable",
    "standard, learning rate 1/h": "kernel",
    "NTK": "kernel",
    "article at fixed alpha": "kernel",
    "mean field / article at fixed A": "feature",
    "maximal update (muP)": "feature",
}


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
def test_the_published_table(depth):
    assert {p.name: p.kind for p in parametrisations_in_use(depth)} == KINDS


def published_r(p):
    """r of arXiv:2011.14522: 0 for feature learning, > 0 for kernel regimes."""
    hidden = [2 * a + (1 if layer == 0 else 0) for layer, a in enumerate(p.a[:-1])]
    return min(p.b[-1], p.a[-1] + p.c) + p.a[-1] + p.c + min(hidden) - 1


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_the_move_of_a_preactivation_is_the_published_formula(depth):
    for p in parametrisations_in_use(depth):
        assert -p.update == published_r(p), p.name


def test_shifting_a_b_and_c_together_changes_nothing():
    """a + theta, b - theta, c - 2 theta describe the same function and the same training."""
    for theta in (Rational(1, 2), Rational(-3, 4)):
        for p in parametrisations_in_use(3):
            shifted = Parametrisation(
                p.name, tuple(a + theta for a in p.a), tuple(b - theta for b in p.b), p.c - 2 * theta
            )
            assert shifted.kind == p.kind
            assert shifted.update == p.update


@pytest.mark.parametrize("name", KINDS)
def test_one_gradient_step_at_two_widths(name):
    """The preactivations of a two-hidden-layer linear network, one input: they move by h^update in one step."""
    (p,) = [q for q in parametrisations_in_use(2) if q.name == name]
    moves = []
    for h in (64, 1024):
        rng = np.random.default_rng(h)
        scale = [float(h) ** -float(a) for a in p.a]
        w = [rng.standard_normal(s) * float(h) ** -float(b) for s, b in zip([(h, 1), (h, h), (1, h)], p.b, strict=True)]
        z1 = scale[0] * w[0][:, 0]
        z2 = scale[1] * w[1] @ z1
        back2 = scale[2] * w[2][0]
        back1 = scale[1] * w[1].T @ back2
        rate = float(h) ** -float(p.c)
        new1 = scale[0] * (w[0][:, 0] + rate * scale[0] * back1)
        new2 = scale[1] * (w[1] + rate * scale[1] * np.outer(back2, z1)) @ new1
        new_last = w[2][0] + rate * scale[2] * z2  # its own step counts for the next: rms of both
        again2 = scale[1] * (scale[1] * rate * np.outer(scale[2] * new_last, new1)) @ new1
        moves.append(max(np.sqrt(np.mean((new2 - z2) ** 2)), np.sqrt(np.mean(again2**2))))
    assert np.log(moves[1] / moves[0]) / np.log(1024 / 64) == pytest.approx(float(p.update), abs=0.15)


def test_features_may_move_as_they_should_and_the_output_too_far():
    """a_{L+1} + b_{L+1} + r = 1/2: nothing else grows, and one step moves the output by h^(1/2)."""
    quarter, half = Rational(1, 4), Rational(1, 2)
    p = Parametrisation("x", (-quarter, quarter, half), (quarter, quarter, Rational(0)), Rational(0))
    assert (p.update, p.output_update) == (0, 0)
    assert p.output_update_through_features == half
    assert p.kind == "unstable"
    moves = []
    for h in (64, 1024):
        squares = []
        for seed in range(10):
            rng = np.random.default_rng((h, seed))
            a, b = (np.array([float(h) ** -float(e) for e in exponents]) for exponents in (p.a, p.b))
            w1, w2, v = (rng.standard_normal(s) * scale for s, scale in zip([(h, 1), (h, h), (1, h)], b, strict=True))
            x1 = a[0] * w1[:, 0]
            x2 = a[1] * w2 @ x1
            back2 = a[2] * v[0]
            back1 = a[1] * w2.T @ back2
            moved1 = a[0] * (w1[:, 0] + a[0] * back1)
            moved2 = a[1] * (w2 + a[1] * np.outer(back2, x1)) @ moved1
            squares.append((a[2] * (v[0] + a[2] * x2) @ moved2 - a[2] * v[0] @ x2) ** 2)
        moves.append(np.sqrt(np.mean(squares)))
    # ten networks a width, whose moves scatter by a tenth or so
    assert np.log(moves[1] / moves[0]) / np.log(1024 / 64) == pytest.approx(0.5, abs=0.1)


def test_a_network_needs_an_exponent_for_each_layer():
    with pytest.raises(InputError):
        Parametrisation("x", (0, 0), (0,), 0)
    with pytest.raises(InputError):
        parametrisations_in_use(0)
