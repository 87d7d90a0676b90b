"""The nu of a collapse as a finding."""

import pytest
from synthetic_campaign import CROSSOVER, experiment, prediction

from fit.findings.collapse_law import collapse_law
from fit.measurements.reading import measurements

LAW = prediction("collapse_exponent", "width", "1/2", CROSSOVER)


def finding(**options):
    data = experiment(**({"seeds": 6, "widths": (32, 64, 128), "root_h_alpha": (0.1, 0.3, 1, 3, 10)} | options))
    data["kernel_change"] = data.kernel_change * 0 + 1 / (1 + data.root_h_alpha)
    (source,) = measurements(data)
    return collapse_law(source, LAW, source.network("kernel_change"))


def test_a_function_of_a_collapses_at_one_half():
    result = finding()
    assert result.estimate.value == pytest.approx(0.5, abs=0.02)  # straight lines between points of a bent curve
    assert result.undecided_because is None
    assert result.notes[0].startswith("the quality of the collapse is S = ")


def test_two_widths_always_have_a_nu():
    assert finding(widths=(32, 64)).undecided_because == (
        "2 widths with 5 seeds and 3 amplitudes in the window can't show a collapse, and 3 are needed"
    )
