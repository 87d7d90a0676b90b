"""Interacting particles: against closed forms, matrix algebra and power counting."""

import numpy as np
import pytest
from clouds import ONE, cloud

from theory import InputError
from theory.curves import deep_linear_curve, mean_field_curve, single_datum_curve
from theory.model import Model
from theory.scaling import A, Feature, Lazy, power


@pytest.mark.parametrize(("activation", "amplitudes", "tolerance"), [
    ("linear", [10.0, 1.0, 0.1, 0.01], 2e-3), ("relu", [3.0, 1.0, 0.1], 5e-3),
])  # fmt: skip
def test_one_datum_has_the_closed_form(activation, amplitudes, tolerance):
    """Within four standard errors of the particles, and the integrator's tolerance."""
    exact = np.abs(single_datum_curve(activation, amplitudes))
    curve = mean_field_curve(activation, *ONE, amplitudes, particles=40_000 if activation == "relu" else 10_000)
    assert np.all(np.abs(curve.kernel_change - exact) < 4 * curve.standard_error + tolerance * exact)


@pytest.mark.parametrize("activation", ["relu", "softplus"])
def test_particles_have_the_derived_slopes(activation):
    model = Model(1)
    curve = mean_field_curve(activation, *cloud(), [1e-4, 1e-3], particles=2000)
    assert curve.local_slope()[0] == pytest.approx(float(power(Feature(model).kernel_change, A)), abs=0.02)
    if activation == "softplus":
        lazy = mean_field_curve(activation, *cloud(), [300.0, 3000.0], particles=2000).local_slope()[0]
        assert lazy == pytest.approx(float(power(Lazy(model).kernel_terms["second order"], A)), abs=0.02)


def test_particles_and_matrix_algebra_agree_on_several_points():
    x, y = cloud(8)
    amplitudes = [0.03, 1.0, 30.0]
    exact = deep_linear_curve(1, x[:5], y[:5], amplitudes, x_eval=x[5:])
    particles = mean_field_curve("linear", x[:5], y[:5], amplitudes, x_eval=x[5:], particles=20_000)
    for name in ("kernel_change", "time_half", "time_end"):
        np.testing.assert_allclose(getattr(particles, name), getattr(exact, name), rtol=0.05)


def test_above_degree_one_there_is_no_mean_field():
    with pytest.raises(InputError, match="blow up"):
        mean_field_curve("relu2", *ONE, 1.0)
