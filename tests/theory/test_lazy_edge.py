"""Where the lazy regime begins: by chi^(-L/2) later for activations that are nearly constant, derived and measured."""

import math

import numpy as np
import pytest

from simulate import Campaign, run
from theory import Activation, infinite_width_kernels, predictions
from theory.regimes import LAZY_EDGE

USUAL = ("relu", "softplus", "gelu", "tanh", "silu", "erf", "linear", "hardswish", "hardtanh", "leaky_relu(z, 0.2)")
NEARLY_CONSTANT = ("sigmoid", "sqrt(1 + z**2)", "exp(-(z/3)**2)", "sigmoid(z/3)", "1 + 0.1*tanh(z)", "softplus(z)")
LAZY_CLAIMS = {
    "half_time", "weight_change_lazy", "weight_collapse", "time_collapse", "fluctuations", "largest_rate", "lazy_error",
    "ensemble",
}  # fmt: skip


def lazy_laws(activation, depth):
    return {p.claim: p for p in predictions(activation, depth) if p.regime.name == "lazy"}


def effort(activation, depth, x, y):
    """A·||w - w_0||/sqrt(h) for F = y: sqrt(y^T Theta^(-1) y), Theta of infinite width."""
    _, kernel = infinite_width_kernels(activation, depth, x)
    return math.sqrt(y @ np.linalg.solve(kernel, y))


@pytest.mark.parametrize("activation", USUAL)
@pytest.mark.parametrize("depth", [1, 3])
def test_usual_activations_keep_the_edge(activation, depth):
    laws = lazy_laws(activation, depth)
    assert {laws[claim].regime.low for claim in LAZY_CLAIMS} == {LAZY_EDGE}


def test_all_laws_of_a_frozen_kernel_begin_late_together():
    """Sigmoid: chi = 0.153, so that three layers need A > 0.153^(-3/2)/0.05 = 335."""
    laws = lazy_laws("sigmoid", 3)
    (edge,) = {laws[claim].regime.low for claim in LAZY_CLAIMS}
    assert edge == pytest.approx(335, abs=1)
    # the kernel's own laws begin later by the same factor
    for claim in ("kernel_change_lazy", "collapse_exponent", "kernel_plateau"):
        late, usual = laws[claim].regime.low, lazy_laws("tanh", 3)[claim].regime.low
        assert late / usual == pytest.approx(3.35, abs=0.01)
    assert lazy_laws("sigmoid", 1)["half_time"].regime.low == LAZY_EDGE


def test_no_regimes_are_compared_at_an_amplitude_that_is_not_lazy():
    (law,) = (p for p in predictions("exp(-(sigmoid(z/3))**2)", 3) if p.claim == "regime_preference")
    assert "not in its lazy regime, which begins at A = 3.9e+04" in law.not_claimed_because


@pytest.mark.parametrize("activation", NEARLY_CONSTANT)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_weights_move_as_the_susceptibility_says(activation, depth):
    """||w - w_0|| ~ chi^(-L/2)/A: within a factor of 1.6 of what it is for a linear network, over three decades."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((16, 20))
    x *= math.sqrt(20) / np.linalg.norm(x, axis=1, keepdims=True)
    y = np.where(x[:, 0] > 0, 1.0, -1.0)
    factor = effort(activation, depth, x, y) / effort("linear", 1, x, y)
    assert factor * Activation(activation).susceptibility ** (depth / 2) == pytest.approx(1.0, rel=0.6)


def test_without_normalisation_layers_differ():
    """tanh of variance 1, then of E[tanh²]: the kernel of two layers has E[sigma'^2] of both."""
    bare = Activation("tanh", normalise=False)
    variance = 1 / Activation("tanh").normalisation ** 2
    z, weights = np.polynomial.hermite_e.hermegauss(80)
    first, second = (
        weights @ bare.slope(math.sqrt(s) * z) ** 2 / math.sqrt(2 * math.pi) for s in (1.0, variance)
    )  # fmt: skip
    assert bare.mean_susceptibility(2) == pytest.approx(math.sqrt(first * second), rel=1e-5)
    assert Activation("tanh").mean_susceptibility(2) == pytest.approx(first / variance, rel=1e-5)
    assert Activation("0.01*tanh(z)", normalise=False).mean_susceptibility(1) == pytest.approx(1e-4 * first, rel=1e-5)


@pytest.mark.parametrize(("formula", "limit"), [("1e-3*z**2", 0.0), ("z**2", math.inf)])
def test_variances_that_vanish_or_grow_beyond_all_numbers_are_no_error(formula, limit):
    assert Activation(formula, normalise=False).mean_susceptibility(60) == limit


@pytest.mark.parametrize(("activation", "depth"), [("sigmoid", 3), ("exp(-(sigmoid(z/3))**2)", 2)])
def test_weights_go_as_one_over_a_from_the_edge_on_and_not_before(activation, depth, tmp_path):
    """Networks of width 24 on 16 digits: the slope is within the margin, 0.05, and 0.1 off a decade before."""
    edge = lazy_laws(activation, depth)["weight_change_lazy"].regime.low
    experiment = {
        "name": "edge", "dataset": "digits", "n_train": 16, "n_test": 10, "depth": depth, "widths": [24], "seeds": 3,
        "activation": activation, "root_h_alpha": [edge / 10, edge, 10 * edge], "tolerance": 1e-2,
    }  # fmt: skip
    store = run(Campaign.from_dict({"name": "edge", "experiment": [experiment]}), tmp_path / "s.zarr").store
    data = store.tree()["edge"].to_dataset().load()
    assert (data["status"] == 1).all()
    moved = np.sqrt((data["weight_change"] ** 2).sum("layer"))
    slopes = np.diff(np.log10(moved).mean("seed").transpose("width", "root_h_alpha").values[0])
    assert slopes[1] == pytest.approx(-1.0, abs=0.05)
    assert slopes[0] > -0.9
