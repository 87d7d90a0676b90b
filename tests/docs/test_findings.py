"""Every verdict in docs/findings.md is a row of the kept verdicts; its map has a test of its own."""

import re
from pathlib import Path

import pytest

from benchmarks.reference_table import FOLDER, VERDICTS, read_verdicts

PAGE = (Path(__file__).parents[2] / "docs" / "findings.md").read_text(encoding="utf-8")
VARIABLES = {"A": "root_h_alpha", "h": "width", "A/F": "root_h_alpha_over_output"}
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| [a-z0-9-]+ \|(.*\|){7}", line) and not line.startswith("| run ")
]


def test_there_are_rows():
    assert len(ROWS) > 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:4]))
def test_a_row_is_in_the_kept_verdicts(row):
    run, experiment, law, variable, predicted, measured, interval, verdict = row
    claim, _, regime = law.partition(", ")
    matching = [
        kept
        for kept in read_verdicts(FOLDER / run / VERDICTS)
        if (kept["experiment"], kept["claim"], kept["variable"]) == (experiment, claim, VARIABLES[variable])
        and (not regime or kept["regime"] == regime)
    ]
    assert len(matching) == 1
    (kept,) = matching
    low, high = interval.strip("[]").split(", ")
    assert (kept["predicted"], kept["verdict"]) == (predicted, verdict)
    for shown, value in ((measured, kept["estimate"]), (low, kept["ci_low"]), (high, kept["ci_high"])):
        assert float(shown) == pytest.approx(value, abs=6e-4)  # three decimals
