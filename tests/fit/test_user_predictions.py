"""A law in a line of text gets the verdict that the same law from theory gets."""

import json

import numpy as np
import pytest
from synthetic_campaign import experiment
from typer.testing import CliRunner

from fit import assess, prediction, read_predictions
from fit.report.command import app
from lazyrich.errors import InputError


@pytest.fixture(scope="module")
def data():
    """Feature exponent -3/2, delta F ~ h^(-1/2), alpha* ~ h^(-1/2)."""
    return experiment(seeds=40)


FEATURE = {"root_h_alpha": (1e-4, 1e-2)}


@pytest.mark.parametrize(
    ("law", "more", "word"),
    [
        ("kernel_change ~ root_h_alpha^(-3/2)", FEATURE | {"margin": 0.08}, "consistent"),
        ("kernel_change ~ A**-1.5", FEATURE | {"margin": 0.08}, "consistent"),
        ("kernel_change ~ A^(-4/3)", FEATURE | {"margin": 0.08}, "inconsistent"),
        ("kernel_change ~ h^0", FEATURE, "consistent"),
        ("fluctuation ~ width^(-1/2)", FEATURE, "consistent"),
        ("fluctuation ~ width", FEATURE, "inconsistent"),
        ("alpha_star ~ width^(-1/2)", {}, "consistent"),
        ("weight_change ~ A^(-1/4)", {"root_h_alpha": (1e-4, 1e-2), "correction": "1/4", "margin": 0.05}, "consistent"),
        ("kernel_change ~ h^0", FEATURE | {"width": (64, 128)}, "inconclusive"),  # two widths
    ],
)
def test_a_stated_law_is_judged(data, law, more, word):
    (verdict,) = assess(data, [prediction(law, **more)])
    assert verdict.verdict == word, verdict.reason


def test_it_is_the_verdict_of_the_same_law_from_theory(data):
    own = prediction("kernel_change ~ A^(-3/2)", root_h_alpha=(0, 1e-2), margin=0.08)
    theirs = {v.claim: v for v in assess(data, also=[own])}
    a, b = theirs["own_kernel_change"], theirs["kernel_change_feature"]
    assert (a.estimate, a.ci_low, a.verdict, a.n_points) == (b.estimate, b.ci_low, b.verdict, b.n_points)


def test_what_the_source_does_not_hold_is_not_measured(data):
    for law in ("train_margin ~ A", "test_output ~ A"):
        (verdict,) = assess(data, [prediction(law)])
        assert verdict.verdict == "inconclusive"
        assert verdict.reason.startswith("Not measured: ")


FILE = """
[[prediction]]
law = "kernel_change ~ root_h_alpha^(-3/2)"
range = [1e-4, 1e-2]
margin = 0.08
why = "a guess"

[[prediction]]
law = "kernel_change ~ root_h_alpha^(-3/2)"
range = [1e-3, 1e-2]
experiment = "mine"

[[prediction]]
law = "time_linear ~ width^0"
root_h_alpha = [0, 1e-2]
"""


def test_a_table_without_activation_is_judged_by_a_file_of_laws(tmp_path, data):
    frame = data[["kernel_change"]].to_dataframe().reset_index()
    frame.to_csv(tmp_path / "mine.csv", index=False)
    (tmp_path / "laws.toml").write_text(FILE)
    out = ["--out", str(tmp_path / "out"), "--json"]
    done = CliRunner().invoke(app, [str(tmp_path / "mine.csv"), "--predictions", str(tmp_path / "laws.toml"), *out])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [(r["claim"], r["verdict"]) for r in rows] == [
        ("own_kernel_change", "consistent"), ("own_kernel_change_2", "consistent"), ("own_time_linear", "inconclusive"),
    ]  # fmt: skip
    assert rows[0]["margin"] == 0.08
    assert "not measured" in rows[2]["reason"].lower()
    assert "Your prediction kernel_change" in (tmp_path / "out" / "report.md").read_text()


def test_netcdf_with_any_order_of_dimensions_does_as_well(tmp_path, data):
    one = data[["kernel_change"]].rename(root_h_alpha="alpha").transpose("seed", "alpha", "width")
    one = one.assign_coords(alpha=one["alpha"] / 16)  # at width 256
    one.attrs = {}
    one.to_netcdf(tmp_path / "mine.nc", engine="scipy")
    (verdict,) = assess(tmp_path / "mine.nc", [prediction("kernel_change ~ A^(-3/2)", root_h_alpha=(0, 1e-2))])
    assert verdict.verdict == "consistent"
    assert np.isclose(verdict.estimate, -1.5, atol=0.02)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("law = 3", "states no prediction"),
        ("[[prediction]]\nrange = [0, 1]", "prediction[0].law"),
        ('[[prediction]]\nlaw = "x"', "is not a power law"),
        ('[[prediction]]\nlaw = "x ~ time"', "laws in 'time' are not measured"),
        ('[[prediction]]\nlaw = "x ~ A^(1/0)"', "is not a number"),
        ('[[prediction]]\nlaw = "x ~ A^2"\nrange = [2, 1]', "is not a range"),
        ('[[prediction]]\nlaw = "x ~ A^2"\nrange = [1, 2]\nroot_h_alpha = [1, 2]', "gives the range too"),
        ('[[prediction]]\nlaw = "x ~ A^2"\nmargin = 0', "is not a positive number"),
        ('[[prediction]]\nlaw = "x ~ A^2"\nstatistic = "mode"', "no such summary"),
        ('[[prediction]]\nlaw = "x ~ A^2"\nslope = 1', "no such key"),
        ('[[prediction]]\nlaw = "x ~ A^2"\nexperiment = "absent"', "absent"),
        ("[[prediction", "is not valid TOML"),
    ],
)
def test_what_is_no_prediction_is_refused_in_one_sentence(text, told, tmp_path, data):
    (tmp_path / "laws.toml").write_text(text)
    with pytest.raises(InputError) as error:
        assess(data, also=read_predictions(tmp_path / "laws.toml"))
    assert told in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.toml"):
        read_predictions(tmp_path / "absent.toml")
