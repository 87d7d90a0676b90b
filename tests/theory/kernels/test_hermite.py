"""Kernels of smooth activations and inputs of many norms: Hermite series against integrals and closed forms."""

import numpy as np
import pytest

from theory import Activation, infinite_width_kernels
from theory.kernels.hermite import hermite_series
from theory.kernels.quadrature import GaussianPair

CORRELATIONS = (-1.0, -0.9, 0.0, 0.3, 1 - 1e-6, 1.0)


@pytest.mark.parametrize("activation", ["tanh", "silu", "z*exp(-z**2)"])
def test_series_are_the_integrals(activation):
    """Parseval bounds the error by 1e-11 of the norms, at any correlation."""
    phi = Activation(activation)
    sigma = np.array([0.0, 0.3, 1.0, 4.0])
    series = hermite_series((phi, phi.slope), sigma)
    integral = GaussianPair((phi, phi.slope), np.empty(0), 4.0)
    for i in range(len(sigma)):
        for j in range(i, len(sigma)):
            own = np.sqrt(integral(sigma[i], sigma[i], 1.0) * integral(sigma[j], sigma[j], 1.0))
            for c in CORRELATIONS:
                found = series(sigma[[i]], sigma[[j]], np.array([[c]]))[:, 0, 0]
                np.testing.assert_allclose(found, integral(sigma[i], sigma[j], c), rtol=0, atol=2e-11 * own.max())


def test_series_are_the_closed_form_of_erf():
    phi = Activation("erf", normalise=False)
    sigma = np.array([0.5, 2.0, 10.0])
    c = np.array([[1.0, 0.999999, -0.3], [0.999999, 1.0, 0.7], [-0.3, 0.7, 1.0]])
    found, slopes = hermite_series((phi, phi.slope), sigma)(sigma, sigma, c)
    a, q = 1 + 2 * sigma**2, c * np.outer(sigma, sigma)
    np.testing.assert_allclose(found, 2 / np.pi * np.arcsin(2 * q / np.sqrt(np.outer(a, a))), atol=2e-11)
    np.testing.assert_allclose(slopes, 4 / np.pi / np.sqrt(np.outer(a, a) - 4 * q**2), atol=2e-11)


def test_what_bends_within_a_thousandth_has_no_series_that_can_be_held():
    phi = Activation("softplus(z, 1000)")
    assert hermite_series((phi, phi.slope), np.array([10.0])) is None


def test_large_norms_and_close_directions_are_one_series():
    """Thirty points of norms 1 to 10 within an angle of 1e-3: each integral by itself would take a second."""
    rng = np.random.default_rng(0)
    x = np.ones(5) + 1e-3 * rng.standard_normal((30, 5))
    x *= rng.uniform(1, 10, 30)[:, None] * np.sqrt(5) / np.linalg.norm(x, axis=1, keepdims=True)
    nngp, ntk = infinite_width_kernels("tanh", 2, x)
    some = infinite_width_kernels("tanh", 2, x[:2])
    np.testing.assert_allclose(nngp[:2, :2], some[0], rtol=1e-10)
    np.testing.assert_allclose(ntk[:2, :2], some[1], rtol=1e-10)
    assert np.linalg.eigvalsh(nngp).min() > -1e-10 * nngp.max()
    assert np.all(np.diag(ntk)[:, None] * np.diag(ntk) >= ntk**2 * (1 - 1e-10))


def test_pairs_that_need_more_orders_than_others_get_them():
    """Twelve norms, c from 0.1 to 1 - 1e-9: few pairs of each need, which are summed one by one, and many of one."""
    phi = Activation("erf", normalise=False)
    sigma = np.geomspace(0.3, 10.0, 12)
    c = np.full((12, 12), 0.1)
    np.fill_diagonal(c, 1.0)
    c[0, 1:5] = 0.9, -0.99, 0.999, 1 - 1e-9
    found, _ = hermite_series((phi, phi.slope), sigma)(sigma, sigma, c)
    a, q = 1 + 2 * sigma**2, c * np.outer(sigma, sigma)
    np.testing.assert_allclose(found, 2 / np.pi * np.arcsin(2 * q / np.sqrt(np.outer(a, a))), atol=2e-11)
