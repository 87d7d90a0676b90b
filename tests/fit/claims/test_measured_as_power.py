"""Claims whose measure is the power of their quantity: exact powers give exact estimates, and others are refused."""

import pytest
import sympy
from synthetic_campaign import FEATURE, LAZY, SMOOTH_LAZY, experiment, prediction

from fit import assess
from fit.findings.power_law import power_law
from fit.judge.measuring import all_measures

LAWS = {
    "collapse": ("width", 0, FEATURE, "kernel_change"),
    "kernel_change_lazy": ("root_h_alpha", -1, SMOOTH_LAZY, "kernel_change"),
    "weight_change_feature": ("root_h_alpha", sympy.Rational(-1, 4), FEATURE, "weight_change"),
    "weight_change_lazy": ("root_h_alpha", -1, LAZY, "weight_change"),
}


@pytest.mark.parametrize("claim", LAWS)
@pytest.mark.parametrize(("off", "outcome"), [(0.0, "consistent"), (0.4, "inconsistent")])
def test_the_power_of_the_claims_variable_decides(claim, off, outcome):
    variable, power, regime, quantity = LAWS[claim]
    data = experiment(seeds=6)
    data[quantity] = data[quantity] * 0 + data[variable] ** (float(power) + off)
    (verdict,) = assess(data, [prediction(claim, variable, power, regime, margin=0.1)])
    assert verdict.verdict == outcome
    assert verdict.estimate == pytest.approx(float(power) + off, abs=1e-9)


def test_they_share_one_measure():
    assert {all_measures()[claim].measure for claim in LAWS} == {power_law}
