import re

import numpy as np
import pandas as pd
import pytest

from fit.models.checks import checklist, extrapolate, held_out_residuals
from fit.models.fitting import Method, fit_model
from fit.models.formula import parse_law
from fit.models.intervals import bootstrap
from fit.models.points import select


def checks_of(table, text, **method):
    law = parse_law(text, list(table.columns))
    points = select(table, law.response, law.variables)
    fit = fit_model(law, points, Method(**({"starts": 6} | method)))
    rows = {check.question: check for check in checklist(fit, points, bootstrap(fit, points, draws=60))}
    return rows, fit, points


def a_table(truth, count=80, noise=0.01):
    rng = np.random.default_rng(3)
    x = np.geomspace(1, 1e4, count)
    return pd.DataFrame({"x": x, "y": truth(x) * np.exp(noise * rng.standard_normal(count))})


def test_a_law_that_holds_passes():
    rows, *_ = checks_of(a_table(lambda x: 1 + 5 * x**-0.5), "y = E + A/x^alpha")
    bad = {question for question, check in rows.items() if check.good is False}
    assert bad <= {"Parameters told apart"}
    assert rows["Range of x"].answer == "1 to 10⁴, 4.0 decades"
    assert rows["Points used"].answer == "80 of 80, 3 parameters"


def test_a_wrong_form_is_seen_in_trends_ends_and_reach():
    rows, *_ = checks_of(a_table(lambda x: 1 + 5 * x**-0.5), "y = A/x^alpha")
    assert not rows["Residuals against x"].good
    assert not rows["Without the largest tenth of x"].good
    assert not rows["Extrapolation"].good


def test_a_narrow_range_and_few_points_are_told():
    table = a_table(lambda x: 5 * x**-0.5).head(12)
    rows, *_ = checks_of(table, "y = A/x^alpha")
    assert not rows["Range of x"].good
    assert not rows["Points used"].good


def test_a_term_that_the_data_do_not_have_is_told():
    rows, *_ = checks_of(a_table(lambda x: 5 * x**-0.5 - 0.01), "y = E + A/x^alpha")
    assert not rows["Size of E"].good


@pytest.mark.parametrize(
    ("decades", "told"), [(0.03, "no: A and p can't be told apart (correlation above 0.999)"), (4, "hardly: ")]
)
def test_parameters_that_are_told_apart_by_nothing_are_named_and_no_correlation_looks_like_success(decades, told):
    """y = A/x^p far from x = 1: ln A and p differ by ln x, whose spread is a small part of its mean."""
    x = np.geomspace(1e4, 1e4 * 10**decades, 60)
    noise = np.exp(0.01 * np.random.default_rng(2).standard_normal(60))
    rows, *_ = checks_of(pd.DataFrame({"x": x, "y": 5 * x**-0.5 * noise}), "y = A/x^p")
    check = rows["Parameters told apart"]
    assert check.answer.startswith(told)
    assert check.good is False


def test_no_number_of_the_checklist_is_written_as_python_writes_it():
    x = np.geomspace(1e5, 1e9, 60)
    noise = np.exp(0.01 * np.random.default_rng(2).standard_normal(60))
    rows, *_ = checks_of(pd.DataFrame({"x": x, "y": (3e-4 + x**-0.5) * noise}), "y = A/x^p")
    for check in rows.values():
        assert not re.search(r"\de[+-]\d|(?<!\w)-\d|\d%", check.answer), check


def test_far_points_are_counted():
    table = a_table(lambda x: 5 * x**-0.5)
    table.loc[[10, 20, 30], "y"] *= 1.5
    rows, *_ = checks_of(table, "y = A/x^alpha")
    assert "3 points" in rows["Scatter"].answer
    assert not rows["Scatter"].good


def test_extrapolation_is_from_below_and_its_bias_has_a_sign():
    _, fit, points = checks_of(a_table(lambda x: 1 + 5 * x**-0.5), "y = A/x^alpha")
    tested = extrapolate(fit, points)
    assert tested.n_tested == 16
    assert tested.bias > 0.05  # a pure power falls below what levels off


def test_held_out_residuals_are_those_of_fits_without_the_point():
    _, fit, points = checks_of(a_table(lambda x: 5 * x**-0.5), "y = A/x^alpha", loss="squares")
    outside = held_out_residuals(fit, points)
    inside = fit.residuals
    assert np.isfinite(outside).all()
    # leave-one-out residuals are r/(1 - leverage): larger, by two parameters in eighty
    assert 1.0 < np.mean(outside**2) / np.mean(inside**2) < 1.2


def test_answers_are_plain_truth_values():
    rows, *_ = checks_of(a_table(lambda x: 5 * x**-0.5), "y = A/x^alpha")
    assert all(type(check.good) in (bool, type(None)) for check in rows.values())
    assert rows["Weighting"].good is None
