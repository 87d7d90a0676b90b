"""Which predictions an experiment is tested on."""

import json

import pytest
from synthetic_campaign import experiment, laws

from fit import prediction
from fit.judge.applicable_predictions import applicable_predictions, check_names, check_quantities
from fit.measurements.reading import measurements
from lazyrich.errors import InputError
from theory.predictions import predictions

MINE = prediction("kernel_change ~ A^(-3/2)")
OF_ANOTHER = prediction("kernel_change ~ A^(-3/2)", experiment="another")


@pytest.fixture
def measured():
    return measurements(experiment())[0]


def test_without_any_given_they_are_theorys_for_activation_and_depth(measured):
    names = [(law.claim, law.variable, law.regime.name) for law in applicable_predictions(measured, None, ())]
    assert names == [(law.claim, law.variable, law.regime.name) for law in predictions("softplus", 3)]


def test_those_about_another_experiment_are_left_out(measured):
    assert applicable_predictions(measured, [MINE, OF_ANOTHER], ()) == [MINE]
    assert applicable_predictions(measured, {"softplus-L3": [MINE]}, [OF_ANOTHER, MINE]) == [MINE, MINE]


def test_an_experiment_of_unknown_activation_is_tested_on_the_additional_ones_alone():
    data = experiment()
    data.attrs["experiment"] = json.dumps({"name": "anonymous"})
    (anonymous,) = measurements(data)
    assert applicable_predictions(anonymous, None, [MINE]) == [MINE]
    with pytest.raises(InputError, match="does not say its activation and depth"):
        applicable_predictions(anonymous, None, ())


def test_unknown_names_and_quantities_are_refused(measured):
    check_names([measured], [MINE, *laws()])
    with pytest.raises(InputError, match="another"):
        check_names([measured], [OF_ANOTHER])
    check_quantities([measured], [MINE], ())
    with pytest.raises(InputError, match="Did you mean kernel_change"):
        check_quantities([measured], [prediction("kernel_chance ~ A")], ())
    check_quantities([measured], [prediction("alpha_star ~ h")], ["alpha_star"])
