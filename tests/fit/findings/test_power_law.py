"""A law in a variable of the source is measured as its power, of A or of h."""

import pytest
from synthetic_campaign import FEATURE, experiment, prediction

from fit.findings import registry
from fit.findings.power_law import measured_as_power, power_law, symbol
from fit.measurements.reading import measurements


@pytest.mark.parametrize(("variable", "power"), [("root_h_alpha", 1.0), ("width", 0.0)])
def test_the_variable_of_the_law_decides(variable, power):
    data = experiment(seeds=6)
    data["time_linear"] = data.time_linear * 0 + data.root_h_alpha
    law = prediction("linear_time", variable, power, FEATURE)
    finding = power_law(measurements(data)[0], law)
    assert finding.estimate.value == pytest.approx(power, abs=1e-12)


def test_a_variable_that_is_absent_or_no_number_is_not_measured():
    data = experiment(seeds=6)
    (source,) = measurements(data.drop_vars("time_linear"))
    law = prediction("linear_time", "root_h_alpha", 1, FEATURE)
    assert power_law(source, law).undecided_because == "not measured: the source does not hold time_linear"
    many = prediction("fluctuations", "root_h_alpha", 1, FEATURE)
    object.__setattr__(many, "quantity", "test_output")
    assert "is not one number for each network" in power_law(source, many).undecided_because


def test_a_line_makes_it_the_measure_of_a_claim(monkeypatch):
    monkeypatch.setattr(registry, "_measures", {})
    measured_as_power("a_claim", needs=("x",), group="Kernel", column="x")
    measure = registry.registered()["a_claim"]
    assert (measure.measure, measure.needs, measure.group, measure.column) == (power_law, ("x",), "Kernel", "x")


def test_symbols_of_figures():
    assert symbol("time_half") == "t_{1/2}"
    assert symbol("my_quantity") == r"\mathrm{my quantity}"
