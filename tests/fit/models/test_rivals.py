import numpy as np
import pandas as pd
import pytest

from fit.models.assess import assess_models
from fit.models.fitting import Method, fit_model
from fit.models.formula import parse_law
from fit.models.points import select
from fit.models.rivals import compare
from fit.models.statement import model
from lazyrich.errors import InputError


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    x = np.geomspace(1, 1e4, 60)
    return pd.DataFrame({"x": x, "y": (1 + 5 * x**-0.5) * np.exp(0.01 * rng.standard_normal(60))})


def test_the_true_form_wins_and_its_equal_is_as_good(table):
    laws = [model(law, draws=50, starts=6) for law in ("y = A/x^a", "y = E + A/x^a", "y = c + b*x^(-q)")]
    (group,) = assess_models(table, laws).rivals
    verdicts = {rival.name: rival.verdict for rival in group}
    assert verdicts["y = A/x^a"] == "worse"
    assert sorted(verdicts[law.law] for law in laws[1:]) == ["as good", "best"]


def test_laws_of_other_points_are_no_rivals(table):
    law = parse_law("y = A/x^a", ["x", "y"])
    all_points, fewer = select(table, "y", ["x"]), select(table, "y", ["x"], ["x > 10"])
    fits = [fit_model(law, points, Method(starts=4)) for points in (all_points, fewer)]
    with pytest.raises(InputError, match="not about the same points"):
        compare(["one", "other"], fits, [all_points, fewer])
    apart = assess_models(table, [model("y = A/x^a", draws=50), model("y = A/x^a", where="x > 10", draws=50)])
    assert apart.rivals == []
