"""What kinks do to the lazy kernel: the variance that neurons leave whose preactivation passes one."""

import itertools
import re

import numpy as np
import pytest

from theory import Activation, InputError, predictions
from theory.curves import first_order_kernel_change
from theory.expression import parse, slope
from theory.gauss import gaussian_mean
from theory.kinks import kink_strength, kinks_of_formula, kinks_of_values, sample_points

HARDSWISH = "z*min(max(z + 3, 0), 6)/6"
KINKED = ["relu", "abs(z)", "leaky_relu(z, 0.5)", "min(max(z, -1), 1)", HARDSWISH, "z + 0.01*abs(z)"]


@pytest.mark.parametrize("formula", KINKED)
def test_the_strength_is_how_much_the_slopes_change_when_preactivations_move(formula):
    """E[(sigma'(z + d) - sigma'(z))²] = d·sum of (jump)²·density + O(d²): twice the normal density at 0 for ReLU."""
    phi = Activation(formula)
    d = 1e-5
    ends = sorted({*phi.kinks, *(k - d for k in phi.kinks)})
    moved = gaussian_mean(lambda z: (phi.slope(z + d) - phi.slope(z)) ** 2, ends, accuracy=1e-9)
    # what the smooth parts between kinks change by is of order d²
    assert moved / d / (2 / np.sqrt(2 * np.pi)) == pytest.approx(phi.kink_strength, rel=1e-2)


def rms_change(formula, amplitudes, width=64, seeds=40):
    """Root mean square over networks of ||dTheta||/||Theta_0||, of linearised dynamics, on held-out points."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 8))
    x *= np.sqrt(8) / np.linalg.norm(x, axis=1, keepdims=True)
    y = np.where(x[:, 0] > 0, 1.0, -1.0)
    squares = []
    for seed in range(seeds):
        drawn = np.random.default_rng(seed)
        weights = [drawn.standard_normal((b, a)) for a, b in itertools.pairwise([8, width, 1])]
        squares.append(first_order_kernel_change(formula, weights, x[:20], y[:20], amplitudes, x[20:]) ** 2)
    return np.sqrt(np.mean(squares, axis=0))


@pytest.mark.parametrize(
    ("formula", "exponent"), [("relu", -0.5), ("min(max(z, -1), 1)", -0.5), ("z + 0.01*abs(z)", -1)]
)
def test_the_slope_is_that_of_the_term_that_the_strength_lets_win(formula, exponent):
    """Forty networks of width 64, a decade of A: the slope to 0.1 or so, of which 0.05 is the other term's."""
    law = next(p for p in predictions(Activation(formula), 1) if p.claim == "kernel_change_lazy")
    assert float(law.exponent) == exponent
    low, high = max(law.regime.bounds(64)[0], 60.0), min(law.regime.bounds(64)[1], 640.0)
    amplitudes = np.geomspace(low, high, 5)
    measured = np.polyfit(np.log(amplitudes), np.log(rms_change(formula, amplitudes)), 1)[0]
    assert measured == pytest.approx(exponent, abs=0.15)


def test_a_kink_that_no_preactivation_reaches_has_no_strength_and_bounds_no_regime():
    """49 standard deviations off, the density is below the smallest number: the smooth law holds for all A >> 1."""
    assert Activation("max(z, 49)").kink_strength == 0.0
    law = next(p for p in predictions("max(z, 49)", 1) if p.claim == "kernel_change_lazy" and p.variable == "width")
    assert float(law.exponent) == -0.5
    assert law.regime.bounds(100)[1] == np.inf


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("relu", (0.0,)), ("min(max(z, -1), 1)", (-1.0, 1.0)), ("abs(z - 0.3)", (0.3,)), ("tanh", ())],
)
def test_the_formula_and_its_values_show_the_same_kinks(formula, expected):
    expression = parse(formula)
    for kinks in (kinks_of_formula, kinks_of_values):
        assert kinks(formula, expression, slope(expression)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kinks", [kinks_of_formula, kinks_of_values])
def test_where_sigma_itself_jumps_it_is_refused(kinks):
    expression = parse("heaviside(z - 1)")
    with pytest.raises(InputError, match="it jumps at z = 1, so it has no gradient flow"):
        kinks("heaviside(z - 1)", expression, slope(expression))


@pytest.mark.parametrize("jump", [1.0, 0.5])
def test_the_strength_of_one_kink_is_its_jump_squared_times_the_density_there(jump):
    """Of z -> jump·max(z, 1), of which the second moment is given: exp(-1/2) of a kink at zero, over 2 E[sigma²]."""
    derivative = slope(parse(f"{jump}*max(z, 1)"))
    assert kink_strength(derivative, (1.0,), 0.5) == pytest.approx(jump**2 * np.exp(-0.5), rel=1e-5)


def test_points_that_are_looked_at_are_symmetric_and_dense_where_a_gaussian_is():
    points = sample_points()
    np.testing.assert_array_equal(points, -points[::-1])
    assert points[-1] == 1e6
    assert np.max(np.diff(points[np.abs(points) <= 20])) == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("formula", "z"),
    [
        ("min(z, 1/z)", "0"),  # 0 at 0, where the grid looks
        ("min(1, 1/z)", "0"),
        ("min(z, 1/(z - 1))", "1"),
        ("z + 1/(z - 0.0012)", "0.0012"),  # between the points of the grid
        ("min(z, -1/(z - 0.0012)**2)", "0.0012"),
        ("min(z, log(abs(z - 0.0012)))", "0.0012"),
    ],
)
def test_a_pole_is_found_where_the_grid_does_not_see_it(formula, z):
    with pytest.raises(InputError, match=re.escape(f"not a finite real number at z = {z} (needed")):
        Activation(formula)


@pytest.mark.parametrize(
    "formula", ["tanh(10000*z)", "1/(z**2 + 1e-4)", "min(z, 1/(1 + z**2))", "where(z > 1, 1/z, z)", "relu(sin(2*z))"]
)
def test_what_is_steep_or_divides_and_has_no_pole_is_taken(formula):
    assert Activation(formula).degree in (0, 1)
