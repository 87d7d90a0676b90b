"""A chunk holds a task's values of one variable, and bears its checksum."""

import numpy as np
import pytest

from simulate.store import Store
from simulate.store.chunk_codec import is_whole


@pytest.fixture(scope="module")
def codec_and_task(finished):
    store = Store.open(finished)
    task = next(task for task in store.tasks() if task.experiment == "one")
    return store.codecs["one"], task


def test_values_come_back(codec_and_task):
    codec, task = codec_and_task
    values = np.arange(2 * task.seed_count, dtype=float).reshape(1, 2, -1)
    chunk = codec.encode(task, "kernel_change", values)
    assert is_whole(chunk)
    np.testing.assert_array_equal(codec.decode(task, "kernel_change", chunk), values[0])


def test_one_changed_bit_is_seen(codec_and_task):
    codec, task = codec_and_task
    chunk = bytearray(codec.pending(task))
    chunk[3] ^= 1
    assert not is_whole(bytes(chunk))
    with pytest.raises(ValueError, match="the checksum does not match"):
        codec.decode(task, "status", bytes(chunk))


@pytest.mark.parametrize("chunk", [b"", b"abcd"])
def test_what_is_shorter_than_a_checksum_is_not_whole(chunk):
    assert not is_whole(chunk)


def test_a_chunk_of_another_variable_is_refused(codec_and_task):
    codec, task = codec_and_task
    with pytest.raises((ValueError, RuntimeError)):
        codec.decode(task, "kernel_change", codec.pending(task))


def test_the_status_is_the_last_of_the_variables_and_coordinates_are_none_of_them(codec_and_task):
    codec, _ = codec_and_task
    assert codec.variables[-1] == "status"
    assert not {"width", "seed", "test_label"} & set(codec.variables)
    assert codec.shape == (2, 2, 3)
