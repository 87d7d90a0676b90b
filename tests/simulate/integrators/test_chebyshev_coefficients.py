"""Coefficients of Runge-Kutta-Chebyshev: order and stability of the polynomial that they make."""

import numpy as np
import pytest
import torch

from simulate.integrators.chebyshev_coefficients import coefficients, stages_for, stiffness_limits


@pytest.mark.parametrize("stages", [2, 3, 5, 20, 100])
def test_the_stability_polynomial_is_that_of_a_damped_method_of_order_two(stages):
    first, table = coefficients(stages)

    def amplification(z):
        before, now = np.ones_like(z), 1.0 + first * z
        for j in range(2, stages + 1):
            c = table[:, j].numpy()
            before, now = now, c[0] + c[1] * now + c[2] * before + c[3] * z * now + c[4] * z
        return now

    small = np.array([-1e-2, 1e-2])
    # consistent to order 2: the third power is what is left, with the method's own factor of about 1/15 below exp's
    assert amplification(small) == pytest.approx(np.exp(small), abs=2e-7)
    limit = (2.0 / 3.0) * (stages**2 - 1) * (1.0 - 2.0 * (2.0 / 13.0) / 15.0)
    assert np.abs(amplification(np.linspace(-limit, 0.0, 5001))).max() <= 1.0 + 1e-9
    # damping: away from the origin and from the far end every mode loses at least a part
    assert np.abs(amplification(np.linspace(-0.95 * limit, -0.5, 5001))).max() < 1.0 - 0.2 / 13.0


@pytest.mark.parametrize("stiffness", [0.0, 1.0, 7.3, 1e3])
def test_the_number_of_stages_is_enough_for_the_stiffness(stiffness):
    """Stable up to 2 (s² - 1)(1 - 2 eps/15)/3, eps = 2/13; two stages at least."""
    s = stages_for(torch.tensor(stiffness)).item()
    assert s >= 2
    assert stiffness <= (2.0 / 3.0) * (s**2 - 1) * (1.0 - 4.0 / 195.0)


def test_the_limits_of_stiffness_are_where_more_stages_are_needed():
    limits = stiffness_limits(20)
    below, above = stages_for(limits * (1 - 1e-12)), stages_for(limits * (1 + 1e-12))
    assert below.tolist() == list(range(2, 20))
    assert above.tolist() == list(range(3, 21))
