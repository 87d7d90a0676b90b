"""A campaign of a second, run once, and copies of its store for the tests that harm it."""

import shutil

import pytest

from simulate import Campaign, run

TINY = {
    "dataset": "digits",
    "n_train": 20,
    "n_test": 30,
    "depth": 1,
    "activation": "softplus",
    "widths": [8, 16],
    "root_h_alpha": [0.1, 10.0],
    "seeds": 3,
    "tolerance": 0.05,
}


@pytest.fixture(scope="session")
def tiny():
    """Two experiments, four tasks, 24 networks."""
    return Campaign.from_dict(
        {
            "name": "tiny",
            "experiment": [{**TINY, "name": "one"}, {**TINY, "name": "two", "activation": "relu", "depth": 2}],
        }
    )


@pytest.fixture(scope="session")
def finished(tiny, tmp_path_factory):
    """The tiny campaign's store, finished: only to be read."""
    path = tmp_path_factory.mktemp("finished") / "store.zarr"
    run(tiny, path, workers=1)
    return path


@pytest.fixture
def store_path(finished, tmp_path):
    """A copy of the finished store, to be harmed."""
    return shutil.copytree(finished, tmp_path / "store.zarr")
