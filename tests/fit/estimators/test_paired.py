"""Pairs are compared pair by pair."""

import numpy as np
import pytest

from fit import paired
from lazyrich.errors import InputError


def test_what_a_pair_has_in_common_drops_out():
    rng = np.random.default_rng(0)
    common = 10 * rng.standard_normal(30)
    a, b = common + 0.1 * rng.standard_normal(30), common - 1 + 0.1 * rng.standard_normal(30)
    estimate = paired(a, b)
    low, high = estimate.interval()
    assert low < 1 < high
    assert high - low < 0.2  # 2·2·0.1·sqrt(2/30); unpaired it would be 10
    assert estimate.dof == 29


def test_incomplete_pairs_are_left_out():
    assert paired([1, 2, np.nan, 4], [0, 1, 2, np.nan]).n_clusters == 2
    with pytest.raises(InputError, match="two pairs"):
        paired([1, np.nan], [1, 2])
    with pytest.raises(InputError, match="equal length"):
        paired([1, 2], [1, 2, 3])


def test_groups_are_fixed_levels():
    rng = np.random.default_rng(1)
    width = np.repeat([32, 64, 128], 20)
    difference = np.log2(width / 64) + 0.01 * rng.standard_normal(60)
    estimate = paired(difference, np.zeros(60), width)
    assert estimate.standard_error == pytest.approx(0.01 / np.sqrt(60), rel=0.3)  # sd of an sd: 9 %, three of them
    assert estimate.dof > 40
    assert "differ between the widths" in estimate.notes[0]
    with pytest.raises(InputError, match="two pairs are complete in any group"):
        paired([1, 2, 3], [0, 1, 2], [32, 64, 128])
