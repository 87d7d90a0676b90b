"""A power with its leading correction, exactly."""

import numpy as np
import pytest

from fit.estimators.corrected_power import corrected_power
from lazyrich.errors import InputError

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


def test_a_free_power_stays_between_its_bounds():
    """A correction x^6 is steeper than any that is looked for: the power ends at the largest, 4."""
    x = np.geomspace(0.1, 3, 15)
    fitted = corrected_power(x, x**-1.5 * (1 + x**6))
    assert fitted["correction_exponent"].value == pytest.approx(4.0, abs=1e-6)


def test_three_clusters_are_enough_and_two_are_not():
    y = np.tile(3 * X**-1.5 * (1 + 2 * X**0.5), 3)
    fitted = corrected_power(np.tile(X, 3), y, np.repeat([0, 1, 2], 15), correction_exponent=0.5)
    assert fitted["exponent"].dof == 2
    with pytest.raises(InputError, match="too few clusters"):
        corrected_power(np.tile(X, 2), y[:30], np.repeat([0, 1], 15), correction_exponent=0.5)


def test_every_point_belongs_to_a_cluster():
    with pytest.raises(InputError, match="Give one label a point") as refused:
        corrected_power(X, X**-1.5, [0, 1], correction_exponent=0.5)
    assert refused.value.field == "cluster"
