"""Regimes compared over draws of the training points: a draw counts once, however many seeds it has."""

import json

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from fit import assess
from fit.estimators.crossed import crossed_mean


def experiment(draw, gaps, architecture="fc", **fields):
    """One draw: error 0.1 in the lazy regime and 0.1 + gap in the feature regime, a gap a seed."""
    gaps = np.asarray(gaps, dtype=float)
    error = np.stack([0.1 + gaps, np.full(gaps.shape, 0.1)])[None]
    name = f"{architecture}-draw{draw}"
    data = xr.Dataset(
        {"test_error": (("width", "root_h_alpha", "seed"), error)},
        {"width": [64], "root_h_alpha": [1e-4, 1e4], "seed": np.arange(len(gaps))},
    )
    described = {"name": name, "activation": "relu", "depth": 2, "architecture": architecture, "data_seed": draw}
    data.attrs["experiment"] = json.dumps(described | fields)
    return data


def over_draws(*experiments):
    found = assess(experiments)
    return [v for v in found if v.claim == "regime_preference" and ".." in v.experiment]


GAPS = [0.02, 0.03, 0.025, 0.04, 0.01]  # means of the draws


def test_with_one_seed_the_interval_is_students_over_draws():
    (verdict,) = over_draws(*(experiment(d, [gap]) for d, gap in enumerate(GAPS)))
    assert verdict.experiment == "fc-draw0..4"
    half = stats.t.ppf(0.975, 4) * np.std(GAPS, ddof=1) / np.sqrt(5)
    assert (verdict.ci_low, verdict.ci_high) == pytest.approx((verdict.estimate - half, verdict.estimate + half))
    assert "on these initial weights" in verdict.reason


def test_the_interval_is_over_draws_and_initial_weights():
    rng = np.random.default_rng(0)
    values = np.array(GAPS)[:, None] + 4e-3 * rng.standard_normal(4) + 1e-3 * rng.standard_normal((5, 4))
    (verdict,) = over_draws(*(experiment(d, row) for d, row in enumerate(values)))
    expected, parts = crossed_mean(values)
    assert verdict.estimate == pytest.approx(np.mean(values), abs=1e-12)
    assert (verdict.ci_low, verdict.ci_high) == pytest.approx(expected.interval())
    assert verdict.verdict == "consistent"
    assert verdict.n_points == 20
    assert f"over 5 draws of the training points × 4 initial weights (standard deviations: {parts.draws:.2%}" in (
        verdict.reason
    )


@pytest.mark.parametrize(("architecture", "sign", "word"), [
    ("fc", -1, "inconsistent"), ("cnn", -1, "consistent"), ("cnn", 1, "inconsistent"),
])  # fmt: skip
def test_the_sign_that_is_claimed_depends_on_the_architecture(architecture, sign, word):
    (verdict,) = over_draws(*(experiment(d, [sign * gap], architecture) for d, gap in enumerate(GAPS)))
    assert verdict.verdict == word


@pytest.mark.parametrize(("fields", "word", "because"), [
    ({"dataset": "mnist", "n_train": 10_000}, "inconsistent", "feature regime less that in the lazy one"),
    ({"dataset": "mnist", "n_train": 1000}, "inconclusive", "no sign is predicted for 1,000 images"),
    ({"dataset": "digits", "n_train": 100}, "inconclusive", "no sign is predicted on digits"),
    ({"dataset": "stripes", "n_train": 100}, "consistent", "feature regime less that in the lazy one"),
])  # fmt: skip
def test_a_sign_is_claimed_where_it_was_observed_or_derived(fields, word, because):
    """Fully connected networks that err less in the feature regime: against the article, as planted rules have it."""
    (verdict,) = over_draws(*(experiment(d, [-gap], **fields) for d, gap in enumerate(GAPS)))
    assert verdict.verdict == word
    assert because in verdict.reason


@pytest.mark.parametrize(("architecture", "word", "because"), [
    ("cnn", "consistent", "feature regime less that in the lazy one"),
    ("fc", "inconclusive", "no sign is predicted for networks trained by Adam, but for convolutional ones"),
])  # fmt: skip
def test_by_adam_a_sign_was_observed_of_convolutional_networks(architecture, word, because):
    fields = {"dataset": "mnist", "n_train": 10_000, "dynamics": {"name": "adam"}}
    (verdict,) = over_draws(*(experiment(d, [-gap], architecture, **fields) for d, gap in enumerate(GAPS)))
    assert verdict.verdict == word
    assert because in verdict.reason


def test_many_seeds_of_few_draws_decide_nothing():
    (verdict,) = over_draws(*(experiment(d, np.full(50, GAPS[d]) + 1e-3 * np.arange(50)) for d in range(2)))
    assert verdict.verdict == "inconclusive"
    assert "2 draws" in verdict.reason


def test_a_draw_without_a_pair_is_left_out():
    missing = [experiment(5, [np.nan, np.nan])]
    (verdict,) = over_draws(*(experiment(d, [gap]) for d, gap in enumerate(GAPS)), *missing)
    assert verdict.n_points == 5
    assert verdict.estimate == pytest.approx(np.mean(GAPS), abs=1e-12)


def test_experiments_that_differ_in_more_than_the_draw_are_no_family():
    assert not over_draws(*(experiment(d, [gap], n_train=50 + d) for d, gap in enumerate(GAPS)))
    assert not over_draws(*(experiment(d, [gap]) for d, gap in enumerate(GAPS[:1])))


def two_widths(gaps):
    """Errors at h = 32 and 64 on one draw: ``gaps`` (width, seed)."""
    error = np.stack([0.1 + gaps, np.full(gaps.shape, 0.1)], axis=1)
    data = xr.Dataset(
        {"test_error": (("width", "root_h_alpha", "seed"), error)},
        {"width": [32, 64], "root_h_alpha": [1e-4, 1e4], "seed": np.arange(gaps.shape[1])},
    )
    described = {"name": "x", "activation": "relu", "depth": 2, "architecture": "fc", "data_seed": 0}
    data.attrs["experiment"] = json.dumps(described)
    return data


def test_a_difference_that_changes_with_the_width_is_decided_at_the_widths_measured():
    """+3 and +5 points, each to 0.1: with one degree of freedom between widths the interval would hold 0."""
    noise = 1e-3 * np.array([-1.0, 0.5, 1.0, -0.5, 0.0])
    gaps = np.array([[0.03], [0.05]]) + noise
    (verdict,) = [v for v in assess(two_widths(gaps)) if v.claim == "regime_preference"]
    assert verdict.verdict == "consistent", verdict.reason
    assert verdict.standard_error == pytest.approx(noise.std(ddof=1) / np.sqrt(10), rel=1e-9)
    assert verdict.estimate == pytest.approx(0.04, abs=1e-12)
    assert "over the widths measured" in verdict.reason
    assert "differ between the widths by more than their noise" in verdict.reason


def test_over_draws_a_difference_between_widths_is_no_scatter_of_initial_weights():
    rng = np.random.default_rng(2)
    draws = 2e-3 * rng.standard_normal((4, 1, 1)) + 1e-3 * rng.standard_normal((4, 2, 5))
    values = np.array([0.03, 0.05])[:, None] + draws
    data = []
    for draw, gaps in enumerate(values):
        one = two_widths(gaps)
        described = json.loads(one.attrs["experiment"]) | {"name": f"x-draw{draw}", "data_seed": draw}
        one.attrs["experiment"] = json.dumps(described)
        data.append(one)
    (verdict,) = over_draws(*data)
    expected, parts = crossed_mean(values.reshape(4, 10), np.repeat([32, 64], 5))
    assert parts.weights < 1e-3
    assert verdict.standard_error == pytest.approx(expected.standard_error)
