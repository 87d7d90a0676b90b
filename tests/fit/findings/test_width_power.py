"""Powers of h from one value for each pair of width and seed."""

import numpy as np
import pytest
import xarray as xr
from synthetic_campaign import FEATURE, experiment, prediction

from fit.estimators.selection import largest_shift_of_slope
from fit.findings.networks import log, pairs
from fit.findings.width_power import mean_in_window, width_power
from fit.findings.window import window
from fit.measurements.reading import measurements
from simulate.training.status import Status

LAW = prediction("collapse", "width", 0, FEATURE)


def measured(**options):
    data = experiment(**({"seeds": 6} | options))
    data["kernel_change"] = data.kernel_change * 0 + data.width**-0.5 * data.root_h_alpha
    return measurements(data)[0]


def test_an_exact_power_is_found_without_error():
    source = measured()
    finding = width_power(source, LAW, log(source.network("kernel_change")), "y")
    assert finding.estimate.value == pytest.approx(-0.5, abs=1e-12)
    assert (finding.n_widths, finding.n_seeds, finding.undecided_because) == (5, 6, None)


@pytest.mark.parametrize(
    ("options", "clause"),
    [
        ({"widths": (32, 64)}, "2 widths can't show a power of h, and 4 are needed"),
        ({"seeds": 3}, "0 widths with at least 5 complete seeds can't show a power of h, and 4 are needed"),
        ({"root_h_alpha": (1.0,)}, "no width has a seed all of whose networks in the window converged"),
    ],
)
def test_too_few_widths_or_seeds_are_counted(options, clause):
    source = measured(**options)
    assert width_power(source, LAW, log(source.network("kernel_change")), "y").undecided_because == clause


def test_a_pair_that_lacks_a_network_is_left_out():
    source = measured(failing=0.05)
    means = mean_in_window(source, log(source.network("kernel_change")), window(source, LAW))
    complete = source.converged.where(window(source, LAW), True).all("amplitude")
    np.testing.assert_array_equal(np.isfinite(means.values), complete.transpose("width", "seed").values)


def test_lost_networks_shift_the_power_at_worst_as_if_they_were_the_largest():
    source = measured(failing=0.05)
    data = log(source.network("kernel_change"))
    noisy = data + xr.DataArray(np.random.default_rng(0).standard_normal(6), dims="seed")
    finding = width_power(source, LAW, noisy, "y")
    means = mean_in_window(source, noisy, window(source, LAW))
    log_h = np.log(np.repeat(source.widths, 6))
    expected = largest_shift_of_slope(log_h, pairs(means), np.isnan(pairs(means)))
    assert finding.shift_by_left_out == pytest.approx(expected, rel=1e-12)
    assert expected > 0


def test_seeds_that_no_one_trained_yet_shift_nothing():
    source = measured(failing=0.05)
    status = source.data.status
    pending = source.data.assign(status=status.where(status == Status.CONVERGED, Status.PENDING))
    finding = width_power(measurements(pending)[0], LAW, log(source.network("kernel_change")), "y")
    assert finding.shift_by_left_out == 0.0
