"""The table of kinds names tests that there are, and says of each kind what comes out."""

import re
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("README.md")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| kind |", "| --- |"))
]
GUARD = re.compile(r"`(tests/\S+\.py)::(test_\w+)`")


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_row_names_a_test_that_there_is_and_what_comes_out(row):
    kind, guard, outcome = row
    assert kind
    assert outcome
    file, test = GUARD.fullmatch(guard).groups()
    source = (TABLE.parents[2] / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {test}\(", source, re.MULTILINE)


def test_no_line_of_a_table_is_missed():
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    heads = [line for line in lines if line == "| kind | test | what comes out |"]
    assert len(ROWS) + 2 * len(heads) == len(lines)
    assert len(heads) == TABLE.read_text(encoding="utf-8").count("\n## ")
