"""What an assessment can be shown as: a list, a table, an article's table, text, a notebook's cell."""

import dataclasses
import json
import pickle
import re

import pytest
from synthetic_campaign import experiment, laws

import fit
from theory.claims import claims


@pytest.fixture(scope="module")
def verdicts():
    return fit.assess(experiment(seeds=10), laws())


def test_it_is_a_list(verdicts):
    assert verdicts == list(verdicts)
    assert len(verdicts) == len(list(verdicts)) > 11
    assert isinstance(verdicts[:3], fit.Verdicts)
    assert verdicts[0] is next(iter(verdicts))
    assert verdicts[-1] == list(verdicts)[-1]
    assert isinstance(pickle.loads(pickle.dumps(verdicts[:2])), fit.Verdicts)


def test_a_row_of_the_table_is_a_verdict(verdicts):
    table = verdicts.to_dataframe()
    assert len(table) == len(verdicts)
    for name in ("experiment", "claim", "variable", "verdict", "reason", "n_points"):
        assert table[name].tolist() == [getattr(v, name) for v in verdicts]
    assert table["estimate"].dropna().tolist() == [v.estimate for v in verdicts if v.estimate is not None]
    assert set(table["outcome"]) <= {"consistent", "inconsistent", "undecided", "no prediction"}
    assert json.loads(table.to_json(orient="records"))[0]["range_low"] == pytest.approx(verdicts[0].range["low"])
    assert not any(isinstance(value, dict | list) for value in table.iloc[0])


def test_texts_show_what_was_measured_and_count_the_rest(verdicts):
    measured = [v for v in verdicts if v.estimate is not None]
    lines = verdicts.summary().splitlines()
    assert lines[0].startswith(f"{len(verdicts)} verdicts: ")
    assert lines[-1] == f"Not measured with these data: {len(verdicts) - len(measured)} of {len(verdicts)}."
    assert len(lines) == 3 + len(measured)
    assert verdicts.to_latex().count(r" \\") == 1 + len(measured)
    assert verdicts._repr_html_().count("<tr>") == 1 + len(measured)
    for verdict, line in zip(measured, lines[2:-1], strict=True):
        assert (verdict.verdict == "inconclusive") != line.endswith("consistent")
        assert not line.endswith("undecided"), line  # and why
    assert len(repr(verdicts)) < 150


def test_an_article_s_table_has_nothing_that_latex_stumbles_over(verdicts):
    odd = dataclasses.replace(verdicts[0], experiment="a_b & 5% {x}", title="Θ at √h·α", estimate=-1.5)
    text = fit.Verdicts([dataclasses.replace(odd, ci_low=-1.6, ci_high=-1.4, predicted="-3/2")]).to_latex()
    assert r"a\_b \& 5\% \{x\} & $\Theta$ at $\surd$h$\cdot$$\alpha$" in text
    assert r"$-3/2$ & $-1.500 \pm 0.100$" in text
    assert "power of $h$" in text
    assert text.isascii()
    assert verdicts.to_latex().isascii()


def test_titles_of_theory_are_set_in_latex(verdicts):
    titled = [dataclasses.replace(verdicts[0], title=claim.title, estimate=-1.0) for claim in claims()]
    text = fit.Verdicts(titled).to_latex()
    assert text.isascii(), re.findall(r"[^\x00-\x7f]", text)
    assert r"$t_1$" in text
    assert r"Half-time of the loss: $t_{1/2}$" in text
    assert r"Fluctuations between seeds: $\delta F$" in text
    assert r"End of lazy training: $\alpha^*$" in text


def test_a_page_shows_names_as_text(verdicts):
    odd = fit.Verdicts([dataclasses.replace(verdicts[0], experiment="<b>&", estimate=1.0)])
    assert "&lt;b&gt;&amp;" in odd._repr_html_()


def test_an_empty_one_says_so():
    assert repr(fit.Verdicts()) == "<0 verdicts>"
    assert fit.Verdicts().to_dataframe().empty
