"""A power that ends in a constant."""

import numpy as np
import pytest

from fit.estimators.offset_power import offset_power

X = np.geomspace(10, 1000, 12)


@pytest.mark.parametrize("offset", [0.02, 0.2])
def test_power_prefactor_and_constant_are_recovered(offset):
    fitted = offset_power(X, 5 * X**-1.0 + offset)
    assert fitted["exponent"].value == pytest.approx(-1.0, abs=1e-5)
    assert np.exp(fitted["log_prefactor"].value) == pytest.approx(5.0, rel=1e-5)
    assert fitted["offset"].value == pytest.approx(offset, rel=1e-5)
