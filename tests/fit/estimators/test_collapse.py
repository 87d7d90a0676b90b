"""The exponent that collapses curves of several sizes: exact models give theirs back, and the interval covers."""

import numpy as np
import pytest
from exactly_solved import ISING_TC, curie_weiss, strip_correlation_length, strip_transfer_matrix
from synthetic_campaign import SMOOTH_LAZY, experiment, prediction

from fit import assess, collapse
from fit.estimators.collapse import _minimum
from lazyrich.errors import InputError
from theory.prediction import Regime


def networks(nu=0.5, widths=(64, 128, 256), seeds=10, noise=1.0, seed=0):
    """Kernel changes that bend from A^(-3/2) to A^(-2), A = alpha·h^nu; a seed has a level of its own, ~ h^(-1/2)."""
    rng = np.random.default_rng(seed)
    h = np.array(widths, dtype=float)[:, None, None]
    log_a = np.log(10) * np.arange(-3, 3.1, 0.5)[None, :, None]
    own = noise * rng.standard_normal((len(widths), 1, seeds)) / np.sqrt(h)
    log_y = -1.5 * log_a - 0.5 * np.logaddexp(0, log_a - 1) + own
    log_y = log_y + 0.01 * noise * rng.standard_normal(log_y.shape)
    parts = np.exp(log_a) / h**nu, h, np.exp(log_y), np.arange(seeds)
    return [np.broadcast_to(part, log_y.shape).ravel() for part in parts]


def test_the_strips_correlation_length_is_that_of_the_transfer_matrix():
    for temperature in (1.8, ISING_TC, 3.0):
        exact = strip_correlation_length(6, temperature)
        assert exact == pytest.approx(strip_transfer_matrix(6, temperature), rel=1e-9)  # rounding of eigenvalues
    # conformal invariance at T_c: xi/L = 4/pi up to 1/L²
    assert strip_correlation_length(400, ISING_TC) / 400 == pytest.approx(4 / np.pi, rel=1e-4)


def ising_strips(sizes):
    """xi/L of strips against T - T_c, over the same range |T - T_c|·L <= 1 for each."""
    t = np.linspace(-1, 1, 41)[None, :] / np.array(sizes)[:, None]
    y = [strip_correlation_length(size, ISING_TC + row) / size for size, row in zip(sizes, t, strict=True)]
    return t.ravel(), np.repeat(sizes, 41), np.ravel(y)


def test_ising_strips_collapse_with_their_exact_exponent():
    """xi/L is a function of (T - T_c)·L^(1/nu), nu = 1; what is missing is a correction that falls as 1/L."""
    wide, narrow = (collapse(*ising_strips(sizes), scale="linear") for sizes in ((64, 128, 256), (16, 32, 64)))
    assert wide.nu.value == pytest.approx(1, abs=0.002)
    assert abs(wide.nu.value - 1) < 0.5 * abs(narrow.nu.value - 1)
    assert wide.quality < 1e-6  # square deviation from collapse, xi/L being of order one


def test_sampled_curie_weiss_magnets_collapse_with_exponent_one_half():
    """<m²>·N^(1/2) is a function of (T - 1)·N^(1/2); drawn magnets, so the interval must cover."""
    rng = np.random.default_rng(0)
    sizes, seeds = np.array([256, 1024, 4096]), 12
    rows = []
    for n in sizes:
        for t in np.linspace(-1.5, 1.5, 13) / np.sqrt(n):
            m, p = curie_weiss(n, 1 + t)
            drawn = rng.choice(m**2, size=(seeds, 400), p=p).mean(axis=1) * np.sqrt(n)
            rows += [(t, n, value, seed) for seed, value in enumerate(drawn)]
    x, size, y, seed = np.array(rows).T
    found = collapse(x, size, y, seed, scale="linear")
    low, high = found.nu.interval(0.99)
    # the correction ~ N^(-1/2) moves the exponent by about as much as it is known to
    assert low - 0.02 < 0.5 < high + 0.02
    assert found.nu.value == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("nu", [0.5, 1.0])
def test_networks_collapse_in_the_variable_that_they_were_made_with(nu):
    alpha, h, y, seed = networks(nu)
    found = collapse(alpha, h, y, seed, compare=(0.5, 1.0))
    low, high = found.nu.interval(0.99)
    assert low < nu < high
    assert high - low < 0.4
    # within errors where it is right; a width's level of 0.1 against a shift of log 2 per step of the width
    assert found.quality_at[nu] < 3
    assert found.quality_at[1.5 - nu] > 10 * found.quality_at[nu]


def test_standard_errors_do_in_place_of_seeds():
    rng = np.random.default_rng(1)
    x, h = np.tile(np.geomspace(0.01, 100, 17), 3), np.repeat([1.0, 4.0, 16.0], 17)
    exact = 1 / (1 + x * np.sqrt(h))
    found = collapse(x, h, exact * (1 + 0.02 * rng.standard_normal(len(x))), y_error=0.02 * exact)
    low, high = found.nu.interval(0.99)
    assert low < 0.5 < high
    assert 0.3 < found.quality < 2  # about 50 squares of unit variance


def test_without_errors_the_scatter_about_the_collapse_is_the_error():
    rng = np.random.default_rng(2)
    x, h = np.tile(np.geomspace(0.01, 100, 17), 3), np.repeat([1.0, 4.0, 16.0], 17)
    found = collapse(x, h, np.exp(0.02 * rng.standard_normal(len(x))) / (1 + x * np.sqrt(h)))
    low, high = found.nu.interval(0.99)
    assert low < 0.5 < high


def test_an_rms_over_seeds_collapses_too():
    """Signs are random and cancel in no rms: the levels are chi-distributed."""
    alpha, h, y, seed = networks(1.0, seeds=60, noise=0.0)
    chance = np.abs(np.random.default_rng(3).standard_normal((3, 60)))[np.searchsorted([64, 128, 256], h), seed]
    found = collapse(alpha, h, y * chance, seed, statistic="rms")
    low, high = found.nu.interval(0.99)
    assert low < 1.0 < high


def test_the_same_data_give_the_same_interval():
    data = networks()
    assert collapse(*data) == collapse(*data)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: collapse([1, 2], [1, 1], [1, 2]), "compares sizes"),
        (lambda: collapse([1, 2, -1], [1, 1, 2], [1, 2, 3]), "no logarithm"),
        (lambda: collapse([1, 2, 1], [1, 1, 2], [1, 2, 3], scale="square"), "no such scale"),
        (lambda: collapse([1, 2, 1e9, 2e9], [1, 1, 2, 2], [1, 2, 1, 2]), "no overlap|share no range"),
    ],
)
def test_what_can_not_collapse_is_refused(call, told):
    with pytest.raises(InputError, match=told):
        call()


@pytest.fixture(scope="module")
def campaign():
    return experiment(seeds=40)


@pytest.mark.parametrize(
    ("regime", "statistic", "nu"), [(Regime(None, "", high=1.0), "mean", 0.5), (SMOOTH_LAZY, "rms", 1.0)]
)
def test_each_regime_of_a_campaign_collapses_in_its_own_variable(campaign, regime, statistic, nu):
    """Feature regime: a function of sqrt(h)·alpha; lazy rms ~ 1/(h·alpha)."""
    law = prediction("collapse_exponent", "width", nu, regime, statistic=statistic)
    (verdict,) = assess(campaign, [law])
    assert verdict.ci_low < nu < verdict.ci_high
    assert verdict.verdict == (
        "consistent" if statistic == "mean" else "inconclusive"
    )  # three amplitudes in the latter
    assert "quality of the collapse" in verdict.reason
    assert {row["window"] for row in verdict.sensitivity} >= {"lower end trimmed", "without the narrowest width"}


def test_two_widths_are_no_collapse(campaign):
    law = prediction("collapse_exponent", "width", 0.5, Regime(None, "", high=1.0))
    (verdict,) = assess(campaign.isel(width=[0, 4]), [law])
    assert (verdict.verdict, verdict.estimate is None) == ("inconclusive", False)
    assert "3 are needed" in verdict.reason


@pytest.mark.parametrize("nu", [-2.0, 3.0, 4.0])
def test_an_exponent_far_out_is_found_without_bounds(nu):
    """x over 16 decades, so that the sizes overlap; the lines between 81 points leave 0.01."""
    x, h = np.tile(np.geomspace(1e-8, 1e8, 81), 3), np.repeat([1.0, 4.0, 16.0], 81)
    assert collapse(x, h, 1 / (1 + x * h**nu)).nu.value == pytest.approx(nu, abs=0.01)


@pytest.mark.parametrize("bounds", [(-0.5, 0.4), (0.6, 2.5)])
def test_a_best_exponent_at_an_end_of_the_bounds_is_refused_and_has_no_interval(bounds):
    x, h = np.tile(np.geomspace(0.01, 100, 17), 3), np.repeat([1.0, 4.0, 16.0], 17)
    with pytest.raises(InputError, match="lies at an end"):
        collapse(x, h, 1 / (1 + x * np.sqrt(h)), bounds=bounds)


def test_what_every_exponent_collapses_has_none():
    x, h = np.tile(np.geomspace(0.01, 100, 17), 3), np.repeat([1.0, 4.0, 16.0], 17)
    with pytest.raises(InputError, match="lies at an end"):
        collapse(x, h, np.ones(51))


def test_an_exponent_within_bounds_is_that_without_them():
    data = networks()
    assert collapse(*data, bounds=(-0.5, 2.5)) == collapse(*data)


def test_a_minimum_between_grid_points_is_the_vertex_of_the_parabola():
    grid = np.linspace(0, 1, 11)
    values = 5 + (grid - np.array([[0.33], [0.5], [0.0]])) ** 2
    np.testing.assert_allclose(_minimum(grid, values), [0.33, 0.5, 0.0], atol=1e-12)
