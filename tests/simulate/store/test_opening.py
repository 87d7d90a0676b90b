"""Opening a hierarchy to read it, and what is said where that fails."""

import pytest
import zarr

from simulate.store import DamagedStoreError, naming_damage, open_tree


def test_a_store_opens_with_all_its_experiments(finished):
    assert set(open_tree(finished).children) == {"one", "two"}


def test_a_hierarchy_of_somebody_elses_opens_too(tmp_path):
    group = zarr.create_group(tmp_path / "other.zarr", zarr_format=3)
    group.create_array("x", shape=(2,), dtype="float64", dimension_names=("i",))
    assert open_tree(tmp_path / "other.zarr").to_dataset()["x"].shape == (2,)


def test_a_chunk_that_is_gone_is_named(store_path):
    (store_path / "one" / "kernel_change" / "c" / "0" / "0" / "0").unlink()
    with pytest.raises(DamagedStoreError, match=r"one/kernel_change/c/0/0/0 is missing"):
        open_tree(store_path)


def test_a_failure_in_a_whole_store_is_not_blamed_on_it(finished, tmp_path):
    for path in (finished, tmp_path):
        with pytest.raises(ZeroDivisionError), naming_damage(path):
            _ = 1 / 0


def test_a_failure_in_a_damaged_store_names_the_damage(store_path):
    (store_path / "two" / "zarr.json").write_bytes(b"{}")
    with pytest.raises(DamagedStoreError, match=r"two/zarr\.json is not as it was written"), naming_damage(store_path):
        _ = 1 / 0
