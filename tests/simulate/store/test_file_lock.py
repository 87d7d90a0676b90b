"""One process holds a folder, by the system's lock or by a file that only one can create."""

import json

import pytest

from simulate.store import file_lock
from simulate.store.file_lock import LOCK_KEY, HeldElsewhereError, break_file_lock, describe_holder, holder


@pytest.fixture(params=["the system's", "a file's"])
def kind(request, monkeypatch):
    if request.param == "a file's":
        monkeypatch.setattr(file_lock, "fcntl", None)
    return request.param


def test_a_second_holder_is_refused_at_once_and_the_next_one_is_not(kind, tmp_path):
    with file_lock.file_lock(tmp_path), pytest.raises(HeldElsewhereError), file_lock.file_lock(tmp_path):
        pass
    with file_lock.file_lock(tmp_path):
        pass


def test_a_lock_file_that_a_killed_process_has_left_can_be_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(file_lock, "fcntl", None)
    (tmp_path / LOCK_KEY).parent.mkdir()
    (tmp_path / LOCK_KEY).write_bytes(holder())
    with pytest.raises(HeldElsewhereError, match="lazyrich simulate unlock"), file_lock.file_lock(tmp_path):
        pass
    assert break_file_lock(tmp_path)
    assert not break_file_lock(tmp_path)
    with file_lock.file_lock(tmp_path):
        pass


def test_a_lock_says_who_holds_it():
    held = json.loads(holder())
    assert describe_holder(holder()).startswith(f"process {held['process']} on {held['host']}, since ")
    assert describe_holder(b"\x00") == "holder unknown"
