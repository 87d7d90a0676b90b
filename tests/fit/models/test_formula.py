import numpy as np
import pytest

from fit.models.formula import evaluate, parse_expression, parse_law
from lazyrich.errors import InputError


def test_a_law_is_columns_and_parameters_with_exact_slopes():
    law = parse_law("loss = E + A/N^alpha + B/D^beta", ["N", "D", "loss", "other"])
    assert (law.response, law.variables) == ("loss", ("N", "D"))
    assert law.parameters == ("E", "A", "alpha", "B", "beta")
    assert law.linear == ("E", "A", "B")
    assert law.exponents == ("alpha", "beta")
    columns = {"N": np.array([2.0, 3.0]), "D": np.array([5.0, 7.0])}
    values = np.array([1.0, 2.0, 0.5, 3.0, 0.25])
    value, slopes = law(columns, values)
    np.testing.assert_allclose(value, 1 + 2 / columns["N"] ** 0.5 + 3 / columns["D"] ** 0.25, rtol=1e-14)
    np.testing.assert_allclose(slopes[:, 0], 1.0)
    np.testing.assert_allclose(slopes[:, 1], columns["N"] ** -0.5, rtol=1e-14)
    np.testing.assert_allclose(slopes[:, 2], -2 * columns["N"] ** -0.5 * np.log(columns["N"]), rtol=1e-14)


def test_a_scale_inside_a_power_is_no_coefficient():
    law = parse_law("y = c*x^(-a)*(1 + (x/x0)^2)^((a - b)/2)", ["x", "y"])
    assert law.linear == ("c",)
    assert set(law.exponents) == {"a", "b"}


def test_names_of_python_are_names_like_others():
    law = parse_law("y = lambda_ + np*x", ["x", "y"])
    np.testing.assert_allclose(law({"x": np.array([2.0])}, np.array([1.0, 3.0]))[0], [7.0])


def test_quantities_follow_from_parameters():
    share = parse_expression("a", "beta/(alpha + beta)", ["alpha", "beta"])
    np.testing.assert_allclose(evaluate(share, {"alpha": np.array([1.0, 2.0]), "beta": 3.0}), [0.75, 0.6])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("loss", "of the form column = formula"),
        ("loss = a = b", "of the form column = formula"),
        ("gain = a*N", "no column 'gain'"),
        ("2*loss = a*N", "is no column"),
        ("loss = N", "no parameter"),
        ("loss = a*loss", "both sides"),
        ("loss = a*N - a*N + b", "drops out"),
        ("loss = a*(", "no formula"),
        ("loss = a*max(N, 1)", "can't be part of a law"),
        ("loss = __import__('os').getcwd()", "can't be part of a law"),
        ("loss = a.real", "can't be part of a law"),
        ("loss = a*9^9^9^9", "can't be part of a law"),
        ("loss = a*1e400", "can't be part of a law"),
        ("loss = a/0", "can't be part of a law"),
        ("loss = a*sqrt(-1)", "no real number"),
        ("loss = " + "+".join(f"a{i}*N" for i in range(20)), "20 parameters"),
        ("loss = " + "-" * 500 + "a", "no text of up to"),
    ],
    ids=lambda value: value[:30].strip() if isinstance(value, str) else None,
)
def test_what_is_no_law_is_refused(text, problem):
    with pytest.raises(InputError) as caught:
        parse_law(text, ["N", "loss"])
    assert problem in str(caught.value)


def test_many_brackets_are_only_brackets():
    assert parse_law("loss = " + "(" * 90 + "a" + ")" * 90, ["loss"]).parameters == ("a",)
