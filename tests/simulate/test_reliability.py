"""Short versions of benchmarks/reliability; the long ones are commands."""

from benchmarks.reliability import damage, kills


def test_kills_at_random_moments_lose_nothing_that_was_reported(tmp_path):
    """Three kills in a campaign of 20 tasks; the long version has 200."""
    found = kills.measure(tmp_path, tasks=20, kills=3, workers=2, seed=0)
    assert found["finished_tasks_lost"] == 0
    assert found["damaged_pieces_after_a_kill"] == 0
    assert found["pieces_that_differ"] == 0
    assert found["pieces_compared"] > 20


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
