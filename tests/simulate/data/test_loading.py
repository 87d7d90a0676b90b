"""Data sets: balanced, centred, on the sphere, the same everywhere; or one clear sentence."""

import hashlib
import os

import numpy as np
import pytest
from data_requests import check, experiment
from sklearn.datasets import load_digits

from simulate import Campaign, load_data
from simulate.data.synthetic import RULES
from theory import InputError

ROOT = os.environ.get("LAZYRICH_DATA")
needs_images = pytest.mark.skipif(ROOT is None, reason="LAZYRICH_DATA does not name a folder with image data")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("LAZYRICH_DATA", raising=False)


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
    "cylinder": "ef1e7f6dc3dc13ef578b5b4dac69df55ed8617837ca963a409e7b7808ec32aad",
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


@pytest.mark.parametrize(
    ("changes", "field"), [({"dimension": 5}, "dimension"), ({"dataset": "stripes", "pca": 3}, "pca")]
)
def test_fields_that_a_data_set_has_no_use_for_are_refused(changes, field):
    with pytest.raises(InputError) as caught:
        Campaign.from_dict({"name": "t", "experiment": [experiment().model_dump(exclude_none=True) | changes]})
    assert caught.value.field == f"experiment[0].{field}"


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


def points_file(path, factor=1.0, dtype=np.float64):
    x = (np.random.default_rng(0).normal(size=(40, 5)) * factor).astype(dtype)
    y = np.arange(40) % 2
    np.savez(path, x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])
    return experiment(dataset=str(path), n_train=20, n_test=10)


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble, ">f8"])
def test_points_of_any_floating_type_are_read_as_float64(tmp_path, dtype):
    expected = load_data(points_file(tmp_path / "double.npz")).x_train
    x = load_data(points_file(tmp_path / "other.npz", dtype=dtype)).x_train
    assert x.dtype == np.float64
    np.testing.assert_allclose(x, expected, atol=1e-6)  # single precision has seven digits


@pytest.mark.parametrize("factor", [1e200, 1e-200])
def test_numbers_whose_squares_leave_float64_are_refused(tmp_path, factor):
    with pytest.raises(InputError, match="too large or too small") as caught:
        load_data(points_file(tmp_path / "points.npz", factor))
    assert "Divide x" in caught.value.remedy
    np.testing.assert_allclose(
        load_data(points_file(tmp_path / "sound.npz", 1e100)).x_train,
        load_data(points_file(tmp_path / "one.npz")).x_train,
    )


def test_a_point_at_the_mean_is_refused(tmp_path):
    x = np.concatenate([np.eye(2), -np.eye(2), np.zeros((1, 2))])
    np.savez(tmp_path / "mean.npz", x_train=x, y_train=[0, 1, 0, 1, 0], x_test=-x, y_test=[1, 0, 1, 0, 1])
    with pytest.raises(InputError, match="a point equals the mean"):
        load_data(experiment(dataset=str(tmp_path / "mean.npz"), n_train=5, n_test=5))


def test_as_many_classes_as_points_take_no_longer_than_their_sorting(tmp_path):
    """A pass over all points for each class would be 10^10 comparisons here: minutes."""
    x = np.random.default_rng(0).normal(size=(100_000, 1)).round(3) + 10.0
    y = np.random.default_rng(1).permutation(100_000)
    np.savez(tmp_path / "many.npz", x_train=x[:-10], y_train=y[:-10], x_test=x[-10:], y_test=y[-10:])
    data = load_data(experiment(dataset=str(tmp_path / "many.npz"), n_train=90_000, n_test=10_000))
    assert abs(data.y_train.sum() + data.y_test.sum()) == 0
