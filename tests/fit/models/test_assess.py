"""Known answer: the refit of the points of arXiv:2203.15556 in arXiv:2404.10102, and what its report says."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fit.models.assess import assess_models
from fit.models.statement import model
from lazyrich.errors import InputError

TABLE = Path(__file__).parents[3] / "docs/examples/chinchilla.csv"
LAW = {"law": "loss = E + A/N^alpha + B/D^beta", "columns": {"D": "C/(6*N)"}, "starts": 8}


@pytest.fixture(scope="module")
def refit():
    statement = model(
        **LAW, where="loss < 3.4", quantities={"a": "beta/(alpha + beta)"}, draws=120, delta=1e-3,
        expects={"alpha": (0.348, 0.05), "beta": (0.28, 0.03), "a": (0.5, 0.001)},
    )  # fmt: skip
    return assess_models(TABLE, statement)


def test_the_published_refit_is_found(refit):
    """arXiv:2404.10102: E = 1.8172 (0.03), A = 482 (125), B = 2085 (1293), alpha = .3478 (.02), beta = .3658 (.02)."""
    (result,) = refit.results
    published = {"E": (1.8172, 0.03), "alpha": (0.3478, 0.02), "beta": (0.3658, 0.02), "a": (0.512, 0.02)}
    for name, (value, error) in published.items():
        assert result.estimates[name].value == pytest.approx(value, abs=error), name
    assert len(result.points) == 238
    low, high = result.estimates["alpha"].interval(0.95)
    assert low < 0.3478 < high


def test_what_was_expected_gets_an_outcome(refit):
    assert {e.name: e.outcome for e in refit.results[0].expectations} == {
        "alpha": "consistent",
        "beta": "inconsistent",
        "a": "inconclusive",
    }


def test_the_points_of_largest_loss_decide_beta():
    """Found here: with all 245 points the same fit gives beta = .45, outside the published interval."""
    result = assess_models(TABLE, model(**LAW, draws=50, delta=1e-3)).results[0]
    assert result.estimates["beta"].value > 0.43
    assert {"Scatter", "Residuals against D", "Extrapolation"} <= {check.question for check in result.warnings}


def test_it_is_shown_as_text_table_and_json(refit):
    text = repr(refit)
    assert "consistent with 0.348 ± 0.05" in text
    assert "<table>" in refit._repr_html_()
    content = json.loads(json.dumps(refit.to_json(), allow_nan=False))
    assert content["models"][0]["points"] == 238
    assert content["models"][0]["left_out"] == {"not loss < 3.4": 7}
    assert refit[LAW["law"]] is refit.results[0]


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"expects": {"gamma": (1, 1)}}, "expects.gamma"),
        ({"quantities": {"alpha": "2*beta"}}, "quantities.alpha"),
        ({"quantities": {"a": "2*gamma"}}, "quantities.a"),
        ({"hold_out": "C"}, "hold_out"),
        ({"intervals": "profile"}, "intervals"),
        ({"where": "loss < 0"}, "law"),
        ({"cluster": "run"}, "cluster"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_faults_name_the_law_and_the_key(keys, field):
    with pytest.raises(InputError) as caught:
        assess_models(TABLE, model(**LAW, **keys))
    assert caught.value.field == f"{LAW['law']}: {field}"


def test_a_law_in_the_same_words_is_fitted_to_a_frame():
    x = np.geomspace(1, 100, 20)
    report = assess_models(pd.DataFrame({"x": x, "y": 2 * x**-0.5}), model("y = a/x^p", draws=50))
    assert report.results[0].estimates["p"].value == pytest.approx(0.5, abs=1e-6)
