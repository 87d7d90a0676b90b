"""From labelled numbers to the arrays of estimators."""

import numpy as np
import xarray as xr

from fit.findings.networks import is_finite, log, logarithms, pairs, width_of_pairs

VALUES = xr.DataArray([[[1.0, np.e]], [[0.0, -1.0]]], {"width": [8.0, 16.0]}, ("width", "amplitude", "seed"))


def test_a_mean_over_seeds_is_one_of_logarithms():
    logs = logarithms(VALUES, "mean")
    np.testing.assert_array_equal(logs.values, [[[0.0, 1.0]], [[np.nan, np.nan]]])
    assert is_finite(log(VALUES)).values.sum() == 2


def test_an_rms_over_seeds_enters_by_pseudo_values():
    """Of two equal values each pseudo-value is the logarithm itself."""
    equal = VALUES.copy(data=np.full((2, 1, 2), 3.0))
    np.testing.assert_allclose(logarithms(equal, "rms").values, np.log(3.0))


def test_pairs_lie_side_by_side_with_their_widths():
    row = VALUES.isel(amplitude=0)
    np.testing.assert_array_equal(pairs(row), [1.0, np.e, 0.0, -1.0])
    np.testing.assert_array_equal(width_of_pairs(row), [8.0, 8.0, 16.0, 16.0])
