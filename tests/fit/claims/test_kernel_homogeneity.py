"""The power of A/F holds whether or not the outputs at the stop drift with A."""

import pytest
from synthetic_campaign import FEATURE, experiment, prediction

from fit import assess

LAW = prediction("kernel_homogeneity", "root_h_alpha_over_output", "-3/2", FEATURE)


@pytest.mark.parametrize("drift", [0.0, -0.1])
def test_a_drift_of_the_outputs_drops_out(drift):
    """kernel_change ~ (A/F)^(-3/2) with F ~ A^drift is A^(-3/2 (1 - drift)): -1.65 against A."""
    data = experiment(seeds=20)
    data["test_output"] = data.test_output * data.root_h_alpha**drift
    data["kernel_change"] = data.kernel_change * data.root_h_alpha ** (1.5 * drift)
    (verdict,) = assess(data, [LAW])
    assert verdict.verdict == "consistent"
    assert verdict.estimate == pytest.approx(-1.5, abs=0.025)  # the correction A^(1/2), and outputs of finite width
    assert verdict.variable == verdict.points.attrs["x"] == "root_h_alpha_over_output"
    assert verdict.points.attrs["fit_exponent"] == verdict.estimate


def test_another_power_is_seen():
    (verdict,) = assess(experiment(seeds=20, exponent=-1.7), [LAW])
    assert verdict.verdict == "inconsistent"


def test_outputs_are_needed():
    (verdict,) = assess(experiment(seeds=6).drop_vars("test_output"), [LAW])
    assert verdict.reason == "Not measured: the source does not hold test_output."
