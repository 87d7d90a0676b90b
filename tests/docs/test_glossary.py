"""docs/glossary.md has every outcome, status and regime of the code, and no name that the code does not have."""

import dataclasses
import re
import typing
from pathlib import Path

import pytest

from fit.findings.finding import Finding
from fit.findings.outcome import Outcome
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.report.outcomes import LABELS
from simulate.campaign.experiment import Experiment
from simulate.measure.schema import VARIABLES
from simulate.training.status import Status
from theory.claims import claims
from theory.prediction import BOTH_REGIMES, Prediction, Regime

GLOSSARY = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in GLOSSARY.splitlines() if line.startswith("| ") and "---" not in line]
TERMS = {term.strip() for row in ROWS for term in row[0].split(",")}
#: quantities that a claim derives, coordinates, and classes that the page names
DERIVED = {"degree", "fluctuation", "alpha_star", "root_h_alpha", "output", "ntk", "arm", "seed", "exponent"}
CLASSES = {"theory.Prediction", Finding.__name__, Verdict.__name__, Measurements.__name__}


@pytest.mark.parametrize("outcome", sorted({*typing.get_args(Outcome), *(label.text for label in LABELS)}))
def test_every_outcome_has_its_sentence(outcome):
    assert outcome in TERMS


def test_every_status_and_every_regime_is_there():
    names = {status.name.lower() for status in Status}
    assert names <= set(re.findall(r"\w+", next(row[-1] for row in ROWS if row[0] == "status")))
    (names,) = (
        typing.get_args(t) for t in typing.get_args(typing.get_type_hints(Regime)["name"]) if typing.get_args(t)
    )
    assert {f"{name} regime" for name in names} | {BOTH_REGIMES} <= TERMS


def test_a_name_in_code_is_one():
    fields = {f.name for cls in (Verdict, Finding, Prediction) for f in dataclasses.fields(cls)}
    known = fields | set(Experiment.model_fields) | set(VARIABLES) | {c.name for c in claims()} | DERIVED | CLASSES
    known |= {"width", *typing.get_args(Outcome)}
    in_code = {name for row in ROWS if len(row) > 2 for name in re.findall(r"`([^`]+)`", row[1])}
    assert in_code <= known, sorted(in_code - known)


def test_each_term_is_explained_in_one_sentence():
    for row in ROWS:
        if row[-1] != "meaning":
            assert row[-1].rstrip().endswith("."), row
            assert len(re.findall(r"\.\s+[A-Z]", row[-1])) == 0, row
