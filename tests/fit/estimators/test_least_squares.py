"""Laws beyond a single power: recovered exactly without noise, with errors that are those of the jackknife."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fit import corrected_power, exponent, joint, offset_power, segmented, smooth_crossover
from lazyrich.errors import InputError

X = np.geomspace(1e-4, 1e4, 33)
POWER = st.floats(-3, 3)


def noisy(log_y, clusters=8, seed=0, size=0.05):
    """Repeat a curve over clusters that each have an offset and a tilt of their own, and noise at every point."""
    rng = np.random.default_rng(seed)
    x = np.tile(X, clusters)
    cluster = np.repeat(np.arange(clusters), len(X))
    own = size * rng.standard_normal((2, clusters))[:, cluster]
    y = np.tile(log_y, clusters) + own[0] + 0.1 * own[1] * np.log(x) + 0.1 * size * rng.standard_normal(len(x))
    return x, np.exp(y), cluster


@given(low=POWER, step=st.floats(0.2, 2), star=st.floats(-3, 3), scale=st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_a_smooth_crossover_gives_both_asymptotes_and_where_they_meet(low, step, star, scale):
    v = np.log(X) - star
    fitted = smooth_crossover(X, np.exp(scale + low * v + step * (np.logaddexp(0, v) - np.log(2))))
    found = [fitted[name].value for name in ("low_exponent", "high_exponent", "log_crossover", "log_level")]
    assert found == pytest.approx([low, low + step, star, scale], abs=1e-6)  # the minimiser's own tolerance


def test_the_sharpness_of_a_crossover_can_be_fitted_too():
    fitted = smooth_crossover(X, (X**3 + X**6) ** (-1 / 3), sharpness=None)
    found = [fitted[name].value for name in ("low_exponent", "high_exponent", "log_crossover", "sharpness")]
    assert found == pytest.approx([-1, -2, 0, 3], abs=1e-6)


@given(low=POWER, step=st.floats(0.2, 2), star=st.floats(-6, 6))
@settings(max_examples=20, deadline=None)
def test_a_breakpoint_is_found_wherever_it_lies(low, step, star):
    v = np.log(X) - star
    fitted = segmented(X, np.exp(np.where(v < 0, low * v, (low + step) * v)))
    found = [fitted[name].value for name in ("low_exponent", "high_exponent", "log_breakpoint")]
    assert found == pytest.approx([low, low + step, star], abs=1e-8)  # linear algebra


def test_corrections_of_fixed_and_free_power_are_told_from_the_power():
    x = np.geomspace(1e-4, 1, 13)
    fixed = corrected_power(x, 3 * x**-1.5 * (1 - 0.4 * x**0.25), correction_exponent=0.25)
    assert (fixed["exponent"].value, fixed["correction"].value) == pytest.approx((-1.5, -0.4), abs=1e-6)
    free = corrected_power(x, 3 * x**-1.5 * (1 + 2 * x**0.5))
    assert (free["exponent"].value, free["correction_exponent"].value) == pytest.approx((-1.5, 0.5), abs=1e-5)
    h = np.geomspace(10, 1e4, 13)
    wide = corrected_power(h, h**-0.5 * (1 + 5 / h), sign=-1)
    assert (wide["exponent"].value, wide["correction_exponent"].value) == pytest.approx((-0.5, -1), abs=1e-5)


@pytest.mark.parametrize("offset", [0.05, 0.0, -0.02])
def test_an_offset_is_told_from_the_power(offset):
    x = np.geomspace(0.1, 10, 9)
    fitted = offset_power(x, 2 / x + offset)
    assert (fitted["exponent"].value, fitted["offset"].value) == pytest.approx((-1, offset), abs=1e-7)


def test_alpha_and_width_are_fitted_at_once():
    alpha, h = (a.ravel() for a in np.meshgrid(np.geomspace(1e-3, 1e-1, 5), [32.0, 64, 128]))
    fitted = joint(alpha, h, (alpha * h**0.5) ** -1.5)
    assert (fitted["exponent"].value, fitted["nu"].value) == pytest.approx((-1.5, 0.5), abs=1e-10)


def test_errors_are_those_of_leaving_each_cluster_out():
    """Exactly so for a law that is linear in its parameters."""
    x, y, cluster = noisy(-1.5 * np.log(X))
    h = np.array([32.0, 64.0])[cluster % 2]
    fitted = joint(x, h, y, cluster)
    without = np.array([joint(*(a[cluster != g] for a in (x, h, y, cluster)))["exponent"].value for g in range(8)])
    jackknife = np.sqrt(7 / 8 * np.sum((without - fitted["exponent"].value) ** 2))
    assert fitted["exponent"].standard_error == pytest.approx(jackknife, rel=1e-6)
    assert fitted["exponent"].dof == 7


def test_errors_of_a_crossover_are_nearly_those_of_leaving_each_cluster_out():
    """To first order in what a cluster moves: a tenth of the error."""
    v = np.log(X) - 1
    x, y, cluster = noisy(-v - np.logaddexp(0, v))
    fitted = smooth_crossover(x, y, cluster)
    without = [smooth_crossover(*(a[cluster != g] for a in (x, y, cluster))) for g in range(8)]
    for name in fitted:
        moved = np.array([one[name].value for one in without]) - fitted[name].value
        assert fitted[name].standard_error == pytest.approx(np.sqrt(7 / 8 * np.sum(moved**2)), rel=0.1)


def test_copies_of_a_cluster_add_nothing():
    x, y, cluster = noisy(-np.log(X) - np.maximum(np.log(X), 0))
    once, twice = segmented(x, y, cluster), segmented(np.tile(x, 2), np.tile(y, 2), np.tile(cluster, 2))
    for name in once:
        assert twice[name].standard_error == pytest.approx(once[name].standard_error, rel=1e-6)


def test_errors_of_measurement_are_weights():
    rng = np.random.default_rng(3)
    x = np.geomspace(1, 100, 12)
    error = np.where(np.arange(12) < 8, 0.01, 1.0)
    y = x**-1.0 * np.exp(error * rng.standard_normal(12))
    assert exponent(x, y, y_error=error * y).value == pytest.approx(-1, abs=0.02)  # eight points of one per cent
    plain, weighted = (corrected_power(x, y, correction_exponent=-1.0, y_error=e) for e in (None, error * y))
    assert abs(weighted["exponent"].value + 1) < abs(plain["exponent"].value + 1)


def test_outliers_lose_their_pull():
    rng = np.random.default_rng(2)
    x = np.geomspace(1, 100, 20)
    y = x**-1.0 * np.exp(0.01 * rng.standard_normal(20))
    y[-1] *= 10
    assert exponent(x, y, robust=True).value == pytest.approx(-1, abs=0.02)
    assert abs(exponent(x, y).value + 1) > 0.1
    cluster, tilt = np.repeat(np.arange(20), 5), np.r_[0.01 * rng.standard_normal(19), 3.0]
    grid = np.tile(np.geomspace(1e-4, 1e-2, 5), 20)
    odd = exponent(grid, grid ** (tilt[cluster] - 1), cluster, robust=True)
    assert odd.value == pytest.approx(-1, abs=0.02)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: segmented([1, 2, 3], [1, 2, 3]), "too few distinct values"),
        (lambda: smooth_crossover([1, 2, 3], [1, 2, 3]), "leave no freedom"),
        (lambda: offset_power([1, 2, 3, -4], [1, 2, 3, 4]), "has no logarithm"),
        (lambda: joint([1, 2, 3, 4], [5, 5, 5, 5], [1, 2, 3, 4]), "one width"),
        (lambda: joint([1, 2, 3, 4], [5, 6, 5, 6], [1, 2, 3, 4], [0, 0, 1, 1]), "too few clusters"),
        (lambda: exponent([1, 2, 3], [1, 2, 3], [0, 0, 1], y_error=[1, 1, 1]), "independent points"),
        (lambda: exponent([1, 2, 3], [1, 2, 3], robust=True, correction_exponent=1), "on a line"),
    ],
)
def test_what_can_not_be_fitted_is_refused(call, told):
    with pytest.raises(InputError, match=told):
        call()


@pytest.mark.parametrize("model", [offset_power, corrected_power, smooth_crossover])
def test_no_points_are_refused_by_name(model):
    with pytest.raises(InputError, match="no points"):
        model([], [])
