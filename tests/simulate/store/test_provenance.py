"""What a store says of where it was made."""

import os
import subprocess
from datetime import datetime, timedelta

import numpy
import torch

from simulate.data import load_data
from simulate.store import provenance


def test_the_origin_says_how_to_make_the_store_again(tiny):
    data = {e.name: load_data(e) for e in tiny.experiment}
    attributes = provenance.origin(tiny, data, "cpu")
    assert attributes["campaign"] == tiny.to_dict()
    assert attributes["digest"] == tiny.digest
    assert attributes["device"] == "cpu"
    assert {name: d["sha256"] for name, d in attributes["data"].items()} == {n: d.sha256 for n, d in data.items()}


def test_versions_are_those_that_are_imported():
    assert provenance.versions()["numpy"] == numpy.__version__
    assert provenance.versions()["torch"] == torch.__version__
    assert set(provenance.DECISIVE) <= set(provenance.versions())


def test_now_is_in_utc_and_to_the_second():
    moment = datetime.fromisoformat(provenance.now())
    assert moment.utcoffset() == timedelta(0)
    assert moment.microsecond == 0


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    assert provenance.usable_cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert provenance.usable_cores() == 1


def test_outside_of_a_checkout_there_is_no_commit(monkeypatch):
    def no_git(*arguments, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", no_git)
    provenance.commit.cache_clear()
    assert provenance.commit() is None
    provenance.commit.cache_clear()


def test_asking_git_leaves_no_lock_in_the_checkout(monkeypatch):
    """``git status`` refreshes the index under a lock, which stays where the run is cut off."""
    asked = []
    run = provenance.subprocess.run
    monkeypatch.setattr(
        provenance.subprocess, "run", lambda command, **options: asked.append(command) or run(command, **options)
    )
    provenance.commit.cache_clear()
    provenance.commit()
    assert asked
    assert all("--no-optional-locks" in command for command in asked)
