"""A logarithm is told from a power by its shape."""

import numpy as np
import pytest
import xarray as xr
from synthetic_campaign import FEATURE, experiment, prediction

from fit.findings.logarithmic_law import logarithmic_law
from fit.measurements.reading import measurements
from theory.prediction import Form

LAW = prediction("half_time", "root_h_alpha", None, FEATURE, form=Form.LOGARITHM)


def finding(ratio, seeds=6, **options):
    data = experiment("softplus-L1", 1, seeds=seeds, **options)
    noise = 1 + 0.001 * np.random.default_rng(0).standard_normal(data.time_linear.shape)
    data["time_half"] = xr.ones_like(data.time_linear) * data.root_h_alpha * ratio(data.root_h_alpha) * noise
    (source,) = measurements(data)
    return logarithmic_law(source, LAW, source.network("time_half"), "t_{1/2}")


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        (lambda a: 3 + np.log(1 / a), "consistent"),
        (lambda a: a**-0.5, "inconsistent"),  # a power bends
        (lambda a: 30 + np.log(a), "inconsistent"),  # it falls
    ],
    ids=["logarithm", "power", "falling"],
)
def test_shape_and_sign_decide(ratio, outcome):
    assert finding(ratio).outcome == outcome


def test_the_change_of_slope_of_a_parabola_is_exact():
    """t/A = 10 + l + 0.05 l², l from the middle of the window, has slopes that differ by 0.1·(range of l)."""
    middle, span = np.log(1e3), 2 * np.log(10)
    result = finding(lambda a: 10 + (np.log(1 / a) - middle) + 0.05 * (np.log(1 / a) - middle) ** 2)
    assert f"its slope changes by {0.1 * span:.0%}" in result.reason


def test_three_amplitudes_show_no_logarithm():
    result = finding(lambda a: 3 + np.log(1 / a), root_h_alpha=(1e-4, 1e-3, 1e-2))
    assert "4 amplitudes or more" in result.undecided_because
