"""Laws of the test error, on made-up errors and predictors that obey them or don't."""

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from synthetic_campaign import FEATURE, prediction

from fit import assess
from theory.prediction import Regime

WIDTHS, AMPLITUDES = (32, 64, 128, 256, 512), (1e-4, 1e-3, 1e-2, 1e2, 1e4)
WHOLE = Regime(None, "")


def campaign(seeds=20, gap=0.02, excess=6.4, limit=0.05, final=0.0, bias=0.0, architecture="fc", seed=0):
    """Errors limit + gap·(A < 1) + excess/h, paired in their noise; arms; predictors with a fluctuation ~ h^(-1/2)."""
    rng = np.random.default_rng(seed)
    h, a = np.array(WIDTHS, float)[:, None, None], np.array(AMPLITUDES)[None, :, None]
    shape = (len(WIDTHS), len(AMPLITUDES), seeds)
    common = 0.3 * rng.standard_normal((len(WIDTHS), 1, seeds)) / h
    error = limit + gap * (a < 1) + excess / h + common + 0.02 / h * rng.standard_normal(shape)
    initial = error + 0.1 + 0.02 * rng.standard_normal(shape)
    arms = np.stack([error, initial, error + final * 0.1 + 0.01 * rng.standard_normal(shape)])
    n_test = 4000
    label = np.sign(rng.standard_normal(n_test))
    truth = label * np.abs(rng.standard_normal(n_test))
    # a narrow network's own bias is shared by all seeds of a width
    shared = bias * rng.standard_normal((len(WIDTHS), 1, 1, n_test)) / np.sqrt(h[..., None])
    output = truth + shared + 3 * rng.standard_normal((*shape, n_test)) / np.sqrt(h[..., None])
    grid = ("width", "root_h_alpha", "seed")
    velocity = 1 / a[..., None, None] * (1 + 0.05 * rng.standard_normal((*shape, 2, 3)))
    data = xr.Dataset(
        {
            "test_error": (("arm", *grid), arms),
            "test_output": ((*grid, "test_point"), output.astype(np.float32)),
            "preactivation_velocity": ((*grid, "checkpoint", "layer"), velocity),
        },
        coords={
            "width": list(WIDTHS), "root_h_alpha": list(AMPLITUDES), "seed": np.arange(seeds),
            "arm": ["network", "initial_kernel", "final_kernel"], "test_label": ("test_point", label),
        },
    )  # fmt: skip
    data.attrs["experiment"] = json.dumps({"name": "x", "activation": "relu", "depth": 2, "architecture": architecture})
    return data


def judge(data, claim, exponent=None, regime=FEATURE):
    (verdict,) = assess(data, [prediction(claim, "width", exponent, regime)])
    return verdict


@pytest.mark.parametrize(
    ("gap", "architecture", "word"),
    [
        (0.02, "fc", "consistent"),
        (-0.02, "fc", "inconsistent"),
        (0.0, "fc", "inconclusive"),
        (-0.02, "cnn", "consistent"),
        (0.02, "gated", "inconclusive"),  # nothing was observed of an architecture of one's own
    ],
)
def test_the_preferred_regime_is_told_pair_by_pair(gap, architecture, word):
    verdict = judge(campaign(gap=gap, architecture=architecture, seed=1), "regime_preference", regime=WHOLE)
    assert verdict.verdict == word, verdict.reason
    assert verdict.estimate == pytest.approx(gap, abs=0.001)  # the pairs' noise, 0.02/32·sqrt(2)/sqrt(20) at most
    assert verdict.range == {"variable": "root_h_alpha", "low": 1e-4, "high": 1e4}


@pytest.mark.parametrize(
    ("described", "word"),
    [
        ({"dataset": "fashion_mnist"}, "consistent"),
        ({"dataset": "digits"}, "inconclusive"),
        ({"dataset": "mnist", "pca": 10}, "inconclusive"),
    ],
)
def test_no_regime_is_predicted_to_be_better_where_none_was_observed_to_be(described, word):
    data = campaign(seed=1)
    data.attrs["experiment"] = json.dumps(json.loads(data.attrs["experiment"]) | described)
    verdict = judge(data, "regime_preference", regime=WHOLE)
    assert verdict.verdict == word
    assert verdict.estimate == pytest.approx(0.02, abs=0.001)
    assert ("predicted" in verdict.reason) == (word == "inconclusive")


def test_a_grid_without_the_preset_amplitudes_has_no_preference():
    verdict = judge(campaign().isel(root_h_alpha=[1, 2, 3]), "regime_preference", regime=WHOLE)
    assert verdict.verdict == "inconclusive"
    assert "1e-4" in verdict.reason


@pytest.mark.parametrize(
    ("final", "word"), [(0.0, "consistent"), (0.6, "inconsistent"), (-0.6, "inconsistent"), (0.25, "inconclusive")]
)
def test_the_final_kernel_must_miss_little_of_the_contrast(final, word):
    verdict = judge(campaign(final=final), "final_kernel")
    assert verdict.verdict == word, verdict.reason
    assert verdict.estimate == pytest.approx(final, abs=0.03)  # noise 0.01 against the contrast 0.1 over 300 networks


def test_without_contrast_or_arms_there_is_no_final_kernel():
    data = campaign()
    same = data.assign(test_error=data["test_error"].isel(arm=[0, 0, 2]).assign_coords(arm=data["arm"]))
    assert judge(same, "final_kernel").reason.startswith("There is no gap to measure against")
    alone = data.isel(arm=[0])
    assert judge(alone, "final_kernel").reason.startswith("Not measured: the source has no arm initial_kernel")


def test_an_ensemble_of_narrow_networks_does_for_a_wide_one_unless_they_share_a_bias():
    verdict = judge(campaign(), "ensemble")
    assert verdict.verdict == "consistent", verdict.reason
    assert "ensembles of 8 networks of width 32" in verdict.reason  # 2·16 seeds would be needed for 512
    biased = judge(campaign(bias=6.0), "ensemble")
    assert biased.verdict == "inconsistent", biased.reason


def test_the_excess_error_falls_as_one_over_h():
    verdict = judge(campaign(seeds=40), "error_vs_width", -1, WHOLE)
    assert verdict.verdict == "consistent", verdict.reason
    assert "the error tends to 6." in verdict.reason  # limit 5 %, and the feature regime's 2 % at three of five A
    slow = campaign(seeds=40)
    h = slow["width"].astype(float)
    slow["test_error"] = slow["test_error"] - 6.4 / h + 1.2 * h**-0.5
    assert judge(slow, "error_vs_width", -1, WHOLE).verdict == "inconsistent"


@pytest.mark.parametrize("shape", ["straight in log h", "a step at the narrowest width"])
def test_a_fit_at_its_edge_is_no_verdict_on_the_excess_error(shape):
    data = campaign(seeds=40)
    h = data["width"].astype(float)
    falling = -0.01 * np.log(h) if shape == "straight in log h" else 0.05 * (h == h.min())
    noise = data["test_error"] - data["test_error"].mean("seed")
    data["test_error"] = 0.2 + falling + noise
    verdict = judge(data, "error_vs_width", -1, WHOLE)
    assert verdict.verdict == "inconclusive"
    assert (
        "edge of what these widths resolve" in verdict.reason
        or "overlaps it" in verdict.reason
        or "wider" in verdict.reason
    )


def test_the_velocity_at_fixed_alpha_falls_as_the_root_of_h():
    """|dz/dt| = 1/A = h^(-1/2)/alpha, in every hidden layer."""
    verdict = judge(campaign(), "preactivation_velocity", "-1/2", WHOLE)
    assert verdict.verdict == "consistent", verdict.reason
    layers = [row["estimate"] for row in verdict.sensitivity if row["window"].startswith("hidden layer")]
    assert layers == pytest.approx([-0.5, -0.5], abs=0.02)


def test_words_against_a_claim_are_corrected_for_the_claims_beside_it():
    data = campaign(gap=-0.00008, seed=3)
    law = prediction("regime_preference", "width", None, WHOLE)
    (alone,) = assess(data, [law])
    assert alone.verdict == "inconsistent"
    together = assess(data, [dataclasses.replace(law) for _ in range(200)])
    assert together[0].verdict == "inconclusive"
    assert "after the correction" in together[0].reason


def test_every_estimate_is_told_in_shorter_windows_too():
    """Half a decade less at either end, or half a decade nearer to each other where two amplitudes are compared."""
    data = campaign(seeds=40, final=1.0)
    for claim, regime, rows in (
        ("error_vs_width", WHOLE, ("lower end trimmed", "upper end trimmed")),
        ("preactivation_velocity", WHOLE, ("lower end trimmed", "upper end trimmed")),
        ("final_kernel", FEATURE, ("lower end trimmed", "upper end trimmed")),
        ("ensemble", FEATURE, ("lower end trimmed", "upper end trimmed")),
        ("regime_preference", WHOLE, ("feature regime at A = 3.2e-4", "lazy regime at A = 3.2e3")),
    ):
        verdict = judge(data, claim, {"error_vs_width": -1, "preactivation_velocity": "-1/2"}.get(claim), regime)
        told = {row["window"]: row["estimate"] for row in verdict.sensitivity}
        for name in rows:  # the made-up errors don't depend on A within a regime
            assert told[name] == pytest.approx(verdict.estimate, rel=0.25, abs=0.02), (claim, name)
