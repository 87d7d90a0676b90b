"""One power and one correction for all clusters: bias gone, intervals that cover, the mirror minimum told apart."""

import numpy as np
import pytest

from fit.estimators.corrected_slope import corrected_slope
from fit.estimators.correction import log_factor, minima

X = np.geomspace(1e-4, 1e-2, 5)


def networks(rng, b, clusters=20, noise=0.01, power=-1.5):
    """log y of x^power (1 + b x^(1/2)), with a prefactor for each cluster and ``noise`` for each point."""
    scatter = 0.1 * rng.standard_normal((clusters, 1)) + noise * rng.standard_normal((clusters, len(X)))
    return np.tile(np.log(X), (clusters, 1)), np.log(X**power * (1 + b * np.sqrt(X))) + scatter


@pytest.mark.parametrize("b", [-5.0, -0.5, 0.0, 3.0, 60.0])
def test_an_exact_law_is_found_whatever_its_correction(b):
    log_x, log_y = networks(np.random.default_rng(0), b, noise=0.0)
    assert corrected_slope(log_x, log_y, 0.5).value == pytest.approx(-1.5, abs=1e-6)  # the search over b ends at 1e-9


def test_the_global_minimum_is_taken_and_not_its_mirror():
    """With b·max(x^w) = 10 a descent from b = 0 ends at -1.2584, where much is left over."""
    x = np.geomspace(1e-4, 1e-2, 6)
    log_y = np.log(x**-1.5 * (1 + 100 * np.sqrt(x)))
    estimate = corrected_slope(np.tile(np.log(x), (5, 1)), np.tile(log_y, (5, 1)), 0.5)
    assert estimate.value == pytest.approx(-1.5, abs=1e-6)
    assert estimate.alternative is None


@pytest.mark.parametrize("b", [0.0, 3.0])
def test_intervals_cover_the_power(b):
    """200 campaigns: 95 % ± 3.1 % (two standard errors); fitted network by network, b = 3 covered 3 %."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        low, high = corrected_slope(*networks(rng, b), 0.5).interval()
        covered += low < -1.5 < high
    assert covered >= 184


def test_the_error_is_that_of_leaving_each_cluster_out():
    """CR3 is the jackknife over clusters to first order: a tenth here, where the law is nearly linear in b."""
    log_x, log_y = networks(np.random.default_rng(2), 0.5, clusters=12)
    estimate = corrected_slope(log_x, log_y, 0.5)
    left_out = [corrected_slope(np.delete(log_x, i, axis=0), np.delete(log_y, i, axis=0), 0.5).value for i in range(12)]
    jackknife = np.sqrt(11 / 12 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert estimate.standard_error == pytest.approx(jackknife, rel=0.1)
    assert (estimate.dof, estimate.n_clusters) == (11, 12)


def test_missing_networks_do_not_bias_it():
    log_x, log_y = networks(np.random.default_rng(3), 3.0, noise=0.0)
    log_y[::2, 0] = np.nan
    log_y[1::3, 3] = np.nan
    assert corrected_slope(log_x, log_y, 0.5).value == pytest.approx(-1.5, abs=1e-6)


def test_a_drift_with_the_width_makes_widths_the_units():
    rng = np.random.default_rng(4)
    log_x, log_y = networks(rng, 0.5, clusters=60)
    group = np.repeat([64, 128, 256], 20)
    tilted = log_y + 0.05 * np.log2(group / 64)[:, None] * log_x
    estimate = corrected_slope(log_x, tilted, 0.5, group)
    assert (estimate.dof, estimate.n_clusters) == (2, 3)
    assert "drift" in estimate.notes[0]


def test_outliers_lose_their_pull():
    log_x, log_y = networks(np.random.default_rng(5), 0.5, clusters=40)
    outlier = log_y.copy()
    outlier[0] += 0.3 * (log_x[0] - log_x[0].mean())
    plain, robust = (corrected_slope(log_x, outlier, 0.5, robust=held).value for held in (False, True))
    clean = corrected_slope(log_x, log_y, 0.5).value
    assert abs(robust - clean) < 0.3 * abs(plain - clean)


def test_too_little_has_no_correction():
    log_x, log_y = networks(np.random.default_rng(6), 0.5, clusters=2)
    assert corrected_slope(log_x, log_y, 0.5) is None
    assert corrected_slope(log_x[:, :0], log_y[:, :0], 0.5) is None


def test_every_minimum_is_found():
    """(b - 1)² (b - 3)² + 0.1 b has minima near 1 and 3, the first one lower."""
    found = minima(lambda b: (b - 1) ** 2 * (b - 3) ** 2 + 0.1 * b, np.array([0.5, 1.0]))
    assert [round(b, 1) for b, _ in found] == [1.0, 3.0]
    assert found[0][1] < found[1][1]


def test_the_factor_and_its_derivative():
    """Differences of the logarithm, to their own error of 1e-8."""
    power = np.array([0.1, 0.5])
    value, derivative = log_factor(2.0, power)
    np.testing.assert_allclose(value, np.log([1.2, 2.0]))
    np.testing.assert_allclose(derivative, (log_factor(2.0 + 1e-6, power)[0] - value) / 1e-6, rtol=1e-5)
