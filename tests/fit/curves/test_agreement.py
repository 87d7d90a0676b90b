"""Curves without a free parameter are told beside the verdicts, where they are claimed, and decide nothing."""

import dataclasses
import json

import numpy as np
import pytest
from synthetic_campaign import experiment, laws

from fit import assess
from fit.curves.agreement import agreement, with_agreement
from fit.curves.theory_curves import TheoryCurve
from fit.measurements.reading import measurements
from fit.report.content import collect
from fit.report.page import write

A = 10.0 ** np.arange(-4, 0)


def law(amplitude):
    """What the made-up experiment is made of where A << 1."""
    return 4 * amplitude**-1.5 * (1 + amplitude**0.5)


def curve(factor=1.0, **more):
    return TheoryCurve(
        "softplus-L3", "kernel_change", A, factor * law(A), "h = ∞", "-", "as the experiment is made", "exact", **more
    )


@pytest.fixture(scope="module")
def found():
    return measurements(experiment(seeds=20))


def test_a_right_curve_is_not_told_from_the_data_and_one_that_is_off_is_sized(found):
    right, off = agreement(found[0], curve()), agreement(found[0], curve(0.8))
    assert right["p_value"] > 0.01
    assert "no significant deviation" in right["says"]
    assert right["ratio_low"] < 1 < right["ratio_high"]
    assert off["p_value"] < 0.01
    assert off["ratio"] == pytest.approx(1.25, rel=0.05)  # seeds scatter by 512^(-1/2), their mean by 0.01
    assert "deviates significantly" in off["says"]
    assert (right["n_points"], right["n_seeds"], right["width"]) == (4, 20, 512)


def test_it_is_compared_only_where_it_is_exact_enough(found):
    assert agreement(found[0], curve(compared_at=(1e-3, 1e-2)))["low"] == pytest.approx(1e-3)
    assert agreement(found[0], curve(compared_at=(1e3, 1e4))) is None
    shifted = dataclasses.replace(curve(), root_h_alpha=A * 1.1)
    assert agreement(found[0], shifted) is None  # never interpolated


def test_networks_with_a_curve_of_their_own_are_compared_one_by_one(found):
    """Their own predictions explain the scatter between seeds, so that half a per cent is seen."""
    own = found[0].network("kernel_change").values[-1][:, :6].T
    columns = [np.argmin(np.abs(np.log(found[0].root_h_alpha.values[-1] / a))) for a in A]
    noise = np.exp(0.001 * np.random.default_rng(0).standard_normal((6, len(A))))
    row = agreement(found[0], curve(networks=own[:, columns] * noise / 1.005))
    assert row["ratio"] == pytest.approx(1.005, abs=0.001)
    assert row["p_value"] < 0.05
    assert row["n_seeds"] == 6


def test_verdicts_carry_it_and_keep_their_word(found, tmp_path):
    kernel = [dataclasses.replace(p, quantity="kernel_change") for p in laws() if p.claim.startswith("kernel_change")]
    verdicts = assess(found, kernel)
    told = with_agreement(verdicts, found, [curve(0.5)])
    with_it = [v for v in told if v.goodness]
    assert {(v.claim, v.regime) for v in with_it} == {("kernel_change_feature", "feature")}
    assert with_it[0].verdict == "consistent"
    assert [v.verdict for v in told] == [v.verdict for v in verdicts]
    write(collect("a report", told, found, tmp_path), tmp_path)
    rows = json.loads((tmp_path / "verdicts.json").read_text())
    assert [row["goodness"] for row in rows] == [v.goodness for v in told]
    for page in ("report.html", "report.md"):
        text = (tmp_path / page).read_text()
        assert "h = ∞" in text
        assert "0.5" in text or "2.0" in text
