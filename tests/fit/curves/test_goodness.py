"""A curve without free parameters: the p-value is one, and the size of a misfit is told."""

import numpy as np
import pytest
from scipy import stats
from synthetic_campaign import experiment

from fit import curve_agreement, goodness_of_fit
from fit.measurements.reading import measurements
from lazyrich.errors import InputError
from theory.curves import CrossoverCurve, single_datum_curve

A = np.geomspace(1e-3, 1, 7)
THEORY = np.abs(single_datum_curve("linear", A))


def seeds(rng, count=10, off=0.0, noise=0.05):
    """Measurements about the exact curve of one datum, a seed's error shared along the curve."""
    shared = noise * rng.standard_normal((count, 1)) + 0.2 * noise * rng.standard_normal((count, len(A)))
    return THEORY * np.exp(off + shared)


def test_the_p_value_of_a_right_curve_is_uniform():
    rng = np.random.default_rng(0)
    found = [goodness_of_fit(seeds(rng), THEORY, replicas=499).p_value for _ in range(300)]
    assert stats.kstest(found, "uniform").pvalue > 0.01  # one in a hundred would be chance


def test_a_curve_that_is_off_by_a_tenth_is_seen_and_sized():
    fit = goodness_of_fit(seeds(np.random.default_rng(1), 20, off=0.1), THEORY)
    assert fit.p_value < 0.01
    assert fit.residual > 5
    low, high = fit.log_ratio.interval(0.99)
    assert low < 0.1 < high
    assert fit.log_rms == pytest.approx(0.1, abs=0.04)  # three standard errors: 3·0.05/sqrt(20)


def test_the_error_of_a_sampled_theory_counts():
    rng = np.random.default_rng(2)
    sampled = THEORY * np.exp(0.1 * rng.standard_normal(len(A)))
    y = seeds(rng, 20, noise=0.01)
    assert goodness_of_fit(y, sampled).p_value < 0.01
    assert goodness_of_fit(y, sampled, 0.1 * sampled).p_value > 0.01


def test_an_experiment_is_compared_at_the_amplitudes_that_the_curve_spans():
    data = experiment(root_h_alpha=tuple(A), seeds=12)
    (found,) = measurements(data)
    zero = np.zeros(len(A))
    exact = 4 * A**-1.5 * (1 + A**0.5)  # what the experiment is made of, for A << 1
    fit = curve_agreement(found, CrossoverCurve(A[:4], exact[:4], zero[:4], zero[:4], zero[:4], ""))
    assert (fit.n_points, fit.n_seeds) == (4, 12)
    assert fit.log_rms < 0.05
    wrong = CrossoverCurve(A[:4], exact[:4] * 1.5, zero[:4], zero[:4], zero[:4], "")
    assert curve_agreement(found, wrong, width=512).p_value < 0.01


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: goodness_of_fit([1, 2], [1, 2]), "one row a seed"),
        (lambda: goodness_of_fit([[1, 2]] * 5, [1, 2]), "6 are needed"),
        (lambda: goodness_of_fit([[1, -2]] * 6, [1, 2]), "logarithms"),
    ],
)
def test_what_is_no_curve_is_refused(call, told):
    with pytest.raises(InputError, match=told):
        call()
