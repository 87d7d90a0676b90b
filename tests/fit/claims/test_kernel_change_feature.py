"""The kernel's power of A, which is derived for outputs at the stop that do not drift with A."""

import pytest
from synthetic_campaign import FEATURE, experiment, prediction

from fit import assess

LAW = prediction("kernel_change_feature", "root_h_alpha", "-3/2", FEATURE, margin=0.1)


def verdict(power=-1.5, drift=0.0):
    data = experiment(seeds=6)
    data["kernel_change"] = data.kernel_change * 0 + data.root_h_alpha**power
    data["test_output"] = (data.test_output * 0 + data.root_h_alpha**drift).astype(float)
    return assess(data, [LAW])[0]


@pytest.mark.parametrize(
    ("power", "drift", "outcome"),
    [
        (-1.5, 0.0, "consistent"),
        (-1.55, 0.0, "consistent"),
        (-1.55, -1 / 30, "inconclusive"),
        (-1.7, 0.0, "inconsistent"),
        (-1.65, -0.1, "inconclusive"),
        (-1.85, -0.1, "inconsistent"),
    ],
)
def test_the_law_in_a_is_judged_where_its_premise_is_met(power, drift, outcome):
    """A drift that accounts for another power of A (A/F has -3/2) leaves it undecided; a smaller one does not."""
    result = verdict(power, drift)
    assert result.verdict == outcome
    assert (f"drift as A^({drift:+.3f})" in result.reason) == (drift != 0)


def test_the_sensitivity_has_the_power_of_a_over_f_and_that_of_f():
    rows = {row["window"]: row["estimate"] for row in verdict(-1.65, -0.1).sensitivity}
    assert rows["power of A/F, F the rms output at the stop"] == pytest.approx(-1.5, abs=1e-9)
    assert rows["power of A of F itself, 0 if the direction of the output does not depend on A"] == pytest.approx(
        -0.1, abs=1e-9
    )
