import numpy as np
import pandas as pd

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
    assert rows["Range of x"].answer == "1 to 1e+04, 4.0 decades"
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
