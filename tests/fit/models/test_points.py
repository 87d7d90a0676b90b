import numpy as np
import pandas as pd
import pytest

from fit.models.points import read_any_table, select, with_derived
from lazyrich.errors import InputError


@pytest.fixture
def table():
    return pd.DataFrame({
        "N": [1.0, 2.0, 4.0, 8.0, 16.0],
        "loss": [5.0, 4.0, np.nan, -1.0, 2.0],
        "run": ["a", "a", "b", "b", "c"],
    })  # fmt: skip


def test_rows_that_do_not_count_are_counted_by_reason(table):
    points = select(table, "loss", ["N"], ["N > 1"])
    np.testing.assert_array_equal(points.columns["N"], [2.0, 16.0])
    assert points.left_out == {"not N > 1": 1, "loss is no finite number": 1, "loss is not positive": 1}
    assert points.n_rows == 5


def test_clusters_and_conditions_on_texts(table):
    points = select(table, "loss", ["N"], ["run != b"], cluster="run", positive=False)
    np.testing.assert_array_equal(points.cluster, [0, 0, 1])
    assert points.n_clusters == 2


def test_derived_columns_follow_one_another(table):
    derived = with_derived(table, {"C": "6*N", "D": "C/2"})
    np.testing.assert_allclose(derived["D"], 3 * table["N"])


def test_names_keep_their_case_and_a_colour_is_no_comment(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("# digitised\nx,color,N\n1.5,#faebdd,2e9\n2.5,#f4d57a,3e9\n")
    assert read_any_table(path)["N"].tolist() == [2e9, 3e9]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda t: select(t, "gain", ["N"]), "table"),
        (lambda t: select(t, "run", ["N"]), "table"),
        (lambda t: select(t, "loss", ["N"], ["loss below 3"]), "where"),
        (lambda t: select(t, "loss", ["N"], ["gain < 3"]), "where"),
        (lambda t: select(t, "loss", ["N"], ["N < many"]), "where"),
        (lambda t: select(t, "loss", ["N"], cluster="group"), "cluster"),
        (lambda t: with_derived(t, {"N": "2*loss"}), "columns.N"),
        (lambda t: with_derived(t, {"D": "2*gain"}), "columns.D"),
    ],
    ids=["response", "text", "no condition", "column", "bound", "cluster", "taken", "unknown"],
)
def test_what_is_missing_is_named(table, change, field):
    with pytest.raises(InputError) as caught:
        change(table)
    assert caught.value.field == field


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_any_table(tmp_path / "points.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_any_table(tmp_path)
