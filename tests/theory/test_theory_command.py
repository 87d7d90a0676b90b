"""``python -m theory``: predictions and derivation on 80 columns, JSON with the documented fields, clear refusals."""

import json

import pytest
from typer.testing import CliRunner

from theory.__main__ import app


def theory(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_predictions_and_derivations_fit_80_columns():
    for activation in ("relu", "tanh", "z**2*heaviside(z)"):
        told = theory(activation, "--depth", 3)
        assert told.exit_code == 0, told.output
        assert max(map(len, told.stdout.splitlines())) <= 80
        for line in ("Derivations", "refuted by:", "u ~ h^(−1/2)·T"):
            assert line in told.stdout
        assert "\\" not in told.stdout  # LaTeX is for what typesets it
        assert "kernel_change_feature" not in told.stdout  # an identifier: that is what --json has


def test_a_wide_terminal_is_used(monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    lines = theory("relu", "--depth", 2).stdout.splitlines()
    assert 100 < max(map(len, lines)) <= 150
    (row,) = [line for line in lines if line.startswith("Kernel change, feature regime  ")]
    assert "‖ΔΘ‖/‖Θ₀‖ ~ A^(−4/3)" in row


def test_json_has_the_documented_fields():
    described = json.loads(theory("relu", "--depth", 3, "--json").stdout)
    assert {"activation", "degree", "depth", "normalisation", "predictions"} <= set(described)
    assert described["normalisation"] == pytest.approx(2**0.5, rel=1e-12)
    assert described["degree"] == "1"
    for p in described["predictions"]:
        assert {"claim", "quantity", "exponent", "exponent_value", "expected", "regime", "latex"} <= set(p)
        assert (p["exponent"] is None) == (p["exponent_value"] is None)
        assert p["latex"]
    by_claim = {p["claim"]: p for p in described["predictions"]}
    assert by_claim["kernel_change_feature"]["exponent"] == "-3/2"
    assert by_claim["kernel_change_feature"]["exponent_value"] == -1.5
    assert by_claim["depth_trend"]["exponent"] is None
    for p in described["predictions"]:
        assert p["refusal"] == p["not_claimed_because"]  # two names of one field
    refused = json.loads(theory("relu2", "--depth", 2, "--json").stdout)["predictions"]
    reason = next(p["not_claimed_because"] for p in refused if p["claim"] == "kernel_change_feature")
    assert reason.startswith("for k > 1 ")


def test_json_has_neither_nan_nor_infinity():
    def refuse(name):
        raise AssertionError(name)

    for activation in ("relu", "tanh", "relu2", "exp(-z**2)"):
        json.loads(theory(activation, "--json").stdout, parse_constant=refuse)


def test_several_activations_are_compared_in_one_table():
    compared = theory("relu", "tanh", "softplus", "relu2", "--depth", 1, "--compare")
    assert compared.exit_code == 0, compared.output
    assert max(map(len, compared.stdout.splitlines())) <= 80
    assert "no: h^(1/3)" in compared.stdout
    assert len(json.loads(theory("relu", "tanh", "--compare", "--json").stdout)) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nosuch"], "nosuch"),
        (["q*z"], "z"),
        (["exp(z**2)"], "second moment"),
        (["__import__('os')"], "not"),
        (["relu", "--depth", "0"], "depth"),
        (["relu", "--depth", "-3"], "depth"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, told):
    result = theory(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("error: ")
    assert result.stdout == ""
