"""Kernels of kinked activations at many norms: tables and series against integrals by another rule."""

import numpy as np
import pytest
from nested_integral import nested_integral

from theory import Activation, infinite_width_kernels
from theory.kernels.hermite import KinkedSeries
from theory.kernels.norm_table import tabulate_norms
from theory.kernels.quadrature import GaussianPair, kinks


def integral_of(formula, largest):
    phi = Activation(formula)
    return GaussianPair((phi, phi.slope), kinks(phi.expression + phi.derivative, 12 * largest), largest)


@pytest.mark.parametrize(
    ("formula", "first", "second"),
    [
        ("z/(1+abs(z))", 3.0, 0.8),
        ("min(max(z,-1),1)", 3.0, 0.8),
        ("min(max(z,-1),1)", 2.0, 1.999),
        ("max(z-1,tanh(z))", 0.8, 3.0),
        ("relu(sin(2*z))", 1.5, 1.0),
    ],
)
@pytest.mark.parametrize("c", [0.0, -0.9, 0.995, 0.99998, -1 + 1e-9])
def test_pairs_are_the_nested_integral(formula, first, second, c):
    """To 1e-13 of the norms, whether the kinks are rounded off apart from each other, together, or everywhere."""
    integral = integral_of(formula, 3.0)
    roots = np.sqrt(integral(first, first, 1.0) * integral(second, second, 1.0))
    expected = nested_integral(integral, first, second, c)
    np.testing.assert_allclose(integral(first, second, c) / roots, expected / roots, rtol=0, atol=1e-13)


def test_a_table_of_norms_and_angles_holds_for_all_of_them():
    """softsign, norms 1 to 4: 1e-9 of the norms is promised; parallel, opposite, nearly parallel pairs among them."""
    integral = integral_of("z/(1+abs(z))", 4.0)
    table = tabulate_norms(integral.functions, integral.edges / 4.0, 1.0, 4.0)
    for first, second, c in [(1, 4, 0.2), (1.7, 2.9, -0.8), (3.1, 3.0, 1 - 1e-7), (1.2, 3.3, -1.0), (2.2, 2.2, 1.0)]:
        found = table(np.array([first]), np.array([second]), np.array([[c]]))[:, 0, 0]
        roots = np.sqrt(integral(first, first, 1.0) * integral(second, second, 1.0))
        np.testing.assert_allclose(found, integral(first, second, c) / roots, atol=1e-9)


def test_no_table_for_a_range_of_norms_that_it_can_not_hold():
    """Norms over sixteen decades."""
    integral = integral_of("z/(1+abs(z))", 30.0)
    assert tabulate_norms(integral.functions, integral.edges / 30.0, 1e-15, 30.0) is None


def test_series_of_kinked_functions_leave_close_pairs_to_integrals():
    """relu(z - 0.3): 1,024 orders for pairs apart, and integrals for c = 0.999; 1e-11 of the norms."""
    integral = integral_of("relu(z-0.3)", 3.0)
    sigma = np.array([0.0, 0.7, 3.0])
    correlation = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.95], [0.0, -0.6, 0.999]])
    found = KinkedSeries(integral, sigma)(sigma, sigma, correlation)
    for i, j in np.ndindex(3, 3):
        expected = integral(sigma[i], sigma[j], correlation[i, j])
        np.testing.assert_allclose(found[:, i, j], expected, atol=1e-10)


@pytest.mark.parametrize("formula", ["z/(1+abs(z))", "max(z-1, tanh(z))", "relu(sin(2*z))"])
def test_many_points_have_the_kernels_of_few(formula):
    """Forty points of norms 1 to 10, by a table or a series, and two of them by integrals: 1e-9 of the norms."""
    x = np.random.default_rng(0).standard_normal((40, 6))
    x *= np.linspace(1, 10, 40)[:, None] * np.sqrt(6) / np.linalg.norm(x, axis=1, keepdims=True)
    for many, few in zip(
        infinite_width_kernels(formula, 1, x), infinite_width_kernels(formula, 1, x[::20]), strict=True
    ):
        np.testing.assert_allclose(many[::20, ::20], few, atol=1e-9 * np.max(few))
        assert np.linalg.eigvalsh(many)[0] > -1e-9 * np.max(many)


def test_a_wave_rectified_far_out_has_the_kernel_of_uniform_phases():
    """relu(sin(2z)), |z| about 10: phases are uniform and independent, so that E[f f] = 1/pi² beside E[f²] = 1/4."""
    phi = Activation("relu(sin(2*z))", normalise=False)
    x = np.sqrt(2) * np.array([[10.0, 0.0], [0.0, 9.0]])
    nngp, _ = infinite_width_kernels(phi, 1, x)
    np.testing.assert_allclose(nngp, np.where(np.eye(2), 1 / 4, 1 / np.pi**2), rtol=1e-10)
