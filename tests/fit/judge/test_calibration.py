"""The intervals cover what they promise: the committed study, and a small repetition of it."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
STUDY = json.loads((BENCHMARKS / "results" / "calibration.json").read_text())


@pytest.fixture(scope="module")
def calibration():
    spec = spec_from_file_location("calibration", BENCHMARKS / "calibration.py")
    module = module_from_spec(spec)
    import sys

    sys.modules["calibration"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


#: what covers less, by how much, and why: docs/verdicts.md
LESS = {
    "h: 5 widths x 10 seeds, offset 1 + 10/h": 0.0,  # a bias of 0.09, which no interval about one power holds
    "h: 5 widths x 10 seeds from h = 256, offset 1 + 10/h": 0.87,  # a bias of 0.01
    "excess error: 5 widths x 40 seeds, second order 1 + 10/h": 0.0,  # a bias of 0.19, within the margin of 0.25
    # the interval alone, without the bound that the rule takes along
    "h: 5 x 20, narrow ones lose the largest fifth: interval": 0.84,
    "delta F: 7 x 40, narrow ones lose the most deviant fifth: interval": 0.68,
}
#: Bounds hold the worst case, and two widths that agree may do so by chance: more than 97 % therefore.
BOUNDS = (": bounds", "A: 2 widths x 5 seeds")


@pytest.mark.parametrize("row", STUDY["cases"], ids=lambda row: row["case"])
def test_committed_intervals_cover(row):
    """93 to 97 %; a count of 2,000 is itself good to 1 % (two standard errors).

    Intervals that hold the scatter between widths, estimated from few widths, cover up to 98.5 % where there is none.
    """
    assert STUDY["replicas"] >= 2000
    between_widths = row["case"].startswith(("A: ", "h: ", "delta F: ", "lazy rms: ", "alpha*: ", "Huber, "))
    largest = 1.0 if row["case"].endswith(BOUNDS) else 0.985 if between_widths else 0.97
    assert LESS.get(row["case"], 0.93) <= row["coverage"] <= largest
    assert row["inconsistent"] <= 0.05
    if row["margin"] <= 0.1 and row["case"] not in LESS:
        # 5 % at the edge; a collapse under heavy tails has 11 %, as docs/verdicts.md says
        assert row["accepts_0.1"] <= 0.11


def test_the_study_is_of_the_estimators_as_they_are(calibration):
    cases = {case.name: case for case in calibration.CASES}
    assert len(cases) == len(calibration.CASES)
    committed_rows = {row["case"]: row for row in STUDY["cases"]}
    assert set(committed_rows) == set(cases)
    for name in ("A: 3 widths x 10 seeds", "h: 5 widths x 10 seeds", "delta F: 5 widths x 30 seeds"):
        committed = committed_rows[name]
        again = calibration.study(cases[name], 300, seed=1)
        # three standard errors of a share near 0.95 of 300
        assert again["coverage"] == pytest.approx(committed["coverage"], abs=3 * np.sqrt(0.05 * 0.95 / 300))
        # three standard errors of a median of 300 half-widths that scatter by 20 %
        assert again["half_width"] == pytest.approx(committed["half_width"], rel=0.05)


def test_the_table_in_the_docs_is_that_of_the_study():
    page = (BENCHMARKS.parent / "docs" / "verdicts.md").read_text(encoding="utf-8")
    for row in STUDY["cases"]:
        numbers = [row[name] for name in ("coverage", "inconsistent", "consistent", "sees_0.1", "half_width")]
        case = row["case"].replace("alpha*", "α*")
        assert f"| {case} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |" in page
