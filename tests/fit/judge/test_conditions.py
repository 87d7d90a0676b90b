"""No verdict on a law that is not derived for how the networks were trained."""

import json

import pytest
from synthetic_campaign import experiment, laws

from fit import assess, prediction
from fit.findings.finding import Finding
from fit.findings.registry import Comparison
from fit.judge.conditions import comparison_with_conditions_checked, not_derived_for
from fit.measurements.reading import measurements
from theory.dynamics import IN_WORDS
from theory.predictions import predictions

KERNEL = ("kernel_change_feature", "root_h_alpha", "feature")
#: about initial weights
BEFORE_TRAINING = {("initial_kernel_variance", "width", "any")}
FOR_SGD_TOO = {("weight_change_lazy", "root_h_alpha", "lazy"), ("half_time", "root_h_alpha", "lazy")}
#: the article's convolutional networks were trained by Adam: whether a sign is claimed, the measurement says
FOR_ADAM_TOO = {("regime_preference", "root_h_alpha", "crossover")}
OTHER_DYNAMICS = ("momentum", "sgd", "adam", "a_method_of_a_later_version")


def trained_by(name, **fields):
    data = experiment()
    described = json.loads(data.attrs["experiment"]) | {"dynamics": {"name": name}} | fields
    data.attrs["experiment"] = json.dumps(described)
    return data


def by_law(verdicts):
    return {(v.claim, v.variable, v.regime): v for v in verdicts}


@pytest.mark.parametrize("dynamics", OTHER_DYNAMICS)
def test_laws_of_gradient_flow_get_no_verdict_from_other_dynamics(dynamics):
    flow, other = (by_law(assess(trained_by(name))) for name in ("gradient_flow", dynamics))
    assert flow[KERNEL].verdict == "consistent"
    held = {law for law, v in other.items() if v.outcome_in_words != "no prediction"}
    before_training = BEFORE_TRAINING if dynamics in IN_WORDS else set()
    assert held == {"sgd": FOR_SGD_TOO, "adam": FOR_ADAM_TOO}.get(dynamics, set()) | before_training
    assert "derived for gradient flow, and these networks were trained by" in other[KERNEL].not_claimed_because
    assert other[KERNEL].estimate == flow[KERNEL].estimate


def test_predictions_of_theory_that_are_handed_over_are_checked_too():
    """A wrong law (4/3 where the data have 3/2) would otherwise be refuted by networks that it is not about."""
    for given in (laws(), predictions("softplus", 3), {"softplus-L3": laws()}):
        verdicts = assess(trained_by("momentum"), given)
        assert {v.verdict for v in verdicts} == {"inconclusive"}


@pytest.mark.parametrize(
    "column", [{"dynamics": "sgd"}, {"bias": 0.1}, {"subtract_initial": False}], ids=["sgd", "bias", "with f_0"]
)
def test_columns_of_a_table_describe_the_training_too(column):
    table = experiment()[["kernel_change", "weight_change"]].sum("layer").to_dataframe().reset_index()
    table = table.assign(activation="softplus", depth=3)
    plain, described = (by_law(assess(frame)) for frame in (table, table.assign(**column)))
    crossover = ("crossover", "width", "crossover")
    assert plain[crossover].outcome_in_words == "consistent"
    assert described[crossover].outcome_in_words == "no prediction"


def test_a_users_prediction_is_tested_whatever_the_dynamics():
    law = prediction("kernel_change ~ A^(-3/2)", root_h_alpha=(1e-4, 1e-2))
    (verdict,) = assess(trained_by("sgd"), [law])
    assert verdict.verdict == "consistent"


def test_measurements_that_do_not_describe_their_training_are_judged():
    (measured,) = measurements(experiment())
    assert all(not_derived_for(law, measured) is None for law in laws())


def test_a_comparison_is_withheld_only_if_the_law_is_derived_for_none_of_its_experiments():
    (flow,), (sgd,) = measurements(experiment()), measurements(trained_by("sgd"))
    decided = Finding(outcome="inconsistent", reason="a step is negative", p_value_against=1e-3)
    for members, outcome in (([flow, flow], "inconsistent"), ([flow, sgd], "inconsistent"), ([sgd, sgd], None)):
        checked = comparison_with_conditions_checked(Comparison("both", members, laws()[0], decided))
        assert checked.finding.outcome == outcome
        assert (checked.finding.not_claimed_because is None) == (outcome is not None)
