"""How two computations of one network are compared, and how a network is named."""

import numpy as np
import pytest
import xarray as xr

from lazyrich.errors import InputError
from simulate.running.reproduce import ROUNDING, _compare, reproduce


def dataset(**variables):
    return xr.Dataset({name: ("x", np.asarray(values)) for name, values in variables.items()})


def compared(old, new, allowed=ROUNDING):
    (comparison,) = _compare(dataset(loss=old), dataset(loss=new), allowed)
    return comparison


def test_a_difference_is_relative_to_the_variables_rms():
    """The rms of (3, 4) is 5/sqrt 2."""
    comparison = compared([3.0, 4.0], [3.0, 4.0 + 1e-3])
    assert comparison.difference == pytest.approx(1e-3 * np.sqrt(2) / 5, rel=1e-9)
    assert not comparison.agrees
    assert compared([3.0, 4.0], [3.0, 4.0 * (1 + 1e-10)]).agrees


def test_what_is_not_finite_agrees_with_its_like_alone():
    assert compared([np.nan, 1.0], [np.nan, 1.0]).difference == 0.0
    assert compared([np.nan, 1.0], [2.0, 1.0]).difference == np.inf
    assert compared([np.inf, 1.0], [np.inf, 1.0]).difference == 0.0
    assert compared([np.inf, 1.0], [np.inf, 1.1]).difference == pytest.approx(0.1)
    assert compared([np.inf, 1.0], [-np.inf, 1.0]).difference == np.inf


def test_a_variable_that_is_zero_has_an_absolute_difference():
    assert compared([0.0, 0.0], [0.0, 1e-6]).difference == 1e-6


def test_single_precision_may_differ_by_its_last_bit():
    old = np.array([1.0], dtype=np.float32)
    comparison = compared(old, old * (1 + np.float32(2.0**-23)))
    assert comparison.allowed == 2.0**-23
    assert comparison.agrees


def test_what_depends_on_the_machine_is_left_out():
    old, new = dataset(wall_time=[1.0], loss=[2.0]), dataset(wall_time=[9.0], loss=[2.0])
    assert [c.name for c in _compare(old, new, ROUNDING)] == ["loss"]


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        ("width", "is not key=value"),
        ("experiment=three,width=8,root_h_alpha=0.1,seed=0", "no such experiment; there are one, two"),
        ("experiment=one,width=8,seed=0", "needs width, root_h_alpha, seed"),
        ("experiment=one,width=8,root_h_alpha=wide,seed=0", "root_h_alpha is not a number"),
        ("experiment=one,width=9,root_h_alpha=0.1,seed=0", "the store has no width = 9"),
        ("experiment=one,width=8,root_h_alpha=0.11,seed=0", "the store has no root_h_alpha = 0.11"),
    ],
)
def test_a_network_that_is_not_there_is_named(finished, network, problem):
    with pytest.raises(InputError, match=problem):
        reproduce(finished, network)
