"""Zarr's settings are of the types that it needs, or are named."""

import pytest
import zarr

from lazyrich.errors import InputError
from simulate.store.opening import open_tree
from simulate.store.zarr_settings import check_zarr_settings


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("async.concurrency", "nonsense", "ZARR_ASYNC__CONCURRENCY"),
        ("async.concurrency", 0, "ZARR_ASYNC__CONCURRENCY"),
        ("json_indent", True, "ZARR_JSON_INDENT"),
        ("array.write_empty_chunks", "perhaps", "ZARR_ARRAY__WRITE_EMPTY_CHUNKS"),
    ],
)
def test_a_setting_of_another_type_is_named_by_its_variable(name, value, field, tmp_path):
    with zarr.config.set({name: value}), pytest.raises(InputError) as caught:
        open_tree(tmp_path)
    assert caught.value.field == field


def test_settings_that_zarr_can_use_are_taken():
    check_zarr_settings()
    with zarr.config.set({"async.concurrency": 3, "threading.max_workers": 2, "default_zarr_format": 2}):
        check_zarr_settings()
