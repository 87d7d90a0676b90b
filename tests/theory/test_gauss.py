"""Means over a standard normal variable, against their closed forms."""

import numpy as np
import pytest

from theory.gauss import gaussian_mean


@pytest.mark.parametrize(("power", "moment"), [(0, 1), (1, 0), (2, 1), (4, 3), (6, 15)])
def test_moments(power, moment):
    assert gaussian_mean(lambda z: z**power) == pytest.approx(moment, abs=1e-12)


@pytest.mark.parametrize("kink", [0.0, 0.3, -2.0, 50.0])
def test_a_kink_is_integrated_exactly_where_it_is_named(kink):
    """E[max(z - k, 0)] = density(k) - k (1 - Phi(k)); beyond reach there is nothing to integrate."""
    from scipy.stats import norm

    expected = norm.pdf(kink) - kink * norm.sf(kink)
    assert gaussian_mean(lambda z: np.maximum(z - kink, 0.0), [kink]) == pytest.approx(expected, abs=1e-13)


def test_what_has_no_mean_has_none():
    assert not np.isfinite(gaussian_mean(lambda z: np.exp(z**2)))
