"""The table of kinds names tests that there are."""

import re
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("README.md")
GUARDS = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", TABLE.read_text(encoding="utf-8"))


def test_every_row_names_a_test():
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:]
    assert len(GUARDS) == len(rows)


@pytest.mark.parametrize(("file", "test"), GUARDS, ids=[test for _, test in GUARDS])
def test_it_is_there(file, test):
    source = (TABLE.parents[2] / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {test}\(", source, re.MULTILINE)
