"""Data sets: balanced, centred, on the sphere, the same everywhere; or one clear sentence."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from simulate import Experiment, load_data
from theory import InputError

ROOT = os.environ.get("LAZYRICH_DATA")
needs_images = pytest.mark.skipif(ROOT is None, reason="LAZYRICH_DATA does not name a folder with image data")


def experiment(**changes):
    fields = {
        "name": "test",
        "dataset": "digits",
        "n_train": 100,
        "n_test": 200,
        "depth": 1,
        "activation": "relu",
        "widths": (8,),
        "root_h_alpha": (1.0,),
        "seeds": 1,
    }
    return Experiment(**(fields | changes))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("LAZYRICH_DATA", raising=False)


def check(data, n_train=100, n_test=200):
    assert len(data.x_train) == len(data.y_train) == n_train
    assert len(data.x_test) == len(data.y_test) == n_test
    d = data.x_train.shape[1]
    for x in (data.x_train, data.x_test):
        assert x.dtype == np.float64
        np.testing.assert_allclose((x**2).sum(axis=1), d, rtol=1e-10)
    assert set(np.unique(data.y_train)) == {-1.0, 1.0}
    assert len(data.sha256) == 64
    assert data.description


def test_digits_are_balanced_in_both_parts():
    data = load_data(experiment())
    check(data)
    assert data.y_train.sum() == data.y_test.sum() == 0
    # the fingerprint of the chosen raw data: the same on every machine, for ever
    assert data.sha256.startswith(load_data(experiment()).sha256)
    assert not {x.tobytes() for x in data.x_train} & {x.tobytes() for x in data.x_test}


def test_another_data_seed_draws_other_points():
    assert load_data(experiment(data_seed=1)).sha256 != load_data(experiment()).sha256


def test_principal_components_replace_the_pixels():
    data = load_data(experiment(pca=10))
    check(data)
    assert data.x_train.shape[1] == 10
    assert data.sha256 == load_data(experiment()).sha256  # the same raw points


def test_the_sphere_has_its_planted_rule():
    data = load_data(experiment(dataset="sphere"))
    check(data)
    np.testing.assert_array_equal(np.sign(data.x_train[:, 0]), data.y_train)


@needs_images
@pytest.mark.parametrize(("dataset", "d"), [("mnist", 784), ("fashion_mnist", 784), ("emnist_letters", 784)])
def test_image_sets_are_read_from_the_data_root(dataset, d):
    data = load_data(experiment(dataset=dataset), ROOT)
    check(data)
    assert data.x_train.shape[1] == d


@needs_images
def test_part_data_sets_say_so():
    for dataset in ("emnist_letters", "cifar10"):
        if (Path(ROOT) / "cifar10").exists() or dataset != "cifar10":
            assert "a part, not comparable" in load_data(experiment(dataset=dataset), ROOT).description


def test_an_npz_file_is_a_data_set(tmp_path):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(400, 3, 2)), generator.integers(0, 4, 400)
    np.savez(tmp_path / "mine.npz", x_train=x[:300], y_train=y[:300], x_test=x[300:], y_test=y[300:])
    data = load_data(experiment(dataset=str(tmp_path / "mine.npz")))
    check(data)
    assert data.x_train.shape[1] == 6
    signs = np.where(y % 2 == 0, 1, -1)
    np.savez(tmp_path / "signs.npz", x_train=x[:300], y_train=signs[:300], x_test=x[300:], y_test=signs[300:])
    check(load_data(experiment(dataset=str(tmp_path / "signs.npz"))))


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"dataset": "nosuch"}, "dataset", "no such data set"),
        ({"dataset": "mnist"}, "data_root", "none was given"),
        ({"dataset": "cifar10"}, "data_root", "none was given"),
        ({"n_train": 1700}, "n_train", "has 1797 points"),
        ({"pca": 65}, "pca", "64 components"),
        ({"dataset": "none.npz"}, "dataset", "no such file"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_one_sentence(changes, field, problem):
    with pytest.raises(InputError, match=problem) as caught:
        load_data(experiment(**changes))
    assert caught.value.field == field


def test_missing_image_files_say_where_they_were_looked_for(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match="can't be read there") as caught:
            load_data(experiment(dataset="mnist"), tmp_path)
    assert caught.value.value == str(tmp_path)
    assert "--download" in caught.value.remedy


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"x_train": np.ones((4, 2))}, "has no array y_train"),
        ({"x_train": np.full((4, 2), np.nan)}, "finite"),
        ({"y_train": np.ones(3)}, r"y_train \(n,\)"),
        ({"x_test": np.ones((4, 3))}, "different shapes"),
        ({"y_train": np.ones(4), "y_test": np.ones(4)}, "labels are the same"),
        ({"x_train": np.array([["a", "b"]] * 4)}, "finite numbers"),
        ({"x_train": np.array([[None, 1]] * 4, dtype=object)}, "can't be read"),
    ],
)
def test_bad_npz_files_are_refused(tmp_path, arrays, problem):
    sound = {
        "x_train": np.eye(4, 2),
        "y_train": np.array([0, 1, 0, 1]),
        "x_test": np.eye(4, 2),
        "y_test": np.array([0, 1, 0, 1]),
    }
    content = arrays if problem.startswith("has no") else sound | arrays
    np.savez(tmp_path / "bad.npz", **content)
    with pytest.raises(InputError, match=problem):
        load_data(experiment(dataset=str(tmp_path / "bad.npz"), n_train=2, n_test=2))


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"not an archive")
    with pytest.raises(InputError, match="can't be read"):
        load_data(experiment(dataset=str(tmp_path / "bad.npz")))
