"""The outcomes of a comparison are those that the JSON of verdicts has."""

import typing

from fit.findings.outcome import LEVEL, Outcome


def test_three_outcomes_at_five_per_cent():
    assert typing.get_args(Outcome) == ("consistent", "inconsistent", "inconclusive")
    assert LEVEL == 0.05
