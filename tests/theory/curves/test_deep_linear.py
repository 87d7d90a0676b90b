"""Deep linear networks of infinite width: against the closed form of one datum and against power counting."""

import numpy as np
import pytest
from clouds import ONE, cloud

from theory import InputError
from theory.curves import deep_linear_curve
from theory.model import Model
from theory.scaling import A, Feature, Lazy, power


def test_one_hidden_layer_and_one_datum_have_the_closed_form():
    """sqrt(1 + A^-2) - 1, within the integrator's tolerance."""
    amplitudes = np.array([10.0, 1.0, 0.1, 0.01])
    exact = np.sqrt(1 + amplitudes**-2) - 1
    np.testing.assert_allclose(deep_linear_curve(1, *ONE, amplitudes).kernel_change, exact, rtol=2e-3)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_deep_linear_curves_have_the_derived_slopes(depth):
    """2 - 2/(L+1) for A -> 0, up to the derived correction A^(2/D); 2 for A -> infinity, the second-order term."""
    model = Model(depth)
    curve = deep_linear_curve(depth, *cloud(4), [1e-4, 1e-3, 1e3, 1e4])
    feature, _, lazy = curve.local_slope()
    correction = float(Feature(model).kernel_correction)
    assert feature == pytest.approx(float(power(Feature(model).kernel_change, A)), abs=correction * 1e-3**correction)
    assert lazy == pytest.approx(float(power(Lazy(model).kernel_terms["second order"], A)), abs=1e-3)
    assert curve.time_half[3] == pytest.approx(curve.time_half[2], rel=1e-4)  # lazy: independent of A
    if depth > 1:
        assert curve.time_half[1] / curve.time_half[0] == pytest.approx(10, rel=0.2)  # t_half ~ A


def test_contradicting_labels_are_told():
    """Two equal points with opposite labels never reach the margin."""
    x, y = np.array([[1.0], [1.0]]), np.array([1.0, -1.0])
    with pytest.raises(InputError, match="opposite labels"):
        deep_linear_curve(1, x, y, 1.0)


def test_a_network_has_a_hidden_layer():
    with pytest.raises(InputError, match="depth"):
        deep_linear_curve(0, *ONE, 1.0)
