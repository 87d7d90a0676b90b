"""What files of fit/claims say of themselves."""

import pytest
from synthetic_campaign import laws

from fit.findings import registry
from fit.findings.finding import Finding
from fit.findings.registry import ExperimentFindings


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    monkeypatch.setattr(registry, "_measures", {})


def test_a_decorated_function_measures_the_claim_of_its_name():
    @registry.measures(needs=["x"], group="Times", figure="collapse", quantity="y")
    def some_claim(experiment, prediction):
        """Measure nothing."""

    measure = registry.registered()["some_claim"]
    assert (measure.claim, measure.measure, measure.compare) == ("some_claim", some_claim, None)
    assert (measure.needs, measure.figure, measure.quantity) == (("x",), "collapse", "y")


def test_a_claim_about_several_experiments_has_no_measure_of_one():
    @registry.compares(group="Kernel", stands_for_power="grows")
    def some_trend(experiments):
        """Compare nothing."""

    measure = registry.registered()["some_trend"]
    assert (measure.measure, measure.compare, measure.stands_for_power) == (None, some_trend, "grows")


def test_findings_are_looked_up_by_claim_and_variable():
    given = laws()
    index = next(i for i, law in enumerate(given) if law.claim == "kernel_change_lazy" and law.variable == "width")
    finding = Finding(n_seeds=7)
    findings = ExperimentFindings(None, given, {index: finding})
    assert findings.finding("kernel_change_lazy", "width") is finding
    assert findings.finding("kernel_change_lazy", "root_h_alpha") is None
    assert findings.prediction("kernel_change_lazy") is given[index - 1]
    assert findings.rows() == [(None, given[index], finding)]
