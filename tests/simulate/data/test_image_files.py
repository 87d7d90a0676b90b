"""Image sets are read from files in torchvision's layout, plain or packed; what is broken is said by its name."""

import gzip
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from data_requests import check, experiment

from simulate import load_data
from simulate.data.torchvision_compat import torchvision_datasets
from theory import InputError

ROOT = os.environ.get("LAZYRICH_DATA")
needs_images = pytest.mark.skipif(ROOT is None, reason="LAZYRICH_DATA does not name a folder with image data")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("LAZYRICH_DATA", raising=False)


@needs_images
@pytest.mark.parametrize(("dataset", "d"), [("mnist", 784), ("fashion_mnist", 784), ("emnist_letters", 784)])
def test_image_sets_are_read_from_the_data_root(dataset, d):
    data = load_data(experiment(dataset=dataset), ROOT)
    check(data)
    assert data.x_train.shape[1] == d


@needs_images
@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist", "emnist_letters", "cifar10"])
def test_part_data_sets_say_so(dataset):
    found = load_data(experiment(dataset=dataset), ROOT).description
    assert found.endswith(("(complete)", "a part, not comparable with results on the whole set"))
    if dataset in ("mnist", "fashion_mnist"):
        assert "60,000 + 10,000 images" in found


def write_idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def write_mnist(root, n=400):
    """Image files in MNIST's format and places, of random pixels."""
    generator = np.random.default_rng(0)
    for part in ("train", "t10k"):
        images, labels = generator.integers(0, 256, (n, 28, 28)), np.arange(n) % 10
        write_idx(root / "MNIST" / "raw" / f"{part}-images-idx3-ubyte", images)
        write_idx(root / "MNIST" / "raw" / f"{part}-labels-idx1-ubyte", labels)
    return root / "MNIST" / "raw"


def test_a_part_of_an_image_set_is_recognised_by_its_count(tmp_path):
    write_mnist(tmp_path)
    data = load_data(experiment(dataset="mnist"), tmp_path)
    check(data)
    assert "MNIST: 400 + 400 images of 60,000 + 10,000: a part" in data.description


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda whole: whole[:1000], "is cut short: 1,000 of 313,616 bytes"),
        (lambda whole: whole[:9], "is cut short: its header ends after 9 bytes"),
        (lambda whole: b"", "is not an IDX file"),
        (lambda whole: b"<html>not found</html>", "is not an IDX file"),
        (lambda whole: whole + b"\0", "is longer than its header says"),
    ],
)
def test_a_file_that_is_not_whole_is_said_by_its_name(tmp_path, harm, problem):
    path = write_mnist(tmp_path) / "train-images-idx3-ubyte"
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(InputError, match=problem) as caught:
        load_data(experiment(dataset="mnist"), tmp_path)
    assert caught.value.value == str(path)
    assert "--download" in caught.value.remedy
    assert path.exists()  # nothing is removed unless it may be fetched again


def test_labels_that_do_not_match_the_images_are_refused(tmp_path):
    write_idx(write_mnist(tmp_path) / "train-labels-idx1-ubyte", np.arange(399) % 10)
    with pytest.raises(InputError, match="400 images and 399 labels"):
        load_data(experiment(dataset="mnist"), tmp_path)


def test_download_fetches_again_what_is_cut_short(tmp_path, monkeypatch):
    raw = write_mnist(tmp_path)
    whole = {path.name: path.read_bytes() for path in raw.iterdir()}
    short = raw / "train-images-idx3-ubyte"
    short.write_bytes(whole[short.name][:1000])
    fetched = []

    def fetch(url, download_root, filename, md5):
        name = filename.removesuffix(".gz")
        fetched.append((name, Path(download_root, name).exists()))
        Path(download_root, name).write_bytes(whole[name])

    monkeypatch.setattr(torchvision_datasets().mnist, "download_and_extract_archive", fetch)
    check(load_data(experiment(dataset="mnist"), tmp_path, download=True))
    assert (short.name, False) in fetched  # the broken file was out of the way, or torchvision would have kept it
    fetched.clear()
    load_data(experiment(dataset="mnist"), tmp_path, download=True)
    assert not fetched  # whole files are not fetched again


def test_missing_image_files_say_where_they_were_looked_for(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match="can't be read there") as caught:
            load_data(experiment(dataset="mnist"), tmp_path)
    assert caught.value.value == str(tmp_path)
    assert "--download" in caught.value.remedy


def pack(path):
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


@pytest.mark.parametrize("packed", ["train-images-idx3-ubyte", "*"])
def test_files_as_they_are_published_need_not_be_unpacked(tmp_path, packed):
    raw = write_mnist(tmp_path)
    plain = load_data(experiment(dataset="mnist"), tmp_path)
    for path in sorted(raw.glob(packed)):
        pack(path)
    data = load_data(experiment(dataset="mnist"), tmp_path)
    check(data)
    assert data.sha256 == plain.sha256
    assert data.description == plain.description
    assert not list(raw.glob("*ubyte")) or packed != "*"  # nothing is written beside them


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda content: content[:2000], "is not a whole gzip file"),
        (lambda content: b"not packed", "is not a whole gzip file"),
        (lambda content: b"", "is not an IDX file"),
        (lambda content: gzip.compress(gzip.decompress(content)[:1000]), "is cut short: 1,000 of 313,616 bytes"),
        (lambda content: gzip.compress(gzip.decompress(content) + b"0" * 10**7), "is longer than its header says"),
    ],
)
def test_a_packed_file_that_is_not_whole_is_said_by_its_name(tmp_path, harm, problem):
    path = write_mnist(tmp_path) / "train-images-idx3-ubyte"
    pack(path)
    path = path.with_name(path.name + ".gz")
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(InputError, match=problem) as caught:
        load_data(experiment(dataset="mnist"), tmp_path)
    assert caught.value.value == str(path)


def test_a_pipe_in_a_files_place_is_not_waited_for(tmp_path):
    path = write_mnist(tmp_path) / "train-images-idx3-ubyte"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="can't be read there"):
        load_data(experiment(dataset="mnist"), tmp_path)


def test_labels_in_the_place_of_images_are_refused(tmp_path):
    raw = write_mnist(tmp_path)
    (raw / "train-images-idx3-ubyte").write_bytes((raw / "train-labels-idx1-ubyte").read_bytes())
    with pytest.raises(InputError, match="holds an array of 1 dimensions, not 3"):
        load_data(experiment(dataset="mnist"), tmp_path)
