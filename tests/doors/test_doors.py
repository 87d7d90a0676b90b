"""A short fuzzing of every door; the long one is ``python -m benchmarks.reliability.fuzz --inputs 20000``."""

import json
import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import strategies as st

from benchmarks.reliability import fuzz
from fit.measurements.reading import measurements
from fit.models import assess_models, model
from fit.user_predictions import prediction, read_predictions
from lazyrich.errors import ExpectedError, InputError


@pytest.mark.parametrize(("door", "inputs"), [("stores", 6), ("command lines", 4), ("formulas", 8)])
def test_slow_doors_understand_or_refuse_whatever_comes_in(door, inputs, tmp_path):
    result = fuzz.measure(tmp_path, inputs, chosen=2, doors=[door])
    assert result["unexpected"] == 0, result["doors"][door]["first_unexpected"]
    assert result["inputs"] == inputs


@pytest.mark.parametrize("door", ["campaigns", "predictions", "names and paths", "tables", "netCDF", "npz"])
def test_doors_understand_or_refuse_whatever_comes_in(door, tmp_path):
    result = fuzz.measure(tmp_path, 20, chosen=2, doors=[door])
    assert result["unexpected"] == 0, result["doors"][door]["first_unexpected"]
    assert result["inputs"] == 20


def test_the_judge_is_not_blind(tmp_path, monkeypatch):
    """A door that raises, one that refuses in two lines, and one that does not end are told."""

    def enter(kind):
        if kind == "raises":
            raise KeyError("x")
        if kind == "refuses in two lines":
            raise ExpectedError("it is bad.\nMend it.")
        if kind == "hangs":
            while True:
                pass
        raise InputError("x", 1, "is bad", "Mend it")

    inputs = st.sampled_from(["raises", "refuses in two lines", "hangs", "refuses"])
    monkeypatch.setattr(fuzz, "SECONDS", 0.2)
    monkeypatch.setitem(fuzz.DOORS, "tables", fuzz.Door(inputs, lambda _: enter, lambda *_: (), 1))
    result = fuzz.measure(tmp_path, 4, chosen=0, doors=["tables"])
    assert result["doors"]["tables"]["refused"] == 1
    assert result["unexpected"] == 3
    errors = " ".join(one["error"] for one in result["doors"]["tables"]["first_unexpected"])
    assert re.search("KeyError", errors)
    assert re.search("TimeoutError: more than", errors)
    assert re.search("more than one line", errors)


def grid(**attributes):
    axes = {"width": [8, 16], "root_h_alpha": [0.1, 1.0], "seed": [0, 1]}
    return xr.Dataset({"kernel_change": (tuple(axes), np.ones((2, 2, 2)))}, axes, attributes)


@pytest.mark.parametrize("experiment", ["[]", "null", "3", '"text"', "{", "[" * 10**5])
def test_an_experiment_attribute_of_a_wrong_type_is_named(experiment, tmp_path):
    grid(experiment=experiment).to_netcdf(tmp_path / "d.nc", engine="scipy")
    with pytest.raises(InputError) as caught:
        measurements(tmp_path / "d.nc")
    assert caught.value.field == "d.attrs['experiment']"


def test_an_experiment_attribute_is_read_for_what_it_says(tmp_path):
    grid(experiment=json.dumps({"name": "mine", "depth": 2})).to_netcdf(tmp_path / "d.nc", engine="scipy")
    (one,) = measurements(tmp_path / "d.nc")
    assert (one.name, one.description["depth"]) == ("mine", 2)


@pytest.mark.parametrize("left", range(0, 430, 40))
def test_a_netcdf_file_that_is_cut_anywhere_is_refused_or_read(left, tmp_path):
    grid().to_netcdf(tmp_path / "d.nc", engine="scipy")
    whole = (tmp_path / "d.nc").read_bytes()
    assert left < len(whole)
    (tmp_path / "d.nc").write_bytes(whole[:left])
    with pytest.raises(InputError, match="can't be read"):
        measurements(tmp_path / "d.nc")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("width,root_h_alpha,seed,kernel_change\n", "it has no rows"),
        (
            "width,root_h_alpha,seed\n8,0.1,0,1.5,2\n8,0.1,1,1.4,3\n",
            "a row has more values than the first line has names",
        ),
    ],
)
def test_a_table_without_rows_or_names_is_refused(text, problem, tmp_path):
    """The first column would be taken for labels of rows, and all others for the next one's."""
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=problem):
        measurements(tmp_path / "t.csv")


@pytest.mark.parametrize("line", ["claim = [1]", "claim = {a = 1}", "why = 3", "experiment = [2]"])
def test_texts_of_a_prediction_that_are_none_are_named(line, tmp_path):
    (tmp_path / "p.toml").write_text(f'[[prediction]]\nlaw = "a ~ h"\n{line}\n')
    with pytest.raises(InputError) as caught:
        read_predictions(tmp_path / "p.toml")
    assert caught.value.field.endswith(line.partition(" ")[0])


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("experiment = 3", "experiment"),
        ("experiment = {a = 1}", "experiment"),
        ("margin = 1" + "0" * 400, "margin"),
        ("width = [1, 1" + "0" * 400 + "]", "width"),
    ],
    ids=["a number", "a table", "a margin of 400 digits", "a width of 400 digits"],
)
def test_values_of_a_prediction_that_it_can_not_have_are_named(line, field, tmp_path):
    (tmp_path / "p.toml").write_text(f'[[prediction]]\nlaw = "kernel_change ~ A^2"\n{line}\n')
    with pytest.raises(InputError) as caught:
        read_predictions(tmp_path / "p.toml")
    assert caught.value.field == f"prediction[0].{field}"


@pytest.mark.parametrize(
    "exponent", ["9" * 400, "-101", "1/0.00001", "0." + "9" * 5000], ids=["400", "-101", "1e5", "5000"]
)
def test_an_exponent_that_no_power_law_has_is_refused(exponent):
    with pytest.raises(InputError):
        prediction(f"kernel_change ~ A^{exponent}")


def test_a_model_without_a_column_in_its_formula_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("N,loss\n1,3\n2,2\n4,1.5\n8,1.2\n")
    with pytest.raises(InputError, match="no column of the table is in its formula"):
        assess_models(tmp_path / "t.csv", model("loss = E"))
