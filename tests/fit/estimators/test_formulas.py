"""Each estimator against its formula written out, at five or six values: no factor can change unnoticed.

Tolerances are those of rounding (1e-9) unless a test says more.
"""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import log_ndtr

from fit import Estimate, collapse, corrected_power, exponent, goodness_of_fit, joint, paired
from fit.estimators.between import slope_between
from fit.estimators.censored import censored_slope
from fit.estimators.clusters import mean_over, slope_within
from fit.estimators.collapse_curves import CollapseCurves
from fit.estimators.jackknife import log_rms, log_standard_deviation
from fit.estimators.least_squares import cluster_covariance
from fit.estimators.level_crossing import log_crossing
from fit.estimators.paired import plus
from fit.estimators.preliminary import equal_means_test, straightness_test
from fit.estimators.robust import last_coefficient
from fit.judge.decision import significant

EXACT = 1e-9
X6 = np.log([32.0, 32.0, 64.0, 64.0, 128.0, 128.0])
Y6 = np.array([0.1, 0.4, -0.35, -0.1, -0.7, -0.72])


def test_an_interval_is_students():
    low, high = Estimate(-1.5, 0.02, 4).interval(0.90)
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.95, 4) * 0.02, rel=EXACT)
    assert (high + low) / 2 == pytest.approx(-1.5, rel=EXACT)


def test_p_values_are_students_tails():
    one = Estimate(1.0, 0.5, 5)
    assert one.p_value(0.0) == pytest.approx(2 * stats.t.sf(2.0, 5), rel=EXACT)
    assert one.p_value_within(0.0, 0.25) == pytest.approx(2 * stats.t.sf(1.5, 5), rel=EXACT)
    assert one.p_value_at_most(0.5) == pytest.approx(2 * stats.t.sf(1.0, 5), rel=EXACT)
    assert one.p_value_at_least(2.0) == pytest.approx(2 * stats.t.sf(2.0, 5), rel=EXACT)
    assert one.p_value_at_most(2.0) == one.p_value_at_least(0.5) == 1.0
    assert (Estimate(1.0, 0.0, 5).p_value(1.0), Estimate(1.0, 0.0, 5).p_value(1.1)) == (1.0, 0.0)


def test_a_mean_over_clusters_is_that_of_the_t_test():
    sample = np.array([0.1, 0.5, 0.2, 0.9, 0.4, 0.35])
    estimate = mean_over(sample)
    assert estimate.value == pytest.approx(sample.mean(), rel=EXACT)
    assert estimate.standard_error == pytest.approx(sample.std(ddof=1) / math.sqrt(6), rel=EXACT)
    assert (estimate.dof, estimate.n_clusters) == (5, 6)


def test_slopes_within_clusters_are_averaged_with_clusters_less_one():
    log_x = np.tile([0.0, 1.0, 3.0], (5, 1))
    log_y = np.array([1.0, 1.1, 0.8, 1.3, 0.9])[:, None] * log_x + np.array([0.1, -0.2, 0.1])
    slopes = [stats.linregress(x, y).slope for x, y in zip(log_x, log_y, strict=True)]
    estimate = slope_within(log_x, log_y)
    assert estimate.value == pytest.approx(np.mean(slopes), rel=EXACT)
    assert estimate.standard_error == pytest.approx(stats.sem(slopes), rel=EXACT)
    assert (estimate.dof, estimate.n_points) == (4, 15)


def test_slopes_that_drift_take_the_means_of_groups():
    """Means of groups far apart against their scatter (p < 0.02): one value a group, t(groups - 1)."""
    values = np.array([1.0, 1.01, 2.0, 2.01, 3.0, 3.01])
    estimate = mean_over(values, np.repeat([1, 2, 3], 2))
    assert estimate.value == pytest.approx(2.005, rel=EXACT)
    assert estimate.standard_error == pytest.approx(1 / math.sqrt(3), rel=EXACT)
    assert estimate.dof == 2


def test_scatter_between_widths_enters_the_error_of_a_mean():
    """Welch's F = 1.9 here (p = .3): the t test's error grows by sqrt(F), on the degrees of freedom of the groups."""
    values, widths = np.array([0.1, 0.5, 0.2, 0.9, 0.8, 0.6]), np.repeat([32, 64, 128], 2)
    f, p = equal_means_test(values, widths)
    assert 1 < f < 4
    assert p > 0.02
    estimate = mean_over(values, widths)
    assert estimate.value == pytest.approx(values.mean(), rel=EXACT)
    assert estimate.standard_error == pytest.approx(math.sqrt(f / 6) * values.std(ddof=1), rel=EXACT)
    assert (estimate.dof, estimate.n_clusters) == (2, 6)


def test_widths_that_agree_leave_the_error_of_all_values():
    values, widths = np.array([0.1, 0.5, 0.2, 0.9, 0.45, 0.75]), np.tile([32, 64, 128], 2)
    assert equal_means_test(values, widths)[0] < 1
    estimate = mean_over(values, widths)
    assert (estimate.standard_error, estimate.dof) == (pytest.approx(stats.sem(values), rel=EXACT), 5)


@pytest.mark.parametrize("correction", [None, 1.0])
def test_two_widths_that_agree_have_two_degrees_of_freedom(correction):
    """Slopes of three clusters at each of two widths, whose means are equal: t(2), with the error of all six."""
    log_x = np.tile([0.0, -1.0, -2.0, -3.0], (6, 1))
    slopes = np.array([-1.5, -1.4, -1.6, -1.45, -1.55, -1.5])
    log_y = slopes[:, None] * log_x
    estimate = slope_within(log_x, log_y, np.repeat([32, 64], 3), correction)
    alone = slope_within(log_x, log_y, None, correction)
    assert (estimate.dof, alone.dof) == (2.0, 5.0)
    assert estimate.standard_error == pytest.approx(alone.standard_error, rel=EXACT)
    assert estimate.value == pytest.approx(alone.value, rel=EXACT)


def test_welchs_test_of_equal_means():
    """statsmodels' anova_oneway(use_var="unequal"), which for two groups is scipy's Welch t test, F = t²."""
    a, b = np.array([1.0, 1.4, 0.8]), np.array([2.0, 2.1, 2.9])
    f, p = equal_means_test(np.concatenate([a, b]), np.repeat([0, 1], 3))
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert (f, p) == pytest.approx((expected.statistic**2, expected.pvalue), rel=1e-8)


def test_the_test_of_a_straight_line_is_the_f_test_for_lack_of_fit():
    """Residuals of group means about the line over those within groups, with 1 and 3 degrees of freedom."""

    class Line:
        pass

    design = np.stack([np.ones(6), X6], axis=1)
    residual = Y6 - design @ np.linalg.lstsq(design, Y6, rcond=None)[0]
    line = Line()
    line.ssr, line.df_resid = float(residual @ residual), 4.0
    within = sum(np.var(Y6[i : i + 2]) * 2 for i in (0, 2, 4))
    f, p = straightness_test(line, Y6, np.repeat([0, 1, 2], 2))
    assert f == pytest.approx((line.ssr - within) / 1 / (within / 3), rel=EXACT)
    assert p == pytest.approx(stats.f.sf(f, 1, 3), rel=EXACT)


def test_slopes_between_groups_have_hc2_errors():
    """(XᵀX)^-1 Xᵀ diag(r²/(1 - h)) X (XᵀX)^-1, h the leverages; F < 1 here. HC0 would divide by one: 0.0659615."""
    y = np.array([0.12, 0.4, -0.35, -0.02, -0.8, -0.5])
    design = np.stack([np.ones(6), X6], axis=1)
    bread = np.linalg.inv(design.T @ design)
    residual = y - design @ bread @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    hc2 = bread @ (design.T * (residual**2 / (1 - leverage))) @ design @ bread
    estimate = slope_between(X6, y)
    assert estimate.standard_error == pytest.approx(math.sqrt(hc2[1, 1]), rel=EXACT)
    assert estimate.dof == 4
    assert estimate.value == pytest.approx((bread @ design.T @ y)[1], rel=EXACT)
    assert math.log(estimate.prefactor) == pytest.approx((bread @ design.T @ y)[0], rel=EXACT)


def test_scatter_between_groups_enters_the_error_of_a_slope():
    """F = 1.8: the error grows by sqrt(F), with the degrees of freedom of the groups, 3 - 2."""
    y = np.array([0.0, 0.2, 0.0, 0.2, -1.0, -0.8]) + 0.35 * np.array([1, -1, 1, -1, 1, -1])
    design = np.stack([np.ones(6), X6], axis=1)
    bread = np.linalg.inv(design.T @ design)
    residual = y - design @ bread @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    hc2 = bread @ (design.T * (residual**2 / (1 - leverage))) @ design @ bread
    within = sum(np.var(y[i : i + 2]) * 2 for i in (0, 2, 4))
    f = (residual @ residual - within) / (within / 3)
    assert 1 < f < 5
    estimate = slope_between(X6, y)
    assert estimate.standard_error == pytest.approx(math.sqrt(f * hc2[1, 1]), rel=EXACT)
    assert estimate.dof == 1


def test_one_value_a_group_has_the_errors_of_least_squares():
    log_h, y = np.log([1.0, 2.0, 4.0, 8.0, 16.0]), np.array([0.0, -0.3, -0.75, -1.0, -1.41])
    expected = stats.linregress(log_h, y)
    estimate = slope_between(log_h, y)
    assert estimate.value == pytest.approx(expected.slope, rel=EXACT)
    assert estimate.standard_error == pytest.approx(expected.stderr, rel=EXACT)
    assert estimate.dof == 3


def test_independent_points_have_points_less_two():
    x, y = np.array([1.0, 2, 4, 8, 16, 32]), np.array([1.0, 0.55, 0.22, 0.14, 0.058, 0.033])
    expected = stats.linregress(np.log(x), np.log(y))
    estimate = exponent(x, y)
    assert estimate.standard_error == pytest.approx(expected.stderr, rel=EXACT)
    assert (estimate.dof, estimate.prefactor) == (4, pytest.approx(math.exp(expected.intercept), rel=EXACT))


def test_weights_are_inverse_squares_of_relative_errors():
    x, y, e = (
        np.array([1.0, 2, 4, 8, 16]),
        np.array([1.0, 0.55, 0.22, 0.14, 0.058]),
        np.array([0.1, 0.02, 0.02, 0.01, 0.01]),
    )
    design, w = np.stack([np.ones(5), np.log(x)], axis=1), (y / e) ** 2
    bread = np.linalg.inv(design.T @ (w[:, None] * design))
    best = bread @ design.T @ (w * np.log(y))
    residual = np.log(y) - design @ best
    error = math.sqrt(bread[1, 1] * (w @ residual**2) / 3)
    estimate = exponent(x, y, y_error=e)
    assert (estimate.value, estimate.standard_error) == pytest.approx((best[1], error), rel=EXACT)
    assert estimate.dof == 3


def test_a_fit_of_three_parameters_divides_by_n_less_three():
    """At six points the residuals' sum of squares is divided by 6 - 3, and multiplies (JᵀJ)^-1."""
    x = np.geomspace(1e-3, 1, 6)
    y = x**-1 * (1 + 0.5 * x) * np.exp([0.02, -0.01, 0.015, -0.03, 0.02, -0.01])
    fitted = corrected_power(x, y, correction_exponent=1.0)
    c, p, b = (fitted[name].value for name in ("log_prefactor", "exponent", "correction"))
    jacobian = np.stack([np.ones(6), np.log(x), x / (1 + b * x)], axis=1)
    residual = np.log(y) - c - p * np.log(x) - np.log1p(b * x)
    assert np.abs(jacobian.T @ residual).max() < 1e-6  # it is the minimum
    covariance = np.linalg.inv(jacobian.T @ jacobian) * (residual @ residual) / 3
    errors = [fitted[name].standard_error for name in ("log_prefactor", "exponent", "correction")]
    np.testing.assert_allclose(errors, np.sqrt(np.diag(covariance)), rtol=1e-6)
    assert fitted["exponent"].dof == 3
    assert fitted.log_rms == pytest.approx(math.sqrt(np.mean(residual**2)), rel=1e-9)


def test_cluster_errors_are_the_jackknife_over_clusters():
    """CR3 of a linear law is exactly (G - 1)/G times the sum of squared changes when a cluster is left out."""
    rng = np.random.default_rng(0)
    jacobian, cluster = rng.standard_normal((12, 2)), np.repeat(np.arange(6), 2)
    y = jacobian @ [1.0, -2.0] + 0.1 * rng.standard_normal(12)
    best = np.linalg.lstsq(jacobian, y, rcond=None)[0]
    covariance, count = cluster_covariance(jacobian, y - jacobian @ best, cluster, np.linalg.inv(jacobian.T @ jacobian))
    changes = np.array([
        np.linalg.lstsq(jacobian[cluster != g], y[cluster != g], rcond=None)[0] - best for g in range(6)
    ])  # fmt: skip
    np.testing.assert_allclose(covariance, 5 / 6 * changes.T @ changes, rtol=1e-9)
    assert count == 6


def test_clusters_of_a_fit_have_clusters_less_one():
    alpha, h = np.tile([0.01, 0.1, 1.0], 5), np.repeat([32.0, 64, 128, 256, 512], 3)
    y = (alpha * np.sqrt(h)) ** -1 * np.exp(0.01 * np.sin(np.arange(15)))
    assert joint(alpha, h, y, np.repeat(np.arange(5), 3))["nu"].dof == 4
    assert joint(alpha, h, y)["nu"].dof == 12


def test_hubers_estimate_is_that_of_statsmodels_with_a_jackknife_error():
    """psi clipped at 1.345 robust deviations; leaving out value i moves the mean by psi_i/(Σ w - w_i)."""
    values = np.array([0.1, 0.15, 0.05, 0.2, 0.12, 3.0])
    value, error, dof = last_coefficient(values, np.ones((6, 1)), robust=True)
    centred = values - value
    scale = np.median(np.abs(centred)) / stats.norm.ppf(0.75)
    clipped = np.clip(centred, -1.345 * scale, 1.345 * scale)
    assert clipped.sum() == pytest.approx(0, abs=1e-4)  # statsmodels stops there
    weight = np.abs(centred) <= 1.345 * scale
    change = clipped / (weight.sum() - weight)
    assert error == pytest.approx(math.sqrt(5 / 6 * np.sum(change**2)), rel=1e-3)
    expected = 1.9 * np.sum(change**2) ** 2 / np.sum(change**4)
    assert dof == pytest.approx(min(5.0, expected), rel=1e-3)


def test_welchs_degrees_of_freedom():
    """scipy's ttest_ind(equal_var=False) of samples with these errors: 6.597000032984."""
    a, b = np.array([1.0, 1.4, 0.8, 1.3, 1.1]), np.array([2.0, 2.1, 2.9, 2.4, 3.1])
    first, second = mean_over(a), mean_over(b)
    difference = plus(first, second, -1.0)
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert difference.dof == pytest.approx(expected.df, rel=EXACT)
    assert difference.value / difference.standard_error == pytest.approx(expected.statistic, rel=EXACT)


def test_a_paired_difference_is_that_of_the_paired_t_test():
    a, b = np.array([1.0, 1.4, 0.8, 1.3, 1.1]), np.array([0.7, 1.2, 0.9, 0.8, 0.6])
    expected = stats.ttest_rel(a, b)
    difference = paired(a, b)
    assert difference.p_value(0.0) == pytest.approx(expected.pvalue, rel=EXACT)
    assert difference.dof == 4


def test_pseudo_values_at_five_seeds():
    """S·theta - (S - 1)·theta without s; the variance divides by S - 1, without s by S - 2."""
    y = np.array([1.0, 2.0, 4.0, 3.0, 2.5])
    rms = [5 * 0.5 * math.log(np.mean(y**2)) - 4 * 0.5 * math.log(np.mean(np.delete(y, s) ** 2)) for s in range(5)]
    np.testing.assert_allclose(log_rms(y**2), rms, rtol=EXACT)
    spread = [5 * math.log(y.std(ddof=1)) - 4 * math.log(np.delete(y, s).std(ddof=1)) for s in range(5)]
    np.testing.assert_allclose(log_standard_deviation((y - y.mean()) ** 2), spread, rtol=EXACT)


def test_censored_slopes_maximise_the_likelihood_of_tobit():
    """The stationary point of the written-out likelihood; its error from the information, times sqrt(n/(n - 2))."""
    rng = np.random.default_rng(1)
    x = np.repeat(np.log([32.0, 64, 128]), 4)
    value = -0.5 * x + 0.1 * rng.standard_normal(12)
    side = np.zeros(12)
    side[[0, 5]] = 1
    estimate = censored_slope(x, value, side)
    u = x - x.mean()

    def likelihood(theta):
        a, b, s0, s1 = theta
        log_sigma = s0 + s1 * u
        z = (value - a - b * u) / np.exp(log_sigma)
        return np.sum(np.where(side == 0, stats.norm.logpdf(z) - log_sigma, log_ndtr(-z)))

    start = [value.mean(), -0.5, math.log(0.1), 0.0]
    best = minimize(lambda t: -likelihood(t), start, method="Nelder-Mead",
                    options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 20000, "maxfev": 20000}).x  # fmt: skip
    assert estimate.value == pytest.approx(best[1], abs=1e-6)
    step = 1e-4
    hessian = np.empty((4, 4))
    for i in range(4):
        for j in range(4):
            shift = np.zeros((2, 4))
            shift[0, i], shift[1, j] = step, step
            corners = [likelihood(best + s * shift[0] + t * shift[1]) for s in (1, -1) for t in (1, -1)]
            hessian[i, j] = -(corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step**2)
    error = math.sqrt(np.linalg.inv(hessian)[1, 1] * 12 / 10)
    assert estimate.standard_error == pytest.approx(error, rel=1e-4)  # differences of differences
    assert estimate.dof == 10


def test_the_last_passage_counts():
    """A curve that passes the level twice, at 1.5 and at 3.5 (straight between the points): the second one."""
    grid = np.arange(5.0)
    curve = np.array([1.0, 1.0, -1.0, 1.0, -1.0])[:, None]
    assert 3 < log_crossing(grid, curve)[0] < 4


def test_holm_rejects_two_of_five():
    assert significant([0.001, 0.012, 0.02, 0.04, 0.6]) == [True, True, False, False, False]


def test_the_residual_of_a_curve_is_students_t_squared():
    """One point, six seeds: (mean/sem)² of log y - log theory; its expectation if right is 5/3."""
    y = np.exp(np.array([0.05, 0.12, 0.02, 0.09, 0.07, 0.01]))[:, None]
    fit = goodness_of_fit(y, [1.0])
    assert fit.residual == pytest.approx(stats.ttest_1samp(np.log(y[:, 0]), 0).statistic ** 2, rel=EXACT)
    assert fit.expected_residual == pytest.approx(5 / 3)
    # all six have one sign: 2 of 64 patterns are as extreme; 4999 draws, binomial error 0.0024
    assert fit.p_value == pytest.approx(2 / 64, abs=0.01)


def test_redraws_of_few_clusters_scatter_too_little():
    """Drawing S clusters with replacement has (S - 1)/S of the variance: the interval is scaled back."""
    rng = np.random.default_rng(0)
    x = np.geomspace(0.1, 10, 9)
    rows = [(a, h, math.log1p(a * h**0.5) + 0.05 * e, s)
            for h in (1.0, 4.0, 16.0) for s, e in enumerate(rng.standard_normal(3)) for a in x]  # fmt: skip
    alpha, h, log_y, seed = map(np.array, zip(*rows, strict=True))
    result = collapse(alpha, h, np.exp(log_y), seed, replicas=400)
    curves = CollapseCurves.from_arrays(alpha, h, np.exp(log_y), seed, None, "log", "mean")
    redrawn = np.array([[0.4, 0.5, 0.6], [0.4, 0.5, 0.6], [0.4, 0.5, 0.6]])
    error, dof = curves.error_of(redrawn)
    assert error == pytest.approx(math.sqrt(3 * 0.01 * 3 / 2), rel=EXACT)  # three sizes, S/(S - 1) with S = 3
    assert dof == pytest.approx(6, rel=EXACT)  # equal parts of 2 degrees of freedom each
    assert result.nu.n_clusters == 9
