"""From a kernel change and the tangent's share to a word."""

import pytest

from fit.audit.interval import Interval
from fit.audit.regime import reason, regime
from theory.curves.equivalent_amplitude import (
    CROSSOVER_AMPLITUDE,
    LAZY_LEVEL,
    equivalent_amplitude,
    kernel_change_at,
)
from theory.curves.single_datum import single_datum_curve


def at(value, width=1.0):
    return Interval(value, value / width, value * width, "runs")


@pytest.mark.parametrize(
    ("change", "unexplained", "verdict"),
    [
        (at(0.01), at(0.001), "lazy"),
        (at(0.0), at(0.0), "lazy"),
        (at(0.01), at(0.3), "between"),  # a kernel that comes back to where it was
        (at(0.5), at(0.01), "between"),
        (at(0.5, 1.2), at(0.3), "between"),
        (at(3.0), at(0.5), "learns features"),
        (at(3.0), at(0.01), "learns features"),
        (at(1.0, 1.1), at(0.2), "not decided"),
        (at(LAZY_LEVEL, 1.1), at(0.01), "not decided"),
        (at(0.01), at(0.1, 1.5), "not decided"),
    ],
)
def test_verdicts(change, unexplained, verdict):
    assert regime(change, unexplained) == verdict
    assert reason(verdict, change, unexplained)


def test_the_levels_are_those_of_the_simplest_network():
    curve = single_datum_curve("linear", [0.01, CROSSOVER_AMPLITUDE, 30.0])
    for a, change in zip([0.01, CROSSOVER_AMPLITUDE, 30.0], curve, strict=True):
        assert kernel_change_at(a) == pytest.approx(change, rel=1e-9)
        assert equivalent_amplitude(change) == pytest.approx(a, rel=1e-9)
    assert abs(LAZY_LEVEL - 0.1402) < 1e-4
