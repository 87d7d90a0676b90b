"""The laws for activations and depths, against exponents worked out by hand; their regimes, derivations and words."""

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from sympy import Rational

from theory import Activation, Form, InputError, Model, Prediction, predictions
from theory.regimes import window_edge
from theory.scaling import Feature


def law(activation, depth, claim, variable=None, regime=None):
    (found,) = [
        p
        for p in predictions(Activation(activation), depth)
        if p.claim == claim
        and (variable is None or p.variable == variable)
        and (regime is None or p.regime.label == regime)
    ]
    return found


@pytest.mark.parametrize("activation", ["relu", "softplus", "linear", "gelu", "silu", "leaky_relu"])
@pytest.mark.parametrize("depth", [1, 2, 3, 5, 9])
def test_degree_one_networks(activation, depth):
    """a = 2L/(L+1); ||w-w_0|| ~ A^(-1/(L+1)); everything collapses in A."""
    assert law(activation, depth, "kernel_change_feature").exponent == -Rational(2 * depth, depth + 1)
    assert law(activation, depth, "weight_change_feature").exponent == -Rational(1, depth + 1)
    assert law(activation, depth, "collapse").exponent == 0
    assert law(activation, depth, "crossover").exponent == Rational(-1, 2)
    assert law(activation, depth, "linear_time", "root_h_alpha").exponent == 1
    assert law(activation, depth, "output_growth").exponent == Rational(1, 2)
    assert law(activation, depth, "preactivation_velocity").exponent == Rational(-1, 2)
    assert law(activation, depth, "weight_change_lazy").exponent == -1
    for regime in ("feature", "lazy"):
        assert law(activation, depth, "fluctuations", regime=regime).exponent == Rational(-1, 2)


@pytest.mark.parametrize("activation", ["softplus", "tanh", "erf", "linear"])
def test_smooth_activations_fluctuate_in_the_lazy_kernel(activation):
    assert law(activation, 2, "kernel_change_lazy", "root_h_alpha").exponent == -1
    assert law(activation, 2, "kernel_change_lazy", "width").exponent == Rational(-1, 2)
    regime = law(activation, 2, "kernel_change_lazy", "width").regime
    assert regime.low_width_exponent == Rational(1, 2)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs(z)"])
def test_kinks_flip_between_the_cube_root_of_the_width_and_the_width(activation):
    found = law(activation, 2, "kernel_change_lazy", "root_h_alpha")
    assert found.exponent == Rational(-1, 2)
    assert found.statistic == "rms"
    assert (found.regime.low_width_exponent, found.regime.high_width_exponent) == (Rational(1, 3), 1)


def test_degree_two_loses_the_collapse():
    """Winner takes all: kernel change ~ h^(1/3) A^(-4/3), ||w-w_0|| ~ (h/A)^(1/3)."""
    assert law("relu2", 1, "kernel_change_feature").exponent == Rational(-4, 3)
    collapse = law("relu2", 1, "collapse")
    assert (collapse.exponent, collapse.leading_exponent) == (None, Rational(1, 3))
    assert law("relu2", 1, "weight_change_feature").exponent == Rational(-1, 3)
    assert law("relu2", 1, "fluctuations", regime="feature").exponent is None
    unclaimed = law("relu2", 2, "kernel_change_feature")
    assert not unclaimed.claimed
    assert unclaimed.expected == f"no verdict: {unclaimed.not_claimed_because}"


@pytest.mark.parametrize("activation", ["tanh", "erf", "sigmoid(z)"])
def test_bounded_activations_flag_their_logarithms(activation):
    assert law(activation, 2, "weight_change_feature").exponent == -1
    kernel = law(activation, 2, "kernel_change_feature")
    assert kernel.exponent is None
    assert kernel.form is Form.POWER_WITH_LOGARITHMS
    assert kernel.leading_exponent == -2
    assert law(activation, 2, "half_time", regime="feature").exponent == 0


@pytest.mark.parametrize(
    ("activation", "power"),
    [("z/(1 + abs(z))", 1), ("z/sqrt(1 + z**2)", 2), ("z/sqrt(1 + z**2)*(1 - (1 + z**2)**(-1/4))", Rational(1, 2))],
)
def test_slow_saturation_takes_the_kernel_its_law_and_corrects_weights_and_time(activation, power):
    assert Activation(activation).saturation == power
    kernel = law(activation, 2, "kernel_change_feature")
    assert kernel.exponent is None
    assert not kernel.logarithms
    assert not kernel.claimed
    assert not law(activation, 2, "depth_trend").claimed
    # z ~ g ~ A^(-2/(2+p)), and sigma is z^(-p) below its bound
    correction = Rational(2 * power) / (2 + power)
    for claim in ("weight_change_feature", "half_time"):
        found = law(activation, 2, claim, regime="feature")
        assert found.exponent == {"weight_change_feature": -1, "half_time": 0}[claim]
        assert found.correction_exponent == min(correction, 1)
        assert found.regime.high == 1e-3


@pytest.mark.parametrize("power", [1, 2])
def test_gains_below_a_saturating_layer_grow_as_the_flow_of_one_neuron_says(power):
    """v' = sigma(w), w' = v sigma'(w) with sigma = w/(1 + w^p)^(1/p), for which w sigma'/sigma = 1/(1 + w^p)."""
    growth = Feature(Model(1, degree=0, saturation=power)).saturating_growth

    def flow(log_v, log_w):  # d ln w/d ln v = (v/w)² w sigma'/sigma
        return np.exp(2 * (log_v - log_w)) / (1 + np.exp(power * log_w))

    grown = solve_ivp(flow, (0.0, 40.0), [0.0], method="LSODA", rtol=1e-10, atol=1e-10, dense_output=True)
    assert grown.sol(40.0)[0] - grown.sol(39.0)[0] == pytest.approx(float(growth), abs=1e-4)


@pytest.mark.parametrize("activation", ["tanh", "erf", "sin(z)", "exp(-z**2)", "relu", "sigmoid(z)"])
def test_what_saturates_faster_than_a_power_or_not_at_all_has_no_such_power(activation):
    assert Activation(activation).saturation is None


@pytest.mark.parametrize(("depth", "exponent"), [(1, None), (2, 1), (3, 1)])
def test_completion_takes_a_logarithm_at_two_layers(depth, exponent):
    found = law("relu", depth, "half_time", regime="feature")
    assert found.exponent == exponent
    assert (found.form is Form.LOGARITHM) == (depth == 1)
    assert law("relu", depth, "half_time", regime="lazy").exponent == 0


def test_kernel_exponents_rise_with_depth_towards_two():
    found = [-law("relu", depth, "kernel_change_feature").exponent for depth in (1, 2, 3, 4, 5, 8, 13, 21)]
    assert all(a < b < 2 for a, b in itertools.pairwise(found))
    assert 2 - found[-1] < Rational(1, 10)


def test_corrections_come_with_their_powers():
    """Initial weights are O(1): relative corrections A^(2/D) in the kernel, A^(1/D) in the weights."""
    assert law("relu", 3, "kernel_change_feature").correction_exponent == Rational(1, 2)
    assert law("relu", 3, "weight_change_feature").correction_exponent == Rational(1, 4)
    assert window_edge(Rational(1, 2), 0.05) == pytest.approx(0.01)
    # the bend of the local slope of A^p (1 + A^w) at that edge is the margin, to first order
    edge = window_edge(Rational(2, 3), 0.1)
    bend = (2 / 3) * edge ** (2 / 3) / (1 + edge ** (2 / 3))
    assert bend == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize("activation", ["relu", "softplus", "tanh", "relu2", "linear", "exp(-z**2)", "abs(z)"])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_each_law_says_what_follows_from_what_and_what_would_refute_it(activation, depth):
    for p in predictions(Activation(activation), depth):
        assert isinstance(p, Prediction)
        assert p.derivation
        assert p.expected
        assert p.title
        assert p.formula.count("{") == p.formula.count("}")
        assert p.form is not Form.POWER or p.exponent is not None or p.not_claimed_because
        assert p.falsified_by
        assert p.reference
        assert all(step.text and step.latex for step in p.derivation)
        assert all(step.latex.count("{") == step.latex.count("}") for step in p.derivation)
        assert p.exponent is None or p.exponent == Rational(p.exponent)
        low, high = p.regime.bounds(512)
        assert low >= 0
        assert low < high


def test_another_model_gives_other_laws():
    changed = {p.claim: p for p in predictions(Activation("relu"), 1, Model(1, output=1)) if p.variable == "width"}
    assert changed["crossover"].exponent == 0
    with pytest.raises(InputError, match="depth"):
        predictions(Activation("relu"), 2, Model(1))
    for depth in (0, -1, 1.5, True):
        with pytest.raises(InputError, match="depth"):
            predictions(Activation("relu"), depth)


@pytest.mark.parametrize(("activation", "lazy"), [("softplus", 1), ("tanh", 1), ("relu", Rational(3, 2))])
def test_the_crossover_collapses_in_root_h_alpha_and_the_lazy_regime_in_another_power(activation, lazy):
    """c1/(sqrt(h)·A) = c1/(h·alpha) for smooth activations; (h·A)^(-1/2) = (h^(3/2)·alpha)^(-1/2) for kinked ones."""
    assert law(activation, 3, "collapse_exponent", regime="crossover").exponent == Rational(1, 2)
    assert law(activation, 3, "collapse_exponent", regime="lazy").exponent == lazy


@pytest.mark.parametrize(("activation", "bent"), [("tanh", "1 - s_2"), ("relu", r"3/2 - s_1 - 4\,s_2")])
def test_other_terms_bend_the_collapse_of_the_lazy_regime(activation, bent):
    """By hand: q/p of the logarithmic derivatives of c1²/(h A²) + s/(h A) + c2²/A⁴."""
    found = law(activation, 3, "collapse_exponent", regime="lazy")
    assert found.derivation[-1].latex == rf"\nu \simeq {bent}."
    # shares of one per cent, in exact arithmetic
    s1, s2 = (0.01, 0.01) if activation == "relu" else (0.99, 0.01)
    flips = 1 - s1 - s2
    p, q = -(2 * s1 + flips + 4 * s2) / 2, -(s1 + flips) / 2
    predicted = 1.5 - s1 - 4 * s2 if activation == "relu" else 1 - s2
    assert 0.5 + q / p == pytest.approx(predicted, abs=2e-3)


@pytest.mark.parametrize(("depth", "first", "second"), [(1, 10 * 13, 25.0), (3, 10 * 25, 25.0)])
def test_a_collapse_of_flips_begins_where_other_terms_bend_it_by_half_the_margin(depth, first, second):
    regime = law("relu", depth, "collapse_exponent", regime="lazy").regime
    assert (regime.low_floor, regime.low) == (first, second)
    assert regime.bounds(1000) == (pytest.approx(max(first, 250.0)), 10_000.0)
    kernel = law("relu", depth, "kernel_change_lazy", "root_h_alpha").regime
    assert kernel.bounds(1000)[0] < regime.bounds(1000)[0]


def test_nothing_collapses_both_regimes_above_degree_one():
    assert law("relu2", 1, "collapse_exponent", regime="crossover").exponent is None


def test_an_ensemble_of_m_does_for_m_times_the_width():
    """The excess error ~ delta F² ~ 1/h is divided by m."""
    assert "width m·h" in law("relu", 3, "ensemble", regime="lazy").expected


def test_what_holds_by_construction_is_marked():
    """t1 in A, and lazy time and weights: the frozen kernel and paired initial weights leave no other power."""
    marked = {(p.claim, p.regime.name) for p in predictions(Activation("relu"), 2) if p.by_construction}
    assert marked == {("linear_time", "feature"), ("half_time", "lazy"), ("weight_change_lazy", "lazy")}


@pytest.mark.parametrize("activation", ["relu", "gelu", "z*(1 + z**2)**(-1/8)"])
@pytest.mark.parametrize("claim", ["kernel_change_feature", "kernel_homogeneity"])
def test_no_exponent_is_within_the_margins_of_two_depths(activation, claim):
    laws = [law(activation, depth, claim) for depth in range(1, 8)]
    for shallow, deep in itertools.pairwise(laws):
        assert shallow.margin + deep.margin <= float(shallow.exponent - deep.exponent) * (1 + 1e-12)
    # the closer neighbour is the deeper one: half of 8/5 - 3/2
    assert activation != "relu" or laws[2].margin == pytest.approx(1 / 20)


@pytest.mark.parametrize(
    "activation", ["sin(z)", "exp(-z**2)", "sin(z)*exp(-z**2/2)", "relu(1 - abs(z))", "exp(-z**2) + 0.01*tanh(z)"]
)
def test_bounded_activations_that_are_no_switches_have_no_law_of_grown_weights(activation):
    """Large weights make a step of tanh, and nothing here. Measured: no network fits at A = 1e-3, and above that
    weights grow as A^(-0.9) for sin and exp(-z²) at L = 1, half times as A^(1/3)."""
    kernel = law(activation, 1, "kernel_change_feature")
    assert not kernel.claimed
    assert kernel.leading_exponent is None
    assert "limits" in kernel.not_claimed_because
    assert not law(activation, 1, "weight_change_feature").claimed
    assert not law(activation, 1, "half_time", regime="feature").claimed


def test_a_winner_needs_amplitudes_below_a_power_of_the_width():
    """Sizes spread as r^(-k): the largest of h is ahead of the rest once 1/A has passed h^(2/(k-1))."""
    for activation, power in (("relu2", -2), ("relu(z)**3", -1)):
        regime = law(activation, 1, "kernel_change_feature").regime
        assert regime.high_width_exponent == power
        assert regime.bounds(100)[1] == pytest.approx(0.01 * 100.0**power)
    assert not law("relu2", 1, "depth_trend").claimed  # deeper networks have no exponent to compare with


def test_a_degree_that_is_reached_late_is_claimed_late():
    """tanh(z) + 0.01 z is linear from |z| = 700 on, where weights ~ A^(-1/2) get below A = 2e-6 (L = 1)."""
    late = law("tanh(z) + 0.01*z", 1, "weight_change_feature")
    assert late.exponent == Rational(-1, 2)
    assert late.regime.high == pytest.approx(724.0**-2, rel=0.01)
    assert law("tanh(z) + z", 1, "weight_change_feature").regime.high == 1e-3


def test_a_degree_that_no_weights_reach_gives_way_to_the_power_that_they_meet():
    """relu(z) + 1e-6 relu(z)² is ReLU below |z| = 1e5."""
    for depth in (1, 2, 3):
        law_of_sum, law_of_relu = (
            law(f, depth, "kernel_change_feature") for f in ("relu(z) + 1e-6*relu(z)**2", "relu")
        )
        assert law_of_sum.exponent == law_of_relu.exponent
        assert 0 < law_of_sum.regime.low < 1e-6
    # a plateau of the wrong kind is not mistaken for one: the bend of tanh at 1000 ends its linear range
    linear = law("tanh(z/1000)", 1, "kernel_change_feature")
    assert (linear.exponent, linear.regime.high) == (-1, 1e-2)
    assert 1e-6 < linear.regime.low < 1e-4


@pytest.mark.parametrize(
    ("activation", "exponent"),
    [("relu", Rational(-1, 2)), ("leaky_relu(z, 0.5)", Rational(-1, 2)), ("min(max(z, -1), 1)", Rational(-1, 2)),
     ("z + 0.01*abs(z)", -1), ("z*min(max(z + 3, 0), 6)/6", -1), ("leaky_relu(z, 0.9)", -1)],
)  # fmt: skip
def test_weak_kinks_leave_the_smooth_law(activation, exponent):
    """Flips leave the variance s/(hA), s ~ sum of (jump)²·density: below 1/20 of that of ReLU they need A > 400."""
    found = law(activation, 1, "kernel_change_lazy", "root_h_alpha")
    assert found.exponent == exponent
    strength = Activation(activation).kink_strength
    # where c1²/(hA²) = s/(hA), each law is kept away from: a quarter of the other square at its edge
    if exponent == -1:
        assert found.regime.high == pytest.approx(8.0 / strength / 4)
    else:
        assert found.regime.bounds(10)[0] == pytest.approx(max(10 * (10 / strength) ** (1 / 3), 4 * 13.0 / strength))


@pytest.mark.parametrize("formula", ["gelu", "z/(1 + abs(z))"])
def test_a_name_or_a_formula_will_do(formula):
    assert predictions(formula, depth=3) == predictions(Activation(formula), 3)


@pytest.mark.parametrize("activation", ["no_such_thing(z", 3, None])
def test_what_is_no_activation_is_refused(activation):
    with pytest.raises(InputError, match="activation"):
        predictions(activation, 3)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 9])
def test_the_kernel_is_judged_where_its_correction_moves_a_slope_by_less_than_the_margin(depth):
    """A^(2/D) fades the more slowly the deeper the network, and the margin, half the way to the next depth, shrinks."""
    for name in ("kernel_change_feature", "kernel_homogeneity", "largest_rate"):
        kernel = law("relu", depth, name, regime="feature")
        edge, w = kernel.regime.high, float(2 / Rational(depth + 1))
        assert edge <= 1e-2
        assert w * edge**w <= kernel.margin * (1 + 1e-9)
        assert edge == 1e-2 or w * (2 * edge) ** w > kernel.margin
