"""Two powers that go over into one another."""

import numpy as np
import pytest

from fit.estimators.smooth_crossover import smooth_crossover

X = np.geomspace(1e-3, 1e3, 25)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_asymptotes_and_crossover_are_recovered(sharpness):
    v = np.log(X / 3.0)
    y = np.exp(-1.5 * v + 0.5 / sharpness * (np.logaddexp(0, sharpness * v) - np.log(2)))
    fitted = smooth_crossover(X, y, sharpness=sharpness)
    assert fitted["low_exponent"].value == pytest.approx(-1.5, abs=1e-6)
    assert fitted["high_exponent"].value == pytest.approx(-1.0, abs=1e-6)
    assert np.exp(fitted["log_crossover"].value) == pytest.approx(3.0, rel=1e-5)
