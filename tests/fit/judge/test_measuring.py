"""How each prediction is measured."""

import pytest
from synthetic_campaign import FEATURE, experiment, laws, prediction

import fit
from fit.claims.crossover import crossover
from fit.findings.power_law import power_law
from fit.judge.measuring import all_measures, measure_experiment, measure_of, measure_prediction
from fit.measurements.reading import measurements
from theory.claims import claims


def test_every_measured_claim_is_one_of_theory_and_named_as_its_file():
    assert set(all_measures()) <= {claim.name for claim in claims()}


def test_a_claim_has_its_own_measure_and_a_users_law_that_of_its_quantity():
    assert measure_of(laws()[0]).measure is crossover
    assert measure_of(fit.prediction("alpha_star ~ h^(-1/2)")).measure is crossover
    named_alike = fit.prediction("time_linear ~ A", claim="crossover")
    assert measure_of(named_alike).measure is power_law


def test_a_source_that_lacks_what_a_claim_needs_is_not_measured():
    (source,) = measurements(experiment().drop_vars("kernel_change"))
    finding = measure_prediction(source, laws()[0])
    assert finding.undecided_because == "not measured: the source does not hold kernel_change"


def test_a_users_range_of_widths_is_kept():
    law = fit.prediction("time_linear ~ A", width=(64, 128))
    assert measure_prediction(measurements(experiment())[0], law).n_widths == 2
    none = fit.prediction("time_linear ~ A", width=(1000, 2000))
    finding = measure_prediction(measurements(experiment())[0], none)
    assert finding.undecided_because == "not measured: no width lies in [1000, 2000]"


def test_an_experiment_is_measured_but_for_claims_about_several():
    (source,) = measurements(experiment(seeds=5))
    given = [
        prediction("depth_trend", "root_h_alpha", None, FEATURE),
        prediction("linear_time", "root_h_alpha", 1, FEATURE),
    ]
    findings = measure_experiment((source, given))
    assert list(findings.findings) == [1]
    assert findings.finding("linear_time", "root_h_alpha").estimate.value == pytest.approx(1, abs=0.01)
