"""Formulas are read by a whitelist: nothing else gets in, and nothing runs."""

import os

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from lazyrich.errors import InputError
from theory.evaluation import numpy_value
from theory.expression import FUNCTIONS, NAMED, parse
from theory.functions import logistic, relu, select, softplus

z = sympy.Symbol("z", real=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("z", z),
        ("relu(z)", relu(z)),
        ("softplus", softplus(5 * z) / 5),
        ("log(1 + exp(5*z)) / 5", softplus(5 * z) / 5),
        ("1/(1 + exp(-2*z))", logistic(2 * z)),
        ("z*exp(z)/(1+exp(z))", z * logistic(z)),
        ("where(z > 0, z, exp(z) - 1)", select(z, z, sympy.exp(z) - 1)),
        ("where(z >= 0, 1, z)", select(-z, z, 1)),
        ("0.5*z", z / 2),
        ("-pi*z**2", -sympy.pi * z**2),
    ],
)
def test_formulas_become_the_expression_they_say(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nosuch",
        "q + 1",
        "z +",
        "z; z",
        "z = 1",
        "(z := 1)",
        "lambda: 0",
        "[z for z in (1, 2)]",
        "{z}",
        "(z, z)",
        "z.real",
        "z.__class__.__mro__",
        "().__class__",
        "__import__('os').system('touch broken')",
        "eval('1')",
        "exec('1')",
        "open('broken', 'w')",
        "relu.__globals__",
        "getattr(z, 'real')",
        "(relu)(relu)(z)",
        "relu(x=z)",
        "relu(*[z])",
        "'z'",
        "b'z'",
        "f'{z}'",
        "1j*z",
        "True*z",
        "None",
        "...",
        "z if z > 0 else 0",
        "z > 0",
        "0 < z < 1",
        "z and z",
        "not z",
        "~z",
        "z % 2",
        "z // 2",
        "z @ z",
        "z << 2",
        "z[0]",
        "await z",
        "9**9**9**9",
        "z**z",
        "2**z",
        "z**1e9",
        "z**21",
        "10**10*z",
        "1e400*z",
        "exp(exp(exp(9)))*z",
        "z/0",
        "0**-1 + z",
        "log(0)*z",
        "log(-1)*z",
        "sqrt(-1)*z",
        "softplus(z, z)",
        "softplus(z, -1)",
        "relu()",
        "relu(z, z)",
        "where(z, z, z)",
        "where(z == 0, z, z)",
        "max(z)",
        "z\x00",
        "\uff5a",
        "z\n+1",
        "-" * 390 + "z",
        "+".join(["z"] * 200),
        "9" * 399,
    ],
)
def test_anything_else_is_refused_with_a_named_error(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.field == "activation"
    assert caught.value.value == text
    assert "relu" in caught.value.remedy  # the remedy lists what may be used
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [None, 3, b"z", ["z"], object()])
def test_what_is_not_text_is_refused(value):
    with pytest.raises(InputError):
        parse(value)


def test_the_offending_piece_is_named():
    with pytest.raises(InputError, match=r"'q' is a symbol other than z"):
        parse("relu(q*z)")
    with pytest.raises(InputError, match=r"'arccosh' is not a known function"):
        parse("arccosh(z)")


def test_names_and_functions_do_not_shadow_one_another():
    for name in NAMED:
        if name in FUNCTIONS:
            assert parse(name) == parse(f"{name}(z)") or name == "softplus"


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_raises_anything_but_a_named_error(text):
    try:
        expression = parse(text)
    except InputError:
        return
    assert expression.free_symbols <= {z}
    numpy_value(expression, [0.5])


def test_a_function_by_its_name_is_that_function_of_z():
    assert parse("sigmoid") == parse("sigmoid(z)")
