"""Exponents come out right, with intervals that say how well they are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fit import exponent
from fit.estimators.between import slope_between
from fit.estimators.clusters import cluster_slopes, mean_over, slope_within
from lazyrich.errors import InputError

# NIST StRD, linear least squares, Norris (x, y): certified to 15 digits.
NORRIS = np.array([
    0.2, 0.1, 337.4, 338.8, 118.2, 118.1, 884.6, 888.0, 10.1, 9.2, 226.5, 228.1, 666.3, 668.5, 996.3, 998.5, 448.6,
    449.1, 777.0, 778.9, 558.2, 559.2, 0.4, 0.3, 0.6, 0.1, 775.5, 778.1, 666.9, 668.8, 338.0, 339.3, 447.5, 448.9, 11.6,
    10.8, 556.0, 557.7, 228.1, 228.3, 995.8, 998.0, 887.6, 888.8, 120.2, 119.6, 0.3, 0.3, 0.3, 0.6, 556.8, 557.6, 339.1,
    339.3, 887.2, 888.0, 999.0, 998.5, 779.0, 778.9, 11.1, 10.2, 118.3, 117.6, 229.2, 228.9, 669.1, 668.4, 448.9, 449.2,
    0.5, 0.2,
]).reshape(-1, 2)  # fmt: skip
# NIST StRD, univariate, Michelso: the velocity of light in 1,000 km/s.
MICHELSO = 299 + np.array([
    850, 740, 900, 1070, 930, 850, 950, 980, 980, 880, 1000, 980, 930, 650, 760, 810, 1000, 1000, 960, 960, 960, 940,
    960, 940, 880, 800, 850, 880, 900, 840, 830, 790, 810, 880, 880, 830, 800, 790, 760, 800, 880, 880, 880, 860, 720,
    720, 620, 860, 970, 950, 880, 910, 850, 870, 840, 840, 850, 840, 840, 840, 890, 810, 810, 820, 800, 770, 760, 740,
    750, 760, 910, 920, 890, 860, 880, 720, 840, 850, 850, 780, 890, 840, 780, 810, 760, 810, 790, 810, 820, 850, 870,
    870, 810, 740, 810, 940, 950, 800, 810, 870,
]) / 1000  # fmt: skip
# NIST StRD, non-linear least squares, DanWood: y = b1 x**b2.
DANWOOD_X = np.array([1.309, 1.471, 1.490, 1.565, 1.611, 1.680])
DANWOOD_Y = np.array([2.138, 3.421, 3.597, 4.340, 4.882, 5.660])


def test_nist_norris_is_reproduced():
    # exponentials make the straight line a power law; the factor 1e-3 keeps them finite. Twelve digits are left of 15.
    x, y = np.exp(NORRIS.T / 1000)
    estimate = exponent(x, y)
    assert estimate.value == pytest.approx(1.00211681802045, rel=1e-12)
    assert estimate.standard_error == pytest.approx(0.429796848199937e-03, rel=1e-10)
    assert 1000 * np.log(estimate.prefactor) == pytest.approx(-0.262323073774029, rel=1e-9)
    assert estimate.dof == 34


def test_nist_norris_is_reproduced_by_the_regressions_that_reports_use():
    """Between widths, within a network, and weighted equally: the same line."""
    y, x = NORRIS.T[1], NORRIS.T[0]
    certified = pytest.approx(1.00211681802045, rel=1e-13)
    assert slope_between(x, y).value == certified
    assert cluster_slopes(x[None], y[None])[0] == certified
    weighted = exponent(*np.exp(NORRIS.T / 1000), y_error=0.1 * np.exp(y / 1000))
    assert weighted.value == pytest.approx(1.00211681802045, rel=1e-12)
    assert weighted.standard_error == pytest.approx(0.429796848199937e-03, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "sample", "mean", "deviation", "lost"),
    [
        ("Michelso", MICHELSO, 299.8524, 0.0790105478190518, 1e-10),
        ("NumAcc1", [10000001, 10000003, 10000002], 10000002, 1, 1e-15),
        ("NumAcc2", [1.2, *[1.1, 1.3] * 500], 1.2, 0.1, 1e-13),
        # 0.1 beside a million is known to ten digits less, in double precision
        ("NumAcc3", [1000000.2, *[1000000.1, 1000000.3] * 500], 1000000.2, 0.1, 1e-8),
        ("NumAcc4", [10000000.2, *[10000000.1, 10000000.3] * 500], 10000000.2, 0.1, 1e-7),
    ],
)
def test_nist_univariate_problems_are_reproduced(name, sample, mean, deviation, lost):
    """The mean over networks: certified means, and standard deviations by the standard error."""
    estimate = mean_over(np.asarray(sample, dtype=float))
    assert estimate.value == pytest.approx(mean, rel=1e-14)
    assert estimate.standard_error * np.sqrt(len(sample)) == pytest.approx(deviation, rel=lost)
    assert estimate.dof == len(sample) - 1


def test_nist_danwood_is_reproduced():
    # the certified values have 11 digits; the Jacobian by finite differences leaves seven of the errors
    estimate = exponent(DANWOOD_X, DANWOOD_Y, noise="absolute")
    assert estimate.value == pytest.approx(3.8604055871, rel=1e-8)
    assert estimate.prefactor == pytest.approx(7.6886226176e-01, rel=1e-8)
    assert estimate.standard_error == pytest.approx(5.1726610913e-02, rel=1e-6)
    assert estimate.dof == 4


@given(
    power=st.floats(-3, 3),
    prefactor=st.floats(1e-3, 1e3),
    scale=st.floats(1e-3, 1e3),
)
@settings(max_examples=40, deadline=None)
def test_an_exact_power_law_is_recovered_whatever_the_units(power, prefactor, scale):
    x = scale * np.geomspace(1, 1e4, 7)
    estimate = exponent(x, prefactor * x**power)
    assert estimate.value == pytest.approx(power, abs=1e-10)  # rounding only


def test_clusters_make_points_count_once():
    """Ten copies of the same network's points are one network: the interval must not shrink."""
    rng = np.random.default_rng(0)
    x = np.tile(np.geomspace(1e-4, 1e-2, 5), 8)
    cluster = np.repeat(np.arange(8), 5)
    tilt = 0.05 * rng.standard_normal(8)[cluster]
    y = x ** (-1 + tilt)
    once = exponent(x, y, cluster)
    copies = exponent(np.tile(x, 10), np.tile(y, 10), np.tile(cluster, 10))
    assert copies.standard_error == pytest.approx(once.standard_error, rel=1e-9)
    # taken for 400 independent points they would seem to say more
    assert exponent(np.tile(x, 10), np.tile(y, 10)).standard_error < 0.7 * once.standard_error


def test_a_drift_with_the_width_makes_widths_the_units():
    """Slopes -1.00, -1.05, -1.10 at three widths: two degrees of freedom, however many seeds there are."""
    rng = np.random.default_rng(1)
    log_x = np.broadcast_to(np.log(np.geomspace(1e-4, 1e-2, 5)), (60, 5))
    group = np.repeat([64, 128, 256], 20)
    slope = -1 - 0.05 * np.log2(group / 64) + 0.003 * rng.standard_normal(60)
    estimate = slope_within(log_x, slope[:, None] * log_x, group)
    assert estimate.dof == 2
    assert "drift" in estimate.notes[0]
    # the spread of -1.00, -1.05, -1.10 over sqrt 3, to the noise of the means (0.003/sqrt 20)
    assert estimate.standard_error == pytest.approx(0.05 / np.sqrt(3), rel=0.05)


def test_a_bent_line_takes_its_interval_from_the_widths():
    rng = np.random.default_rng(2)
    log_h = np.repeat(np.log([32, 64, 128, 256, 512]), 20)
    values = -0.5 * log_h + 0.1 * (log_h - 4.85) ** 2 + 0.05 * rng.standard_normal(100)
    estimate = slope_between(log_h, values)
    assert estimate.dof == 3
    assert "scatter" in estimate.notes[0]


@pytest.mark.parametrize("b", [-0.6, -0.2, 0.5, 3.0])
def test_a_correction_of_known_power_is_removed(b):
    """y = x^(-1/4) (1 + b x^(1/4)) on two decades: the exponent to 1e-6, where the plain slope is off by b/10."""
    x = np.geomspace(1e-4, 1e-2, 5)
    y = x**-0.25 * (1 + b * x**0.25)
    rows = slope_within(np.tile(np.log(x), (3, 1)), np.tile(np.log(y), (3, 1)), None, 0.25)
    assert rows.value == pytest.approx(-0.25, abs=1e-6)
    assert exponent(x, y, correction_exponent=0.25).value == pytest.approx(-0.25, abs=1e-5)
    assert abs(exponent(x, y).value + 0.25) > 0.005


def test_missing_points_leave_the_other_rows_alone():
    log_x = np.broadcast_to(np.linspace(0, 4, 5), (3, 5))
    log_y = -1.5 * log_x
    log_y[0, 2] = np.nan
    log_y[1, 1:] = np.nan
    slopes = cluster_slopes(log_x, log_y)
    assert slopes[[0, 2]] == pytest.approx(-1.5, abs=1e-12)  # rounding
    assert np.isnan(slopes[1])  # one point has no slope


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": [1, 2, 3], "y": [1, -2, 3]}, "y = -2.0: a power law needs finite, positive values"),
        ({"x": [1, 2, 3], "y": [1, 2]}, "of equal length"),
        ({"x": [1, 2], "y": [1, 2]}, "leave no freedom"),
        ({"x": [1, 2, 3], "y": [1, 2, 3], "noise": "odd"}, "no such model of the scatter"),
        ({"x": [1, 2, 3], "y": [1, 2, 3], "noise": "absolute", "cluster": [1, 1, 2]}, "need relative noise"),
        ({"x": [1, 2, 3], "y": [1, 2, 3], "cluster": [1, 1, 1]}, "fewer than two clusters"),
    ],
)
def test_input_that_has_no_exponent_is_refused(arguments, said):
    with pytest.raises(InputError, match=said):
        exponent(**arguments)


@pytest.mark.parametrize("options", [{}, {"y_error": [0.1, 0.2, 0.1, 0.3]}, {"noise": "absolute"}])
def test_the_prefactor_is_that_of_the_law(options):
    x = np.array([1.0, 2.0, 5.0, 10.0])
    estimate = exponent(x, 3 * x**-0.7, **options)
    assert (estimate.value, estimate.prefactor) == (pytest.approx(-0.7), pytest.approx(3.0))


def test_clusters_share_the_correction_that_is_named():
    """y = c x^-1 (1 + 2 x^(1/2)) exactly: without the correction the slope of logarithms is above -0.9."""
    x = np.tile(np.geomspace(1e-3, 1.0, 6), 3)
    cluster = np.repeat([0, 1, 2], 6)
    y = (1.0 + cluster) / x * (1 + 2 * np.sqrt(x))
    assert exponent(x, y, cluster, correction_exponent=0.5).value == pytest.approx(-1.0, abs=1e-6)
    assert exponent(x, y, cluster).value > -0.9


@pytest.mark.parametrize(("field", "options"), [
    ("robust", {"robust": True, "correction_exponent": 1}),
    ("y_error", {"y_error": [1, 1, 1, 1], "cluster": [0, 0, 1, 1]}),
    ("y_error", {"y_error": [1, 1, 1, 1], "correction_exponent": 1}),
    ("noise", {"noise": "absolute", "cluster": [0, 0, 1, 1]}),
])  # fmt: skip
def test_options_that_exclude_each_other_are_refused_by_name(field, options):
    with pytest.raises(InputError) as refused:
        exponent([1, 2, 3, 4], [1, 2, 3, 4], **options)
    assert refused.value.field == field


def test_a_robust_exponent_of_independent_points_is_that_of_the_logarithms():
    x, y = np.array([1.0, 2, 4, 8, 16, 32]), np.array([1.0, 0.55, 0.22, 0.14, 0.058, 1.0])
    robust, expected = exponent(x, y, robust=True), slope_between(np.log(x), np.log(y), robust=True)
    assert (robust.value, robust.standard_error, robust.prefactor) == pytest.approx(
        (expected.value, expected.standard_error, expected.prefactor)
    )


@pytest.mark.parametrize("options", [{"y_error": [1, 1]}, {"robust": True}, {}])
def test_two_points_leave_no_freedom(options):
    with pytest.raises(InputError, match=r"2 coefficients leave no freedom\. Give more points"):
        exponent([1, 2], [1, 2], **options)
