"""Short versions of benchmarks/reliability; the long ones are commands."""

import json

import pytest

from benchmarks.reliability import damage, kills, nonsense, stand_in, throughput


def test_kills_at_random_moments_lose_nothing_that_was_reported(tmp_path):
    """Three kills in a campaign of 20 tasks; the long version has 200."""
    found = kills.measure(tmp_path, tasks=20, kills=3, workers=2, seed=0)
    assert found["finished_tasks_lost"] == 0
    assert found["damaged_pieces_after_a_kill"] == 0
    assert found["pieces_that_differ"] == 0
    assert found["pieces_compared"] > 20


def test_kills_while_batches_hold_several_tasks_lose_nothing_that_was_reported(tmp_path):
    """Two kills in a campaign of three tasks, two of which a batch holds; the long version has 200 kills."""
    found = kills.measure(tmp_path, tasks=3, kills=2, workers=1, seed=0, together=2)
    assert found["kills"] > 0
    assert found["finished_tasks_lost"] == 0
    assert found["damaged_pieces_after_a_kill"] == 0
    assert found["numbers_that_differ"] == 0
    assert found["numbers_compared"] > 300


def test_the_command_counts_the_kills(monkeypatch, tmp_path, capsys):
    """With stand-in tasks by two workers unless it is told otherwise, and the counts kept beside it."""
    monkeypatch.setattr(stand_in, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["kills", "--tasks", "10", "--kills", "1"])
    kills.main()
    kept = json.loads((tmp_path / "kills.json").read_text())
    assert (kept["workers"], kept["finished_tasks_lost"]) == (2, 0)


def test_damage_at_random_positions_is_found_and_only_that_is_computed_again(tmp_path):
    """Twenty positions in a store of 10 tasks; the long version has 1,000."""
    found = damage.measure(tmp_path / "s.zarr", tasks=10, positions=20, seed=1)
    for never in (
        "not_found",
        "found_though_whole",
        "tasks_computed_though_whole",
        "tasks_harmed_and_not_computed",
        "pieces_that_differ_after_repair",
        "damaged_at_the_end",
    ):
        assert found[never] == 0, never
    assert found["positions_harmed"] == 20


def test_nonsense_is_refused_by_name_and_what_is_none_runs(tmp_path):
    """Forty campaign files and command lines; the long version has 10,000."""
    found = nonsense.measure(tmp_path, examples=40, processes=0, chosen=3)
    assert found["wrong"] == []
    assert found["number_wrong"] == 0
    assert found["in_process"]["examples"] == 40
    assert found["in_process"]["ran"] > 5
    assert found["in_process"]["refused by name"] > 5
    assert found["store_beside_them_unchanged"]


def test_a_command_that_fails_in_another_way_is_told():
    """The judge of the fuzzing is not blind."""
    assert nonsense.refused(0, "") == "ran"
    assert nonsense.refused(2, "error: seeds = 0: must be positive. Raise it") == "refused by name"
    assert nonsense.refused(0, "Traceback (most recent call last)") is None
    assert nonsense.refused(1, "error: x") is None
    assert nonsense.refused(2, "") is None
    assert nonsense.refused("raised", "Traceback: KeyError: 1") is None


def test_ten_empty_tasks_in_this_process_have_a_rate(tmp_path):
    found = throughput._store_alone(tmp_path, 10)
    assert found["tasks"] == 10
    assert found["tasks_per_second"] > 0


@pytest.mark.slow
def test_ten_empty_tasks_through_a_cluster_have_a_rate(tmp_path):
    found = throughput._empty(tmp_path, 10)
    assert found["tasks_per_second"] > 0
    assert found["bytes_per_task"] > 1000
