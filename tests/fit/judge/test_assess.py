"""From measurements with known exponents to the right verdicts."""

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from synthetic_campaign import FEATURE, experiment, laws, prediction, tree

from fit import Estimate, assess
from fit.claims.depth_trend import depth_trend
from fit.findings.finding import Finding
from fit.findings.registry import ExperimentFindings
from fit.judge.cases import Case, judge
from fit.measurements.reading import measurements
from lazyrich.errors import InputError
from theory.prediction import Form


def by_claim(verdicts):
    """Return the verdicts under (claim, variable, regime)."""
    return {(v.claim, v.variable, v.regime): v for v in verdicts}


@pytest.fixture(scope="module")
def sound():
    """A campaign that obeys every law, large enough to show it."""
    return by_claim(assess(experiment(seeds=160), laws()))


def test_every_true_law_is_called_consistent(sound):
    judged = {key: v.verdict for key, v in sound.items() if v.estimate is not None}
    assert len(judged) == 11
    assert set(judged.values()) == {"consistent"}, judged


def test_estimates_carry_the_sign_of_the_power(sound):
    feature = sound["kernel_change_feature", "root_h_alpha", "feature"]
    assert feature.predicted == "-3/2"
    assert feature.estimate == pytest.approx(-1.5, abs=0.02)  # the correction A^(1/2) that is not removed: 0.013
    assert feature.ci_low < feature.ci90_low < feature.estimate < feature.ci90_high < feature.ci_high


def test_the_predicted_correction_is_fitted_where_the_claim_says_so(sound):
    """Without it ||w - w0|| ~ A^(-1/4)(1 - 0.4 A^(1/4)) looks like A^(-0.27)."""
    weights = sound["weight_change_feature", "root_h_alpha", "feature"]
    (plain,) = [row for row in weights.sensitivity if "without the predicted correction" in row["window"]]
    assert weights.estimate == pytest.approx(-0.25, abs=0.002)  # noise of 1 % a network, inflated by the correction
    assert plain["estimate"] < -0.262


def test_a_claim_without_an_estimator_or_a_variable_is_not_measured(sound):
    assert sound["final_kernel", "root_h_alpha", "feature"].verdict == "inconclusive"
    without = by_claim(assess(experiment(seeds=6).drop_vars("test_output"), laws()))
    verdict = without["fluctuations", "width", "lazy"]
    assert verdict.verdict == "inconclusive"
    assert "test_output" in verdict.reason
    assert verdict.estimate is None


def test_a_wrong_exponent_is_called_inconsistent():
    verdict = by_claim(assess(experiment(exponent=-4 / 3), laws()))["kernel_change_feature", "root_h_alpha", "feature"]
    assert verdict.verdict == "inconsistent"
    assert verdict.estimate == pytest.approx(-4 / 3, abs=0.02)
    assert verdict.p_value < 1e-6


def test_a_direction_that_depends_on_the_amplitude_is_told_apart_from_a_wrong_power():
    """Outputs that grow as A^(-0.1) at the stop make a kernel of f^(3/2) change as A^(-1.65)."""
    drifting = experiment(exponent=-1.65)
    drifting["test_output"] = drifting.test_output * drifting.root_h_alpha**-0.1
    for data, told in ((drifting, True), (experiment(exponent=-1.65), False)):
        verdict = by_claim(assess(data, laws()))["kernel_change_feature", "root_h_alpha", "feature"]
        assert verdict.verdict == ("inconclusive" if told else "inconsistent")
        rows = {row["window"]: row["estimate"] for row in verdict.sensitivity}
        assert ("direction in which the flow ends depends on A" in verdict.reason) == told
        against_output = next(value for name, value in rows.items() if name.startswith("power of A/F"))
        assert against_output == pytest.approx(-1.5 if told else -1.65, abs=0.03)
    without = assess(drifting.drop_vars("test_output"), laws())
    assert by_claim(without)["kernel_change_feature", "root_h_alpha", "feature"].verdict == "inconsistent"


def test_a_drift_of_the_outputs_forbids_a_bare_consistent():
    """The power of A lies inside the margin, but F ~ A^(-0.02) moves it by 0.03: the reason names the drift."""
    data = experiment(seeds=20)
    data["test_output"] = data.test_output * data.root_h_alpha**-0.02
    verdict = by_claim(assess(data, laws()))["kernel_change_feature", "root_h_alpha", "feature"]
    assert verdict.predicted_value - verdict.margin < verdict.ci90_low < verdict.ci90_high < -1.45
    assert verdict.verdict == "inconclusive"
    assert "outputs F at the stop drift as A^(-0.02" in verdict.reason
    assert verdict.reason.count("outputs F at the stop") == 1


def test_a_row_of_the_sensitivity_outside_the_margin_forbids_a_bare_consistent():
    """A bend at the upper end of the window: the trimmed windows disagree with the whole one."""
    finding = Finding(
        Estimate(-1.5, 0.01, 20), sensitivity=[{"window": "trimmed", "estimate": -1.7, "ci_low": -1.8, "ci_high": -1.6}]
    )
    law = next(p for p in laws() if p.claim == "kernel_change_feature")
    finding = dataclasses.replace(finding, reservations=finding.contradictions(law))
    (verdict,) = judge([Case("one", None, law, finding)])
    assert verdict.verdict == "inconclusive"
    assert verdict.reason.endswith("but another choice (trimmed) gives an estimate outside the margin, -1.700.")


def test_a_depth_trend_that_theory_does_not_claim_gets_no_verdict():
    data = tree(*(experiment(name=f"L{depth}", depth=depth, exponent=-2 + 0.1 * depth) for depth in (1, 2, 3)))
    stated = prediction("depth_trend", "root_h_alpha", None, FEATURE)
    for refusal, word in ((None, "inconsistent"), ("the reason", "inconclusive")):
        law = dataclasses.replace(stated, not_claimed_because=refusal)
        assert law.claimed == (word == "inconsistent")
        given = [p for p in laws() if p.claim == "kernel_change_feature"] + [law]
        (trend,) = [v for v in assess(data, given) if v.claim == "depth_trend"]
        assert (trend.verdict, trend.not_claimed_because) == (word, refusal)


def test_a_crossover_that_drifts_with_the_width_is_called_inconsistent():
    """A kernel change ~ h^(-0.6)/A² in the lazy regime moves A* by about h^(-0.3), alpha* to h^(-0.8)."""
    verdict = by_claim(assess(experiment(seeds=40, crossover_drift=-0.6), laws()))["crossover", "width", "crossover"]
    assert verdict.verdict == "inconsistent"
    assert verdict.estimate < -0.65


def test_few_widths_give_the_estimate_but_no_verdict():
    verdict = by_claim(assess(experiment(widths=(64, 512), seeds=20), laws()))["crossover", "width", "crossover"]
    assert verdict.verdict == "inconclusive"
    assert "2 widths can't show a power of h" in verdict.reason
    assert verdict.estimate == pytest.approx(-0.5, abs=0.05)


def test_few_seeds_give_no_verdict():
    verdict = by_claim(assess(experiment(seeds=3), laws()))["crossover", "width", "crossover"]
    assert verdict.verdict == "inconclusive"
    assert "0 widths with at least 5 complete seeds" in verdict.reason


def test_a_window_without_amplitudes_gives_no_verdict():
    data = experiment(root_h_alpha=(0.1, 1.0, 10.0, 30.0, 50.0))
    found = by_claim(assess(data, laws()))
    for verdict in (found["kernel_change_feature", "root_h_alpha", "feature"], found["fluctuations", "width", "lazy"]):
        assert verdict.verdict == "inconclusive"
        assert verdict.estimate is None
        assert verdict.range == {"variable": "root_h_alpha", "low": None, "high": None}


def test_windows_come_from_the_regime_only(sound):
    assert sound["kernel_change_feature", "root_h_alpha", "feature"].range["high"] == pytest.approx(1e-2)
    # 30 sqrt(512) = 679: half-decades from 1000 on
    assert sound["kernel_change_lazy", "width", "lazy"].range["low"] == pytest.approx(1e3)


def test_sensitivity_trims_half_a_decade_at_either_end(sound):
    rows = {row["window"]: row for row in sound["kernel_change_feature", "root_h_alpha", "feature"].sensitivity}
    assert {"lower end trimmed", "upper end trimmed", "without the narrowest width"} <= set(rows)
    # the correction (1 + A^(1/2)) is larger at the upper end: without it the slope is closer to -3/2
    upper = rows["upper end trimmed"]["estimate"]
    assert abs(upper + 1.5) < abs(rows["lower end trimmed"]["estimate"] + 1.5)


def test_left_out_networks_are_counted_with_their_reason():
    found = by_claim(assess(experiment(seeds=40, failing=0.1), laws()))
    verdict = found["kernel_change_feature", "root_h_alpha", "feature"]
    (sentence,) = verdict.excluded
    assert sentence == "the stopping criterion was not met within max_steps"
    assert 60 < verdict.excluded[sentence] < 145  # binomial of 1,000 at 10 %, four standard deviations
    assert "of the networks in the window were left out" in verdict.reason
    assert verdict.verdict == "consistent"


def test_crossovers_outside_the_grid_forbid_a_verdict():
    amplitudes = tuple(10 ** (i / 2) for i in range(-8, 2))  # to A = 3, and A* is about 3 ± 15 %
    verdict = by_claim(assess(experiment(root_h_alpha=amplitudes, noise=2.0), laws()))[
        "crossover", "width", "crossover"
    ]
    assert verdict.verdict == "inconclusive"
    assert any("does not pass 1" in reason for reason in verdict.excluded)


def test_a_campaign_laid_out_in_alpha_gets_the_same_verdicts():
    """Widths then have different amplitudes: what is compared at fixed A is interpolated to common ones."""
    alphas = 10.0 ** np.arange(-6, 3.6, 0.5)
    widths = (32, 64, 128, 256, 512)
    rows = [
        experiment(widths=(h,), seeds=160, root_h_alpha=tuple(np.sqrt(h) * alphas), seed=h)
        .rename(root_h_alpha="alpha").assign_coords(alpha=alphas)
        for h in widths
    ]  # fmt: skip
    # each width drew its own test points; delta F compares widths, so it is left out
    data = xr.concat(rows, "width", combine_attrs="override").drop_vars("test_output")
    found = by_claim(assess(data, laws()))
    judged = {key: v.verdict for key, v in found.items() if v.estimate is not None}
    assert set(judged.values()) == {"consistent"}, judged
    assert ("kernel_change_lazy", "width", "lazy") in judged


def test_deeper_networks_must_change_their_kernel_more_steeply():
    predictions = {name: laws(depth) for name, depth in (("softplus-L1", 1), ("softplus-L3", 3))}
    shallow, deep = experiment("softplus-L1", 1, seed=1), experiment()
    trend = assess(tree(shallow, deep), predictions)[-1]
    assert (trend.claim, trend.verdict) == ("depth_trend", "consistent")
    assert trend.estimate == pytest.approx(0.5, abs=0.03)  # a(3) - a(1), less the corrections
    flat = assess(tree(shallow, experiment(exponent=-0.9)), predictions)[-1]
    assert flat.verdict == "inconsistent"


def test_one_depth_has_no_trend():
    trend = assess(experiment(), laws())[-1]
    assert (trend.claim, trend.verdict) == ("depth_trend", "inconclusive")


@pytest.mark.parametrize(("power", "verdict"), [(None, "consistent"), (-0.5, "inconsistent")])
def test_a_logarithmic_time_is_told_from_a_power(power, verdict):
    data = experiment("softplus-L1", 1)
    a = data["root_h_alpha"]
    growth = 3 + np.log(1 / a) if power is None else a**power
    rng = np.random.default_rng(0)
    noise = 1 + 0.01 * rng.standard_normal(data["time_linear"].shape)
    data["time_half"] = xr.ones_like(data["time_linear"]) * a * growth * noise
    law = prediction("half_time", "root_h_alpha", None, FEATURE, form=Form.LOGARITHM)
    assert assess(data, [law])[0].verdict == verdict


def test_a_law_without_a_power_has_no_verdict():
    law = prediction("kernel_change_feature", "root_h_alpha", None, FEATURE)
    verdict = assess(experiment(), [law])[0]
    assert verdict.verdict == "inconclusive"
    assert "no power to compare with" in verdict.reason
    assert verdict.estimate is not None


def test_points_hold_the_whole_curve_and_mark_what_was_used(sound):
    points = sound["kernel_change_feature", "root_h_alpha", "feature"].points
    assert points.sizes == {"point": 5 * 17}
    assert points["used"].sum() == 5 * 5  # half-decades from 1e-4 to 1e-2
    assert points.attrs["x"] == "root_h_alpha"
    assert points.attrs["window_high"] == pytest.approx(1e-2)
    used = points.where(points["used"], drop=True)
    line = points.attrs["fit_prefactor"] * used["root_h_alpha"] ** points.attrs["fit_exponent"]
    np.testing.assert_allclose(line, used["y"], rtol=0.2)  # the noise of a width's mean, and the correction


def test_points_of_a_law_in_h_pool_the_amplitudes(sound):
    points = sound["fluctuations", "width", "feature"].points
    used = points.where(points["used"], drop=True)
    assert used.sizes["point"] == 5
    assert np.isnan(used["root_h_alpha"]).all()
    assert points.sizes["point"] == 5 + 5 * 17  # and the curves over A for the figure
    assert bool((used["y_low"] < used["y"]).all() and (used["y"] < used["y_high"]).all())


def test_every_verdict_is_plain_json(sound):
    for verdict in sound.values():
        text = json.dumps(verdict.to_json(), allow_nan=False)
        assert json.loads(text)["claim"] == verdict.claim


def test_measurements_that_name_no_activation_need_predictions():
    data = experiment()
    data.attrs["experiment"] = json.dumps({"name": "anonymous"})
    with pytest.raises(InputError, match="does not say its activation and depth"):
        assess(data)
    assert assess(data, laws())
    with pytest.raises(InputError, match="none for the experiment 'anonymous'"):
        assess(data, {"other": laws()})


def described(**fields):
    data = experiment()
    data.attrs["experiment"] = json.dumps(json.loads(data.attrs["experiment"]) | fields)
    return {(v.claim, v.variable, v.regime): v for v in assess(data)}


def test_laws_are_not_judged_by_networks_that_they_are_not_derived_for():
    key = ("kernel_change_feature", "root_h_alpha", "feature")
    plain, biased, whole = described(), described(bias=0.1), described(subtract_initial=False)
    assert {v.verdict for v in biased.values()} == {"inconclusive"}
    assert "without bias, and these have bias = 0.1" in biased[key].reason
    assert biased[key].estimate == plain[key].estimate
    # where A << 1 the initial output is negligible
    assert whole[key].verdict == plain[key].verdict == "consistent"
    crossover = ("crossover", "width", "crossover")
    assert plain[crossover].verdict == "consistent"
    assert whole[crossover].verdict == "inconclusive"
    assert "f₀ is not subtracted" in whole[crossover].reason
    adam = described(dynamics={"name": "adam"})
    assert {v.verdict for v in adam.values()} == {"inconclusive"}
    assert "trained by Adam" in adam[key].reason
    assert adam[key].estimate == plain[key].estimate


def test_the_same_measurements_give_the_same_verdicts():
    first, second = (assess(experiment(), laws()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("beside", "word"), [(0, "inconsistent"), (100, "inconclusive")])
def test_a_bent_logarithm_must_stand_the_correction_for_all_claims(beside, word):
    """Its slope changes by 0.35 over the window, three standard errors beyond what is allowed."""
    data = experiment("softplus-L1", 1)
    log = np.log(1 / data["root_h_alpha"])
    noise = 1 + 0.01 * np.random.default_rng(0).standard_normal(data["time_linear"].shape)
    data["time_half"] = xr.ones_like(data["time_linear"]) * data["root_h_alpha"] * (3 + log + 0.07 * log**2) * noise
    law = prediction("half_time", "root_h_alpha", None, FEATURE, form=Form.LOGARITHM)
    true = prediction("linear_time", "root_h_alpha", 1, FEATURE)
    verdict = assess(data, [law, *[true] * beside])[0]
    assert verdict.verdict == word
    assert ("but not significantly after the correction" in verdict.reason) == (word == "inconclusive")


def test_a_step_in_depth_against_the_trend_enters_the_correction():
    """a(2) is below a(1) by 2.5 standard errors: p = 0.012, doubled for the choice among two steps."""
    experiments = []
    for depth, a in ((1, 1.0), (2, 0.975), (3, 1.5)):
        (one,) = measurements(experiment(f"L{depth}", depth, seeds=5))
        predictions = laws(depth)
        slope = next(i for i, law in enumerate(predictions) if law.claim == "kernel_change_feature")
        finding = Finding(Estimate(-a, 0.01 / np.sqrt(2), 1e6), range={})
        experiments.append(ExperimentFindings(one, predictions, {slope: finding}))
    (comparison,) = depth_trend(experiments)
    assert comparison.finding.outcome == "inconsistent"
    assert comparison.finding.p_value_against == pytest.approx(2 * 0.0124, rel=0.01)
