"""One datum: closed forms, against each other and against integrals."""

import numpy as np
import pytest
import scipy.integrate

from theory import InputError
from theory.curves import single_datum_curve


def test_a_linear_network_has_the_crossover_of_a_hyperbola():
    """sqrt(1 + A^-2) - 1."""
    amplitudes = np.array([10.0, 1.0, 0.1, 0.01])
    exact = np.sqrt(1 + amplitudes**-2) - 1
    np.testing.assert_allclose(single_datum_curve("linear", amplitudes), exact, rtol=1e-10)


def test_the_closed_form_of_a_relu_network_is_an_integral_over_angles():
    for tau in (0.1, 1.0, 2.0):

        def mean(f, tau=tau):
            def integrand(t):
                u, v = (np.cos(t) * np.cosh(tau) + np.sin(t) * np.sinh(tau) for t in (t, np.pi / 2 - t))
                return f(u, v) / np.pi  # E[r²] = 2, angles have density 1/2pi

            dies = -np.arctan(1 / np.tanh(tau))
            return scipy.integrate.quad(integrand, dies, np.pi / 2)[0]

        a = 1 / (np.sqrt(2) * mean(lambda u, v: u * v))
        theta = 2 * mean(lambda u, v: u**2 + v**2)
        assert single_datum_curve("relu", a)[0] == pytest.approx(theta / 2 - 1, rel=1e-8)


def test_the_kernel_of_a_lazy_relu_neuron_shrinks():
    """-1/(sqrt(2) pi A) at large A, and growth at small A: it crosses zero between 10 and 3."""
    change = single_datum_curve("relu", [1e4, 10.0, 3.0])
    assert change[0] == pytest.approx(-1 / (np.sqrt(2) * np.pi * 1e4), rel=1e-3)
    assert change[1] < 0 < change[2]


def test_other_activations_have_no_closed_form():
    with pytest.raises(InputError, match="no closed form"):
        single_datum_curve("tanh", 1.0)
