"""The trend of the feature exponent with depth, from the findings of experiments."""

import pytest
from synthetic_campaign import FEATURE, experiment, prediction

from fit import Estimate
from fit.claims.depth_trend import depth_trend
from fit.findings.finding import Finding
from fit.findings.registry import ExperimentFindings
from fit.measurements.reading import measurements

LAWS = [
    prediction("kernel_change_feature", "root_h_alpha", -1, FEATURE),
    prediction("depth_trend", "root_h_alpha", None, FEATURE),
]


def member(depth, exponent, error=0.01, **fields):
    (measured,) = measurements(experiment(f"L{depth}", depth, widths=(32,), seeds=2, root_h_alpha=(1.0,)))
    measured.description.update(fields)
    return ExperimentFindings(measured, LAWS, {0: Finding(Estimate(-exponent, error, 30), n_seeds=5, n_widths=3)})


@pytest.mark.parametrize(
    ("exponents", "outcome"),
    [((1.0, 1.3, 1.5), "consistent"), ((1.0, 1.3, 1.2), "inconsistent"), ((1.0, 1.3, 1.301), "inconclusive")],
)
def test_every_step_must_be_positive(exponents, outcome):
    (comparison,) = depth_trend([member(depth, a) for depth, a in enumerate(exponents, 1)])
    assert comparison.finding.outcome == outcome
    steps = [exponents[1] - exponents[0], exponents[2] - exponents[1]]
    assert comparison.finding.estimate.value == pytest.approx(min(steps))
    assert comparison.finding.reason.startswith("the exponents are a(1) = 1.000, a(2) = 1.300")
    assert comparison.name == "L1 + L2 + L3"


def test_experiments_that_differ_in_more_than_depth_are_no_family():
    first, second = member(1, 1.0), member(2, 1.3, loss="square")
    comparisons = depth_trend([first, second])
    assert len(comparisons) == 2
    reasons = {comparison.finding.undecided_because for comparison in comparisons}
    assert reasons == {"the exponent could be measured at one depth only, and a trend needs two"}
