"""Data sets: balanced, centred, on the sphere, the same everywhere; or one clear sentence."""

import hashlib
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from simulate import Campaign, Experiment, load_data
from simulate.data.synthetic import RULES
from simulate.data.torchvision_compat import torchvision_datasets
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
    assert not {x.tobytes() for x in data.x_train} & {x.tobytes() for x in data.x_test}


def test_another_data_seed_draws_other_points():
    assert load_data(experiment(data_seed=1)).sha256 != load_data(experiment()).sha256


def by_hand():
    """The preprocessing of the published code, written out: pooled, mean of all removed, scaled to ||x||² = d."""
    x, classes = load_digits(return_X_y=True)
    x = x - x.mean(axis=0)
    return x * 8 / np.linalg.norm(x, axis=1, keepdims=True), classes


def test_the_mean_is_that_of_all_points_and_the_label_the_parity_of_the_class():
    x, classes = by_hand()
    data = load_data(experiment())
    index = [np.flatnonzero(np.isclose(x, point, atol=1e-9).all(axis=1))[0] for point in data.x_train]
    assert len(set(index)) == 100
    np.testing.assert_array_equal(data.y_train, np.where(classes[index] % 2 == 0, 1, -1))
    # one of each class in turn, in train as in test
    np.testing.assert_array_equal(np.sort(classes[index].reshape(10, 10), axis=1), np.tile(np.arange(10), (10, 1)))


@pytest.mark.parametrize("whiten", [True, False])
def test_principal_components_are_those_of_all_points_on_the_sphere(whiten):
    data = load_data(experiment(pca=10, pca_whiten=whiten))
    check(data)
    assert data.x_train.shape[1] == 10
    assert data.sha256 == load_data(experiment()).sha256  # the same raw points
    x, _ = by_hand()
    x -= x.mean(axis=0)
    variances, axes = np.linalg.eigh(x.T @ x / len(x))
    kept = load_data(experiment()).x_train - by_hand()[0].mean(axis=0)
    projected = kept @ axes[:, :-11:-1] / (np.sqrt(variances[:-11:-1]) if whiten else 1)
    projected *= np.sqrt(10) / np.linalg.norm(projected, axis=1, keepdims=True)
    # inner products do not see the arbitrary signs of axes
    np.testing.assert_allclose(data.x_train @ data.x_train.T, projected @ projected.T, atol=1e-9)


#: SHA-256 of the chosen raw points and classes (n_train = 100, n_test = 200, data_seed = 0): the same on every machine.
#: Those of EMNIST and CIFAR-10 are of the parts with 39,200 + 20,800 letters and 8,152 + 1,017 images.
FINGERPRINTS = {
    "digits": "64dc1627f3a921cd272bdde377a8a4283e76e9aa5f7568e8fd8d977d5d999f5b",
    "sphere": "804414ae3cd0f57482e6616255f296798edc74e3f64a75f0cb5c0628199d0b62",
    "one_direction": "a44aa8e1059ab555f0321273e6a4e2ea3beb6b349d16113262a06c024cb47f49",
    "stripes": "fc6b8407a2f9600cd7efbbdc50df0e8abf8de6aef7a866daa7c9aaa271d350ad",
    "mnist": "533f8a5fe330d6b9ec0a1cbc403835d8a7cc0eda6703e616c34b8773e7989740",
    "fashion_mnist": "ef3a835037387616846c4e56000a1d5e41a0c78c1383731c0d51bdda790b55ab",
    "emnist_letters": "06e9ee038147ec86ef7ae4be11aec1be91aa49a3f24353a4b0253a36d08df108",
    "cifar10": "f3fb29957770f92136d30688e2205ad65508207bcc6a99de801db34d5f2ada33",
}
PARTS = {"emnist_letters": "39,200 + 20,800 images of 124,800", "cifar10": "8,152 + 1,017 images of 50,000"}


@pytest.mark.parametrize("dataset", ["digits", *RULES])
def test_the_same_points_on_every_machine(dataset):
    # normal variates and square roots may differ in the last digit between processors: six decimals are compared
    data = load_data(experiment(dataset=dataset))
    assert fingerprint(data) == FINGERPRINTS[dataset]


def fingerprint(data):
    if data.name not in RULES:
        return data.sha256
    return hashlib.sha256(np.concatenate([data.x_train, data.x_test]).round(6).tobytes()).hexdigest()


@needs_images
@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist", "emnist_letters", "cifar10"])
def test_the_same_images_on_every_machine(dataset):
    data = load_data(experiment(dataset=dataset), ROOT)
    if dataset in PARTS and PARTS[dataset] not in data.description:
        pytest.skip(f"the fingerprint is of a part: {PARTS[dataset]}")
    assert data.sha256 == FINGERPRINTS[dataset]


@pytest.mark.parametrize("dataset", RULES)
@pytest.mark.parametrize("dimension", [2, 10])
def test_synthetic_labels_are_a_rule_of_one_direction(dataset, dimension):
    data = load_data(experiment(dataset=dataset, dimension=dimension, data_seed=3))
    check(data)
    assert data.x_train.shape[1] == dimension
    assert data.y_train.sum() == data.y_test.sum() == 0
    np.testing.assert_array_equal(RULES[dataset].positive(data.x_train[:, 0]), data.y_train > 0)
    # the other directions carry nothing: labels are uncorrelated with them within 5 standard errors
    assert np.abs(data.y_test @ data.x_test[:, 1:] / np.sqrt(200)).max() < 5


def test_the_rules_cut_where_they_say():
    first = np.array([-2.4, -1.6, -1.4, -0.6, -0.31, -0.29, 0.4, 1.18, 1.19, 1.6])
    assert RULES["sphere"].positive(first).tolist() == [False] * 6 + [True] * 4
    assert RULES["one_direction"].positive(first).tolist() == [False] * 5 + [True] * 3 + [False] * 2
    assert RULES["stripes"].positive(first).tolist() == [True] + [False] * 2 + [True] * 4 + [False] * 3


@pytest.mark.parametrize("dataset", RULES)
def test_more_test_points_leave_the_training_points_as_they_are(dataset):
    few, many = (load_data(experiment(dataset=dataset, n_test=n)) for n in (10, 300))
    np.testing.assert_array_equal(few.x_train, many.x_train)


@pytest.mark.parametrize(
    ("changes", "field"), [({"dimension": 5}, "dimension"), ({"dataset": "stripes", "pca": 3}, "pca")]
)
def test_fields_that_a_data_set_has_no_use_for_are_refused(changes, field):
    with pytest.raises(InputError) as caught:
        Campaign.from_dict({"name": "t", "experiment": [experiment().model_dump(exclude_none=True) | changes]})
    assert caught.value.field == f"experiment[0].{field}"


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
