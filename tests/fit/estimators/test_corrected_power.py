"""A power with its leading correction, exactly."""

import numpy as np
import pytest

from fit.estimators.corrected_power import corrected_power

X = np.geomspace(1e-4, 1e-1, 15)


@pytest.mark.parametrize("fixed", [True, False])
def test_an_exact_correction_is_recovered(fixed):
    fitted = corrected_power(X, 3 * X**-1.5 * (1 + 2 * X**0.5), correction_exponent=0.5 if fixed else None)
    assert fitted["exponent"].value == pytest.approx(-1.5, abs=1e-6)
    assert fitted["correction"].value == pytest.approx(2.0, rel=1e-5)
    assert fixed or fitted["correction_exponent"].value == pytest.approx(0.5, rel=1e-5)


def test_a_correction_that_vanishes_at_infinity_has_a_negative_power():
    x = np.geomspace(10, 1e4, 15)
    fitted = corrected_power(x, x**-1.0 * (1 + 2 * x**-0.5), sign=-1)
    assert fitted["correction_exponent"].value == pytest.approx(-0.5, rel=1e-4)
