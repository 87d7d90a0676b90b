"""The simplest network with a crossover, as a ruler."""

import math

import pytest

from theory.curves import single_datum_curve
from theory.curves.equivalent_amplitude import (
    CROSSOVER_AMPLITUDE,
    CROSSOVER_LEVEL,
    LAZY_LEVEL,
    equivalent_amplitude,
    kernel_change_at,
)


@pytest.mark.parametrize("amplitude", [1e-3, 0.1, 1.0, 30.0])
def test_its_kernel_changes_as_that_of_one_datum_and_a_linear_network(amplitude):
    assert kernel_change_at(amplitude) == pytest.approx(single_datum_curve("linear", amplitude)[0], rel=1e-9)


@pytest.mark.parametrize("amplitude", [1e-9, 1e-3, 1.0, 1e3, 1e7])
def test_the_ruler_reads_both_ways_without_cancellation(amplitude):
    assert equivalent_amplitude(kernel_change_at(amplitude)) == pytest.approx(amplitude, rel=1e-12)


def test_levels():
    """A kernel that changes by itself is at the crossover, one of half a decade further is lazy."""
    assert kernel_change_at(CROSSOVER_AMPLITUDE) == pytest.approx(CROSSOVER_LEVEL, rel=1e-12)
    assert pytest.approx(math.sqrt(1.3) - 1, rel=1e-12) == LAZY_LEVEL
    assert equivalent_amplitude(0.0) == math.inf
