"""What a report rests on: pending networks are said first, and nothing is claimed of endings that are not recorded."""

import pytest
from synthetic_campaign import experiment

from fit.measurements.reading import measurements
from fit.report.data_state import headline, state_of
from simulate.training.status import Status


def states(data):
    return [state_of(one) for one in measurements(data)]


def test_pending_networks_are_counted_apart_from_those_left_out():
    data = experiment(widths=(32, 64), seeds=10)
    status = data["status"].values
    status[...] = Status.PENDING
    status.reshape(-1)[:7] = Status.CONVERGED
    status.reshape(-1)[7:9] = Status.MAX_STEPS
    (state,) = states(data)
    assert (state.trained, state.pending) == (7, status.size - 9)
    assert state.left_out == {"not fitted after the allowed steps": 2}
    told = headline([state])
    assert f"{status.size - 9:,} of them are still pending: everything below is based on the other 9" in told
    assert "2 not fitted" in told


def test_a_complete_run_says_so():
    assert "Every one of them met its stopping criterion" in headline(states(experiment(seeds=5)))


def test_networks_that_are_used_with_unfitted_points_are_counted():
    data = experiment(widths=(32, 64), seeds=5)
    assert "unfitted" not in headline(states(data))
    share = data["kernel_change"] * 0.0
    share.values.reshape(-1)[:3] = 0.02
    data["status"].values.reshape(-1)[0] = Status.MAX_STEPS  # it has too many for the campaign: left out, not used
    told = headline(states(data.assign(unfitted=share)))
    assert "2 networks with some training points short of their margin at the end are used" in told


def test_a_table_without_a_status_claims_no_ending():
    (state,) = states(experiment(seeds=5).drop_vars("status"))
    assert not state.recorded
    assert "criterion" not in headline([state])
    assert "does not say how training ended" in headline([state])


def test_what_is_blank_in_a_table_is_counted():
    data = experiment(seeds=5).drop_vars("status")
    assert "every network in it is used." in headline(states(data))
    blank = data["kernel_change"].where((data["seed"] != 0) | (data["width"] != 32))
    told = headline(states(data.assign(kernel_change=blank)))
    # 17 amplitudes of one seed at one width
    assert "every network in it is used, but for blanks: 17 in kernel_change." in told


@pytest.mark.parametrize(("count", "text"), [(1, "1 experiment"), (2, "2 experiments")])
def test_experiments_are_counted(count, text):
    (state,) = states(experiment(seeds=5))
    assert text in headline([state] * count)


def test_what_was_guessed_of_a_table_is_said(tmp_path):
    (tmp_path / "theirs.csv").write_text("Width;root_h_alpha;seed;kernel_change\n32;0,01;0;1,5\n32;0,01;1;2,5\n")
    told = headline([state_of(one) for one in measurements(tmp_path / "theirs.csv")])
    assert "Inferred from theirs.csv: columns are separated by semicolons; the decimal sign is a comma" in told
