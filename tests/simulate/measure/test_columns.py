"""Columns that observers fill: unknown until something is put, in the types of the store."""

import numpy as np
import pytest
import torch

from simulate.measure.columns import Columns, unmeasured_column
from simulate.measure.variable import Variable

VARIABLES = {
    "number": Variable("a number"),
    "count": Variable("a count", dtype="int32"),
    "rows": Variable("a row a layer", ("layer",), "float32"),
}


def columns():
    return Columns(VARIABLES, 4, {"layer": 2}, "cpu")


def test_what_is_not_known_is_nan_or_zero():
    assert np.isnan(unmeasured_column(VARIABLES["rows"], 4, {"layer": 2})).all()
    assert unmeasured_column(VARIABLES["rows"], 4, {"layer": 2}).shape == (4, 2)
    assert unmeasured_column(VARIABLES["count"], 3, {}).tolist() == [0, 0, 0]


def test_members_and_layers_are_put_by_index_and_converted():
    filled = columns()
    filled.put("number", torch.tensor([2, 0]), torch.tensor([0.5, 1.5], dtype=torch.float32))
    filled.put("rows", (torch.tensor([1]), 1), torch.tensor([2.0], dtype=torch.float64))
    filled.put("count", ..., torch.arange(4))
    assert filled["number"].dtype == torch.float64
    np.testing.assert_equal(filled["number"].numpy(), [1.5, np.nan, 0.5, np.nan])
    np.testing.assert_equal(filled["rows"].numpy()[1], np.array([np.nan, 2.0], dtype="float32"))
    assert filled["count"].tolist() == [0, 1, 2, 3]


def test_only_columns_that_were_asked_for_are_handed_over():
    filled = columns()
    filled.put("count", 0, torch.tensor(7))
    assert {name: column.tolist() for name, column in filled.numpy().items()} == {"count": [7, 0, 0, 0]}


def test_a_variable_that_nobody_declared_is_a_mistake():
    with pytest.raises(KeyError):
        columns()["nosuch"]
