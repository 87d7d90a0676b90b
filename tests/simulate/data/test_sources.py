"""Data sets are found by name."""

import os

import pytest

from simulate.data.sources import read_pool, shape_of, sources
from theory import InputError


def test_a_file_in_the_folder_of_sets_is_a_data_set():
    assert {"digits", "mnist", "fashion_mnist", "emnist_letters", "cifar10"} <= set(sources())
    assert shape_of("digits") == (8, 8, 1)
    assert shape_of("cifar10") == (32, 32, 3)
    assert shape_of("mine.npz") is None


def test_the_shape_that_is_said_is_that_of_the_points():
    pool = read_pool("digits", None, False)
    assert (*pool.x.shape[1:], 1) == shape_of("digits")
    assert pool.x.shape == (1797, 8, 8)
    assert set(pool.classes) == set(range(10))


@pytest.mark.parametrize("name", ["nosuch", "", "DIGITS", "digits.csv", "\0"])
def test_unknown_names_are_refused_with_those_that_are_known(name):
    with pytest.raises(InputError, match="no such data set") as caught:
        read_pool(name, None, False)
    assert "digits" in caught.value.remedy
    assert "npz" in caught.value.remedy


@pytest.mark.parametrize("dataset", ["mnist", "emnist_letters", "cifar10"])
@pytest.mark.parametrize("root", ["a" * 5000, "a" * 300, "nul\0", "nowhere", "file", "pipe", "/dev/zero", "\ud800"])
@pytest.mark.parametrize("download", [False, True])
def test_a_data_root_that_is_no_folder_is_refused(tmp_path, monkeypatch, dataset, root, download):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    if download and root == "nowhere":
        return  # it would be made, and filled
    with pytest.raises(InputError, match=r"no such folder|no folder can be made") as caught:
        read_pool(dataset, root, download)
    assert caught.value.field == "data_root"
    assert caught.value.value == root
