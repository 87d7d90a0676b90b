"""Tables of networks: what can't be used is counted by reason, what is ambiguous is split or refused."""

import numpy as np
import pandas as pd
import pytest

from fit import assess, prediction
from fit.measurements.measurements import SAME_AMPLITUDE
from fit.measurements.reading import measurements
from lazyrich.errors import InputError

LAW = prediction("loss_of_mine ~ A^(-1)", root_h_alpha=(1e-4, 1e-2))


def table(widths=(32, 64), amplitudes=(1e-4, 1e-3, 1e-2), seeds=6):
    rows = [(h, a, s, 2 / a * (1 + 0.01 * s)) for h in widths for a in amplitudes for s in range(seeds)]
    return pd.DataFrame(rows, columns=["width", "root_h_alpha", "seed", "loss_of_mine"])


def written(tmp_path, frame):
    frame.to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def test_values_without_a_logarithm_are_networks_left_out_by_reason(tmp_path):
    frame = table()
    for row, value in enumerate([np.nan, 0.0, -1.0, np.inf]):
        frame.loc[row, "loss_of_mine"] = value
    (verdict,) = assess(written(tmp_path, frame), [LAW])
    assert verdict.excluded == {
        "it has no value of loss_of_mine": 1, "its loss_of_mine is 0": 1, "its loss_of_mine is negative": 1,
        "its loss_of_mine is infinite": 1,
    }  # fmt: skip
    assert verdict.estimate == pytest.approx(-1, abs=1e-9)
    assert "11% of the networks in the window were left out" in verdict.reason  # 4 of 36


def test_rows_of_several_depths_are_experiments_of_their_own(tmp_path):
    both = pd.concat([table().assign(depth=depth) for depth in (1, 3)])
    experiments = measurements(written(tmp_path, both))
    assert {one.name: one.depth for one in experiments} == {"mine-depth_1": 1, "mine-depth_3": 3}


def test_rows_of_several_activations_under_one_name_are_refused(tmp_path):
    both = pd.concat([table().assign(activation=name) for name in ("relu", "tanh")]).assign(experiment="one")
    with pytest.raises(InputError, match=r"activation = \['relu', 'tanh'\]: experiment 'one' has rows of several"):
        measurements(written(tmp_path, both))


@pytest.mark.parametrize("empty", [np.nan, " "])
def test_a_row_without_its_experiment_is_refused(tmp_path, empty):
    frame = table().assign(experiment="one").astype({"experiment": object})
    frame.loc[2, "experiment"] = empty
    with pytest.raises(InputError, match=r"experiment, row 3.*names no experiment"):
        measurements(written(tmp_path, frame))


def test_statuses_are_words_or_numbers(tmp_path):
    frame = table().assign(status="converged")
    frame.loc[0, "status"] = "max_steps"
    (one,) = measurements(written(tmp_path, frame))
    assert (~one.converged).sum() == 1
    frame["status"] = np.where(frame["status"] == "converged", 1, 2)
    (numbered,) = measurements(written(tmp_path, frame))
    np.testing.assert_array_equal(one.status, numbered.status)


def test_a_quantity_that_nobody_knows_is_an_error_with_the_nearest_name(tmp_path):
    with pytest.raises(InputError, match=r"loss_of_min.*no such quantity. Did you mean loss_of_mine"):
        assess(written(tmp_path, table()), [prediction("loss_of_min ~ A^(-1)")])
    (verdict,) = assess(written(tmp_path, table()), [prediction("kernel_change ~ A^(-1)")])
    assert verdict.reason.startswith("Not measured")  # known, and not held


@pytest.mark.parametrize(("off", "used"), [(0.6 * SAME_AMPLITUDE, 3), (3 * SAME_AMPLITUDE, 2)])
def test_an_amplitude_at_the_windows_edge_counts_if_it_is_so_up_to_rounding(tmp_path, off, used):
    """alpha to three digits gives A = 0.010006 for 0.01."""
    frame = table(amplitudes=(1e-4, 1e-3, 1e-2 * (1 + off)))
    (verdict,) = assess(written(tmp_path, frame), [LAW])
    assert verdict.points["used"].sum() == 2 * used


def test_a_table_in_memory_is_read_as_the_file_of_it(tmp_path):
    frame = table().assign(depth=2, activation="tanh", status="converged")
    frame.loc[0, "status"] = "max_steps"
    (in_memory,), (read,) = assess(frame, [LAW]), assess(written(tmp_path, frame), [LAW])
    assert in_memory.estimate == read.estimate == pytest.approx(-1, abs=1e-9)
    assert in_memory.excluded == read.excluded != {}
    assert (measurements(frame)[0].depth, measurements(frame)[0].activation) == (2, "tanh")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.set_index(["width", "root_h_alpha", "seed"]),
        lambda t: t.convert_dtypes().assign(activation=pd.Categorical(["tanh"] * len(t))),
        lambda t: t.rename(columns={"root_h_alpha": "Root h alpha"}),
        lambda t: t.sample(frac=1, random_state=0),
    ],
)
def test_a_table_in_memory_may_have_an_index_and_types_of_pandas(change):
    frame = change(table())
    before = frame.copy()
    (verdict,) = assess(frame, [LAW])
    assert verdict.estimate == pytest.approx(-1, abs=1e-9)
    pd.testing.assert_frame_equal(frame, before)  # the caller's is left as it was


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda t: t.drop(columns="seed"), "its columns are"),
        (lambda t: t.iloc[:0], "it has no rows"),
        (lambda t: pd.concat([t, t]), "twice"),
        (lambda t: t.assign(WIDTH=1), "have the same name"),
        (lambda t: pd.concat([t, t[["width"]]], axis=1), "have the same name"),
    ],
)
def test_a_table_in_memory_is_refused_as_the_file_would_be(change, problem):
    with pytest.raises(InputError, match=problem):
        measurements(change(table()))


def test_a_missing_number_of_pandas_is_a_missing_number():
    frame = table().convert_dtypes()
    frame.loc[0, "loss_of_mine"] = pd.NA
    (verdict,) = assess(frame, [LAW])
    assert verdict.excluded == {"it has no value of loss_of_mine": 1}


def test_a_table_that_would_be_a_grid_of_holes_is_refused(tmp_path):
    """Each of 2,000 rows has a width, an amplitude and a seed of its own: a grid of 8 milliards."""
    rows = np.arange(1, 2001)
    frame = pd.DataFrame({"width": rows, "root_h_alpha": rows, "seed": rows, "loss_of_mine": 1.0})
    with pytest.raises(InputError, match="a grid of 8,000,000,000 networks"):
        measurements(written(tmp_path, frame))


def test_ten_thousand_columns_are_read_for_those_that_are_asked_for(tmp_path):
    frame = pd.concat([table(), pd.DataFrame(0.0, index=range(36), columns=[f"c{i}" for i in range(10_000)])], axis=1)
    (verdict,) = assess(written(tmp_path, frame), [LAW])
    assert verdict.estimate == pytest.approx(-1, abs=1e-9)
