"""Powers of A and of A/F within pairs of width and seed."""

import numpy as np
import pytest
import sympy
from synthetic_campaign import FEATURE, experiment, prediction

from fit.findings.amplitude_power import amplitude_power, log_amplitude_over_output, slope_in
from fit.findings.networks import log, logarithms
from fit.findings.window import window
from fit.measurements.reading import measurements

LAW = prediction("kernel_change_feature", "root_h_alpha", -1.5, FEATURE, correction_exponent=sympy.Rational(1, 2))


def measured(power=-1.5, **options):
    data = experiment(seeds=6, **options)
    data["kernel_change"] = data.kernel_change * 0 + data.root_h_alpha**power
    return measurements(data)[0]


def test_an_exact_power_is_found_without_error():
    source = measured()
    finding = amplitude_power(source, LAW, logarithms(source.network("kernel_change"), "mean"), "y")
    assert finding.estimate.value == pytest.approx(-1.5, abs=1e-12)
    assert finding.undecided_because is None
    assert (finding.n_seeds, finding.n_widths, finding.n_points) == (6, 5, 25)


@pytest.mark.parametrize(
    ("options", "clause"),
    [
        ({"root_h_alpha": (1e-3, 1e-2, 1.0)}, "the window holds 2 amplitudes, and 3 are needed"),
        ({"root_h_alpha": (1.0, 3.0)}, "no converged network in the window has a measured value"),
    ],
)
def test_too_few_amplitudes_are_counted(options, clause):
    source = measured(**options)
    finding = amplitude_power(source, LAW, logarithms(source.network("kernel_change"), "mean"), "y")
    assert finding.undecided_because == clause


def test_the_power_of_a_over_f_is_that_without_the_drift_of_f():
    """kernel ~ (A/F)^(-3/2) with F ~ A^(-0.1) is A^(-1.65)."""
    data = experiment(seeds=6)
    data["kernel_change"] = data.kernel_change * 0 + data.root_h_alpha**-1.65
    data["test_output"] = data.test_output * 0 + data.root_h_alpha**-0.1
    (source,) = measurements(data)
    log_ratio, logs = log_amplitude_over_output(source, log(source.network("kernel_change")))
    cells = window(source, LAW)
    assert slope_in(cells, log_ratio, logs).value == pytest.approx(-1.5, abs=1e-6)  # outputs are in single precision
    assert slope_in(cells, log(source.root_h_alpha), logs).value == pytest.approx(-1.65, abs=1e-12)


def test_a_network_without_either_has_no_ratio():
    source = measured(failing=0.2)
    log_ratio, logs = log_amplitude_over_output(source, log(source.network("kernel_change")))
    np.testing.assert_array_equal(np.isnan(log_ratio), ~source.converged.values)
    np.testing.assert_array_equal(np.isnan(logs), ~source.converged.values)
