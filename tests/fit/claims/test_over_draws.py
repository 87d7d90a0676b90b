"""Claims about test error over draws of the training points, crossed with initial weights."""

import json

import numpy as np
import pytest
import xarray as xr

from fit import assess
from fit.estimators.crossed import crossed_mean

ARMS = ["network", "initial_kernel", "final_kernel"]
WIDTHS = np.array([16, 32, 64, 128, 256, 512])


def draw_of(number, variables, coordinates, **fields):
    data = xr.Dataset(variables, coordinates)
    described = {"name": f"relu-draw{number}", "activation": "relu", "depth": 2, "data_seed": number}
    data.attrs["experiment"] = json.dumps(described | fields)
    return data


def joint(experiments, claim, regime="feature"):
    rows = [v for v in assess(experiments) if v.claim == claim and ".." in v.experiment]
    return next(v for v in rows if claim in ("error_vs_width", "regime_preference") or v.regime == regime)


def arms_of(number, excess, gap):
    """Networks at one width: the final kernel errs by ``excess`` more than they do, the initial one by ``gap``."""
    error = np.stack([np.full_like(gap, 0.1), 0.1 + gap, 0.1 + excess], axis=-1)[None, None]
    return draw_of(
        number, {"test_error": (("width", "root_h_alpha", "seed", "arm"), error)},
        {"width": [64], "root_h_alpha": [1e-3], "seed": np.arange(len(gap)), "arm": ARMS},
    )  # fmt: skip


def test_a_final_kernel_that_does_as_the_network_on_every_draw():
    rng = np.random.default_rng(0)
    gap = 0.05 + 0.005 * rng.standard_normal((4, 6))
    excess = 0.002 + 0.001 * rng.standard_normal((4, 6))
    verdict = joint([arms_of(d, excess[d], gap[d]) for d in range(4)], "final_kernel")
    assert verdict.experiment == "relu-draw0..3"
    assert verdict.verdict == "consistent"
    assert "over 4 draws of the training points × 6 initial weights" in verdict.reason
    assert verdict.estimate == pytest.approx(excess.mean() / gap.mean())
    # what decides is linear in the pairs: the larger of ± excess - gap/4, with the error of the crossed design
    expected, _ = crossed_mean(excess - 0.25 * gap)
    assert verdict.decided_by.value == pytest.approx(expected.value)
    assert verdict.decided_by.standard_error == pytest.approx(expected.standard_error)


def test_an_excess_that_depends_on_the_draw_decides_nothing():
    rng = np.random.default_rng(1)
    gap = 0.05 + 0.005 * rng.standard_normal((3, 6))
    excess = np.array([0.0, 0.01, 0.03])[:, None] + 0.0005 * rng.standard_normal((3, 6))
    verdict = joint([arms_of(d, excess[d], gap[d]) for d in range(3)], "final_kernel")
    assert verdict.verdict == "inconclusive"
    single = [v for v in assess(arms_of(0, excess[0], gap[0])) if v.claim == "final_kernel" and v.regime == "feature"]
    assert [v.verdict for v in single] == ["consistent"]  # on this draw of the points, by six seeds
    assert single[0].conditional_on == "one draw of the training points (data seed 0)"
    assert verdict.conditional_on is None


def errors_of_draw(number, common, limit=0.05, power=-1.0):
    """Test errors limit + c/h at six widths; ``common`` is what the initial weights do in every draw, (width, seed)."""
    rng = np.random.default_rng(number)
    error = limit + (2.0 + 0.2 * rng.standard_normal()) * WIDTHS[:, None] ** power
    error = error + common + 0.05 * rng.standard_normal(common.shape) / WIDTHS[:, None]
    return draw_of(
        number, {"test_error": (("width", "root_h_alpha", "seed"), error[:, None])},
        {"width": WIDTHS, "root_h_alpha": [1e-3], "seed": np.arange(common.shape[1])},
    )  # fmt: skip


def test_the_excess_error_is_fitted_over_draws():
    common = 0.05 * np.random.default_rng(9).standard_normal((6, 8)) / WIDTHS[:, None]
    experiments = [errors_of_draw(d, common) for d in range(3)]
    verdict = joint(experiments, "error_vs_width")
    assert verdict.verdict == "consistent"
    assert verdict.ci_low < -1 < verdict.ci_high
    assert len(verdict.sensitivity) == 3
    single = [v for v in assess(experiments) if v.claim == "error_vs_width" and ".." not in v.experiment]
    low = min(v.estimate for v in single)
    high = max(v.estimate for v in single)
    assert low <= verdict.estimate <= high
    # the same initial weights in all draws: no fewer errors than the residual's third
    assert verdict.standard_error > min(v.standard_error for v in single) / np.sqrt(3)


def test_two_draws_are_too_few():
    common = np.zeros((6, 8))
    verdict = joint([errors_of_draw(d, common) for d in range(2)], "error_vs_width")
    assert verdict.verdict == "inconclusive"
    assert "2 draws" in verdict.reason


def outputs_of_draw(number, amplitude=1e-3, seeds=8, points=200):
    """Outputs ±1 with noise h^(-1/2) of each network's own: four narrow networks together are as good as a wide one."""
    rng = np.random.default_rng(number)
    label = np.where(np.arange(points) % 2, 1.0, -1.0)
    margin = rng.uniform(-0.1, 0.6, points) * label
    weights = np.random.default_rng(100).standard_normal((2, 1, seeds, points))
    output = margin + 6.0 * weights / np.sqrt(np.array([64, 256]))[:, None, None, None]
    return draw_of(
        number,
        {"test_output": (("width", "root_h_alpha", "seed", "test_point"), output.astype("float32")),
         "test_label": (("test_point",), label)},
        {"width": [64, 256], "root_h_alpha": [amplitude], "seed": np.arange(seeds)},
    )  # fmt: skip


@pytest.mark.parametrize(("regime", "amplitude"), [("feature", 1e-3), ("lazy", 1e3)])
def test_ensembles_are_compared_over_draws_in_both_regimes(regime, amplitude):
    verdict = joint([outputs_of_draw(d, amplitude) for d in range(3)], "ensemble", regime)
    assert verdict.verdict == "consistent"
    assert verdict.n_seeds == 8
    assert verdict.estimate == pytest.approx(0.0, abs=0.2)  # a share of the excess error of single narrow networks
    assert "ensembles of 4 networks of width 64" in verdict.reason
