"""A power of alpha and of the width at once."""

import numpy as np
import pytest

from fit.estimators.joint import joint
from lazyrich.errors import InputError

ALPHA, WIDTH = np.repeat([0.01, 0.1, 1.0], 4), np.tile([32.0, 64.0, 128.0, 256.0], 3)


@pytest.mark.parametrize(("power", "nu"), [(1.0, 0.5), (-2.0, 1.0), (0.5, 0.0)])
def test_both_powers_are_recovered(power, nu):
    fitted = joint(ALPHA, WIDTH, 3 * (ALPHA * WIDTH**nu) ** power)
    assert (fitted["exponent"].value, fitted["nu"].value) == (pytest.approx(power), pytest.approx(nu, abs=1e-9))


def test_one_width_has_no_nu():
    with pytest.raises(InputError, match="one width"):
        joint(ALPHA, np.full(12, 64.0), ALPHA)
