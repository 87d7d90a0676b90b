"""How a verdict is read: undecided apart from no prediction, and why in a few words."""

import dataclasses

import pytest
from synthetic_campaign import experiment, tree

from fit import assess
from fit.judge.in_words import distance_text, predicted_text, short_reason
from fit.report.outcomes import label_of
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
    far = dataclasses.replace(verdict, p_value=1e-6, estimate=-1.56, compared_with=-1.5, standard_error=0.003)
    assert distance_text(near) == ""
    assert distance_text(far) == "−20.0 s.e., p < 10⁻⁴"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"in_short": "1 seed of 5"}, "1 seed of 5"),
        ({"ci_low": -2.0, "ci_high": -1.0, "estimate": -1.5}, "± 0.50 exceeds the margin 0.08"),
        ({"ci_low": -1.6, "ci_high": -1.52, "estimate": -1.56}, "at the edge of the margin"),
        ({"ci_low": -1.64, "ci_high": -1.56, "estimate": -1.6}, "off by 0.10, margin 0.08"),
        ({"ci_low": -1.64, "ci_high": -1.6, "estimate": -1.62}, "outside the margin, not after Holm's correction"),
        (
            {
                "ci_low": 0.86,
                "ci_high": 1.76,
                "estimate": 1.31,
                "predicted_value": None,
                "compared_with": 1.0,
                "margin": 0.25,
            },
            "± 0.45 exceeds the margin 0.25",
        ),
        ({"ci_low": -1.64, "ci_high": -1.6, "estimate": -1.62, "margin": None}, "no margin is given"),
        ({"ci_low": -1.64, "ci_high": -1.6, "estimate": -1.62, "compared_with": None}, "no number is predicted"),
        ({"not_claimed_because": "because"}, "theory gives no law"),
        ({"not_claimed_because": "because", "in_short": "trained by Adam"}, "trained by Adam"),
    ],
)
def test_why_nothing_is_decided_in_a_few_words(verdict, changes, reason):
    base = {"predicted_value": -1.5, "compared_with": -1.5, "margin": 0.08, "n_seeds": 10, "n_widths": 5}
    assert short_reason(undecided(verdict, **(base | changes))) == reason


@pytest.mark.parametrize(
    ("claim", "variable", "changes", "reason"),
    [
        ("kernel_change_feature", "root_h_alpha", {"root_h_alpha": (1e-3, 1e-2, 1.0, 10.0)}, "2 amplitudes of 3"),
        ("kernel_change_feature", "root_h_alpha", {"seeds": 1, "widths": (32, 64)}, "2 seeds of 5"),
        ("fluctuations", "width", {"widths": (32, 64)}, "2 widths of 4"),
        ("fluctuations", "width", {"seeds": 3}, "3 seeds of 5"),
        ("weight_change_feature", "root_h_alpha", {"root_h_alpha": (1e-4, 1e-3, 1.0)}, "2 amplitudes of 4"),
        ("depth_trend", "root_h_alpha", {}, "1 depth of 2"),
        ("final_kernel", "root_h_alpha", {}, "not measured"),
    ],
)
def test_what_was_too_little_is_said_where_it_was_counted(claim, variable, changes, reason):
    verdicts = assess(tree(experiment(**changes)))
    chosen = next(v for v in verdicts if (v.claim, v.variable) == (claim, variable))
    assert short_reason(chosen) == reason


def test_a_drift_of_the_outputs_is_named():
    """Outputs that grow towards A -> 0 forbid a bare consistent; the table says so in a few words."""
    data = experiment(noise=0.1)
    a = data["root_h_alpha"]
    data["test_output"] = data["test_output"] * a**-0.02
    verdict = next(v for v in assess(tree(data)) if v.claim == "kernel_change_feature")
    assert verdict.verdict == "inconclusive"
    assert short_reason(verdict) == "outputs drift as A^(−0.02)"


def test_decided_verdicts_need_no_reason(verdict):
    assert short_reason(dataclasses.replace(verdict, verdict="consistent")) == ""
