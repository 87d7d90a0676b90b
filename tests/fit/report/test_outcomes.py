"""How an outcome is read: undecided apart from no prediction, and why in a few words."""

import dataclasses

import pytest
from synthetic_campaign import experiment, tree

from fit import assess
from fit.report.outcomes import distance_text, label_of, measured_text, predicted_text, short_reason
from theory.prediction import Form


@pytest.fixture(scope="module")
def verdict():
    return next(v for v in assess(tree(experiment())) if v.claim == "kernel_change_feature")


def undecided(verdict, **changes):
    return dataclasses.replace(verdict, verdict="inconclusive", **changes)


def test_without_a_prediction_nothing_is_undecided(verdict):
    assert label_of(undecided(verdict)).text == "undecided"
    assert label_of(undecided(verdict, not_claimed_because="the reason")).text == "no prediction"
    logs = undecided(verdict, predicted=None, predicted_value=None, form=Form.POWER_WITH_LOGARITHMS,
                     leading_exponent="-2")  # fmt: skip
    assert (label_of(logs).text, predicted_text(logs)) == ("no prediction", "−2, with logs")


def test_the_distance_is_told_only_where_the_interval_excludes_the_prediction(verdict):
    near = dataclasses.replace(verdict, p_value=0.3)
    far = dataclasses.replace(verdict, p_value=1e-6, estimate=-1.56, predicted_value=-1.5, standard_error=0.003)
    assert distance_text(near) == ""
    assert distance_text(far) == "−20.0 s.e., p < 10⁻⁴"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"n_seeds": 1}, "1 seed of 5"),
        ({"n_widths": 2, "variable": "width"}, "2 widths of 4"),
        ({"ci_low": -2.0, "ci_high": -1.0, "estimate": -1.5}, "± 0.50 exceeds the margin 0.08"),
        ({"ci_low": -1.6, "ci_high": -1.52, "estimate": -1.56}, "at the edge of the margin"),
        ({"ci_low": -1.64, "ci_high": -1.56, "estimate": -1.6}, "off by 0.10, margin 0.08"),
        ({"ci_low": -1.64, "ci_high": -1.6, "estimate": -1.62}, "outside the margin"),
        ({"not_claimed_because": "because"}, "theory gives no law"),
    ],
)
def test_why_nothing_is_decided_in_a_few_words(verdict, changes, reason):
    base = {"predicted_value": -1.5, "margin": 0.08, "n_seeds": 10, "n_widths": 5}
    assert short_reason(undecided(verdict, **(base | changes))) == reason


def test_amplitudes_in_a_fit_are_counted(verdict):
    points = verdict.points.copy(deep=True)
    used = points["used"].values
    used[:] = False
    used[:2] = True
    assert short_reason(undecided(verdict, points=points)) == "2 amplitudes of 3"


def test_decided_verdicts_need_no_reason(verdict):
    assert short_reason(dataclasses.replace(verdict, verdict="consistent")) == ""


def test_numbers_are_set_with_a_minus_sign(verdict):
    shown = dataclasses.replace(verdict, estimate=-1.5, ci_low=-1.51, ci_high=-1.49)
    assert measured_text(shown) == "−1.500 ± 0.010"
    assert measured_text(dataclasses.replace(shown, estimate=None)) == "–"
