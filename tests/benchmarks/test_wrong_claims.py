"""What counts as a wrong claim: one that two measurements contradict."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks import wrong_claims
from benchmarks.theory_tables import claims_on_random_activations


@dataclass(frozen=True)
class Judged:
    """The fields of a verdict that the benchmark reads."""

    claim: str
    verdict: str
    variable: str = "width"
    regime: str = "lazy"
    predicted: str = "1"
    estimate: float = 0.7
    ci_low: float = 0.6
    ci_high: float = 0.8
    margin: float = 0.1
    range: Any = None


def counted(monkeypatch, tmp_path, first, second):
    def measured(formula, depth, folder, *, confirm=False):
        return [Judged(claim, word) for claim, word in (second if confirm else first).items()], 1.0

    monkeypatch.setattr(wrong_claims, "measured", measured)
    return wrong_claims.judged("tanh", 1, tmp_path)


@pytest.mark.parametrize(
    ("second", "contradicted"),
    [
        ({"collapse_exponent": "inconsistent"}, True),
        ({"collapse_exponent": "consistent"}, False),
        ({"collapse_exponent": "inconclusive"}, False),
        ({"half_time": "inconsistent"}, False),  # of a claim that the first measurement does not contradict
    ],
)
def test_a_claim_is_wrong_if_other_seeds_contradict_it_too(monkeypatch, tmp_path, second, contradicted):
    first = {"collapse_exponent": "inconsistent", "half_time": "consistent", "crossover": "inconclusive"}
    row = counted(monkeypatch, tmp_path, first, second)
    assert [len(row[kind]) for kind in ("contradicted", "not_confirmed")] == [contradicted, not contradicted]
    assert (row["consistent"], row["inconclusive"]) == (1, 1)


def test_nothing_is_measured_again_that_was_not_contradicted(monkeypatch, tmp_path):
    row = counted(monkeypatch, tmp_path, {"half_time": "consistent"}, {"half_time": "inconsistent"})
    assert row["contradicted"] == row["not_confirmed"] == []


def test_the_page_lists_both_kinds_and_says_of_how_many_formulas_it_speaks(monkeypatch, tmp_path):
    first = {"collapse_exponent": "inconsistent", "half_time": "inconsistent", "crossover": "consistent"}
    case = counted(monkeypatch, tmp_path, first, {"collapse_exponent": "inconsistent"})
    (tmp_path / "wrong_claims.json").write_text(json.dumps([case]))
    text = claims_on_random_activations(tmp_path)
    assert "about 1 formula of 40, 1 of them at all depths." in text
    assert "| 1 | 1 | 100% | 2 | 1 | 0 | 1 | 1 |" in text
    assert "0.700 [0.600, 0.800] measured, 0.700 [0.600, 0.800] by other seeds" in text
    assert "measured, nothing by other seeds" in text


def test_formulas_are_those_of_the_seed():
    drawn = wrong_claims.formulas(3, 0)
    assert drawn == wrong_claims.formulas(4, 0)[:3]
    assert drawn != wrong_claims.formulas(3, 1)


@pytest.mark.slow
def test_two_measurements_of_one_case_have_different_networks(tmp_path):
    first, second = (wrong_claims.measured("tanh", 1, tmp_path, confirm=confirm)[0] for confirm in (False, True))
    assert ({v.n_seeds for v in first}, {v.n_seeds for v in second}) == ({5}, {20})
    assert not {v.claim for v in first if v.verdict == "inconsistent"}
