"""Powers of a model's size: exact ones come back, and intervals over draws cover the others."""

import numpy as np
import pytest
import xarray as xr

from fit.audit.power_of_size import plain_power, power_of_size

SIZES = np.array([32, 64, 128, 256])


def draws(power, seeds=6, noise=0.0, rng=None):
    scatter = 0.0 if rng is None else noise * rng.standard_normal((len(SIZES), seeds))
    values = np.exp(scatter) * 3.0 * np.ones((1, seeds)) * SIZES[:, None] ** power
    return xr.DataArray(values, dims=("size", "seed"), coords={"size": SIZES})


@pytest.mark.parametrize("power", [-0.5, 0.0, 1.0])
def test_an_exact_power_comes_back_with_its_prefactor_and_no_error(power):
    estimate = power_of_size(draws(power))
    assert estimate.value == pytest.approx(power, abs=1e-12)
    assert estimate.prefactor == pytest.approx(3.0)
    assert estimate.standard_error < 1e-14  # rounding
    assert estimate.dof == 4 * 6 - 2
    assert plain_power(draws(power).transpose("seed", "size")) == pytest.approx(power, abs=1e-12)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_what_has_no_logarithm_has_no_power(value):
    data = draws(1.0)
    data[0, 0] = value
    assert power_of_size(data) is None
    assert plain_power(data) is None


def test_two_draws_have_no_interval():
    data = draws(1.0, seeds=1).isel(size=[0, 1])
    assert power_of_size(data) is None
    assert plain_power(data) == pytest.approx(1.0)


def test_intervals_cover_the_power():
    """95 % of 300, also where small models scatter more: binomial standard error 1.3 %; three of them."""
    rng = np.random.default_rng(1)
    estimates = [power_of_size(draws(-0.5, noise=0.3, rng=rng)) for _ in range(300)]
    covered = [low <= -0.5 <= high for low, high in (estimate.interval(0.95) for estimate in estimates)]
    assert 0.91 <= np.mean(covered) <= 0.99
