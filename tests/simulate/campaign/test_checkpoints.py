"""The times at which networks are looked at on the way, in t/min(1, A)."""

import numpy as np

from simulate.campaign.checkpoints import FIRST, LAST, scaled_times


def test_a_number_is_so_many_a_decade_over_seven_decades():
    times = scaled_times(4)
    assert len(times) == 7 * 4 + 1
    np.testing.assert_allclose(times[[0, -1]], [FIRST, LAST], rtol=1e-12)
    np.testing.assert_allclose(np.diff(np.log10(times)), 0.25, atol=1e-12)


def test_listed_times_are_taken_as_they_are_and_none_is_none():
    assert scaled_times((0.1, 1.0, 30.0)).tolist() == [0.1, 1.0, 30.0]
    assert scaled_times(None).shape == (0,)
