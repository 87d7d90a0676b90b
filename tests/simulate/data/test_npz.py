"""An npz file of one's own is a data set, or one clear sentence, before more is read than is needed."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest
from data_requests import check, experiment

from simulate import load_data
from theory import InputError


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


def saved(path, y, y_test=None):
    """Forty points, y their labels."""
    x = np.arange(160.0).reshape(40, 4) % 7 + np.eye(40, 4)
    y = np.asarray(y)
    np.savez(path, x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:] if y_test is None else y_test)
    return experiment(dataset=str(path), n_train=20, n_test=10)


ROWS = np.arange(40)


@pytest.mark.parametrize(
    ("y", "sha256"),
    [
        (np.where(ROWS % 3 == 0, 1, -1), "2e5dc122956f911f"),
        (np.where(ROWS % 3 == 0, 1.0, -1.0), "2e5dc122956f911f"),
        (ROWS % 4, "c046fa8285ef69ca"),
        ((ROWS % 4).astype(float), "c046fa8285ef69ca"),
        (ROWS % 3 == 0, "086b345354eb10d5"),
    ],
)
def test_files_of_signs_and_of_classes_from_zero_on_are_those_of_stored_campaigns(tmp_path, y, sha256):
    """Checksums of the points and classes as the first version numbered them."""
    assert load_data(saved(tmp_path / "mine.npz", y)).sha256.startswith(sha256)


def test_labels_are_the_parity_of_classes_that_are_drawn_as_often_as_one_another(tmp_path):
    classes = np.array([3, 5, 8])[ROWS % 3]
    data = load_data(saved(tmp_path / "mine.npz", classes))
    assert (data.y_train > 0).sum() in (6, 7)  # one class of three, in twenty points
    assert "labels the parity of 3 classes" in data.description


def test_both_parts_are_looked_at_for_what_labels_are(tmp_path):
    with pytest.raises(InputError, match="below zero only -1"):
        load_data(saved(tmp_path / "mine.npz", np.where(ROWS % 2, 1, -1), y_test=[0, 1] * 5))
    with pytest.raises(InputError, match="neither ±1"):
        load_data(saved(tmp_path / "mine.npz", ROWS % 2, y_test=[0.5] * 10))


@pytest.mark.parametrize(
    ("y", "problem"), [([[0, 1]] * 40, "argmax"), ([np.nan] * 40, "finite"), ([0.3, 1.8] * 20, "Threshold them")]
)
def test_labels_that_are_none_are_refused_with_a_remedy(tmp_path, y, problem):
    with pytest.raises(InputError, match=problem):
        load_data(saved(tmp_path / "mine.npz", y))


def test_a_capital_suffix_is_the_same(tmp_path):
    saved(tmp_path / "mine.npz", ROWS % 2)
    os.rename(tmp_path / "mine.npz", tmp_path / "MINE.NPZ")
    check(load_data(experiment(dataset=str(tmp_path / "MINE.NPZ"), n_train=20, n_test=10)), 20, 10)


def refused(path, problem):
    with pytest.raises(InputError, match=problem) as caught:
        load_data(experiment(dataset=str(path), n_train=2, n_test=2))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    refused(tmp_path / "pipe.npz", "is not a file")
    (tmp_path / "folder.npz").mkdir()
    refused(tmp_path / "folder.npz", "is not a file")
    (tmp_path / "zero.npz").symlink_to("/dev/zero")
    refused(tmp_path / "zero.npz", "is not a file")
    (tmp_path / "dangling.npz").symlink_to(tmp_path / "nowhere")
    refused(tmp_path / "dangling.npz", "no such file")
    refused("a" * 5000 + ".npz", "can't be read")
    refused("nul\0.npz", "can't be read")


def header(shape, dtype="<f8"):
    """The header of an array as numpy writes it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def archive(path, **contents):
    """Four sound arrays, but for those whose bytes are given."""
    sound = {"x_train": np.eye(4, 2), "y_train": np.arange(4) % 2, "x_test": np.eye(4, 2), "y_test": np.arange(4) % 2}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in sound.items():
            with file.open(f"{name}.npy", "w") as member:
                if name in contents:
                    for part in contents[name]:
                        member.write(part)
                else:
                    np.lib.format.write_array(member, array)
    return path


def test_absurd_shapes_are_not_believed(tmp_path):
    for shape in [(10**12, 10**12), (10**30,), (4, 2, 2), (0, 2), (-4, -2)]:
        refused(archive(tmp_path / "shape.npz", x_train=[header(shape), bytes(64)]), r"has shape .* and 64 bytes|can't")
    refused(archive(tmp_path / "none.npz", x_train=[header((4, 0))], x_test=[header((4, 0))]), "it has no points")
    both = {f"{axis}_{part}": [header((0, 2) if axis == "x" else (0,))] for axis in "xy" for part in ("train", "test")}
    refused(archive(tmp_path / "empty.npz", **both), "it has no points")
    refused(archive(tmp_path / "dtype.npz", x_train=[header((4,), "<U9")]), "has shape")
    refused(archive(tmp_path / "text.npz", x_train=[b"no header"]), "can't be read")


def test_an_archive_of_terabytes_is_refused_by_its_table_of_contents(tmp_path):
    """The declared size is patched: unpacking nine gigabytes of zeros for a test would take a minute."""
    path = archive(tmp_path / "bomb.npz", x_train=[header((4, 2)), bytes(64)])
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(signature)
        content[start + offset : start + offset + 4] = struct.pack("<I", 2**32 - 2)
    path.write_bytes(content)
    refused(path, "has shape|GiB are read|can't be read")


@pytest.mark.parametrize("megabytes", [64])
def test_zeros_that_pack_well_are_refused_unread(tmp_path, megabytes, monkeypatch):
    monkeypatch.setattr("simulate.data.npz._LARGEST", 2**25)
    size = megabytes * 2**20
    blocks = [header((size // 16, 2)), *[bytes(2**20)] * megabytes]
    path = archive(tmp_path / "bomb.npz", x_train=blocks)
    assert path.stat().st_size < size / 100
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("an array was read"))
    refused(path, "arrays take 0.1 GiB, and at most 0 GiB are read")


def test_ten_thousand_arrays_are_refused_and_a_few_more_than_four_are_not(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(4, 2)), np.arange(4) % 2
    sound = {"x_train": x, "y_train": y, "x_test": x**2, "y_test": y}
    np.savez(tmp_path / "many.npz", **sound, **{f"a{i}": np.zeros(1) for i in range(10_000)})
    refused(tmp_path / "many.npz", "holds 10,004 arrays")
    np.savez(tmp_path / "few.npz", **sound, names=np.array(["a", "b"]))
    check(load_data(experiment(dataset=str(tmp_path / "few.npz"), n_train=4, n_test=4)), 4, 4)


def test_a_packed_or_cut_archive_is_refused(tmp_path):
    saved(tmp_path / "whole.npz", ROWS % 2)
    content = (tmp_path / "whole.npz").read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        (tmp_path / "cut.npz").write_bytes(content[: int(share * len(content))])
        refused(tmp_path / "cut.npz", "can't be read")
    flipped = bytearray(content)
    flipped[200] ^= 0xFF  # in the first array: its checksum tells
    (tmp_path / "flipped.npz").write_bytes(flipped)
    refused(tmp_path / "flipped.npz", "can't be read")
    (tmp_path / "array.npz").write_bytes(content[:0])
    refused(tmp_path / "array.npz", "can't be read")
    np.save(tmp_path / "array.npy", np.eye(3))
    os.rename(tmp_path / "array.npy", tmp_path / "array.npz")
    refused(tmp_path / "array.npz", "arrays with names are needed")


def test_a_harmed_file_is_read_or_refused_in_one_sentence(tmp_path):
    """Bytes of a sound archive changed, cut and added at random: its checksums, or what it declares, tell."""
    saved(tmp_path / "whole.npz", ROWS % 2)
    content, generator = (tmp_path / "whole.npz").read_bytes(), np.random.default_rng(0)
    refusals, path = [], tmp_path / "harmed.npz"
    request = experiment(dataset=str(path), n_train=20, n_test=10)
    for _ in range(300):
        harmed, place = bytearray(content), int(generator.integers(len(content)))
        kind = generator.integers(3)
        if kind == 0:
            harmed[place] ^= int(generator.integers(1, 256))
        elif kind == 1:
            del harmed[place : place + int(generator.integers(1, 100))]
        else:
            harmed[place:place] = generator.bytes(5)
        path.write_bytes(harmed)
        try:
            data = load_data(request)
        except InputError as error:
            refusals.append(str(error))
        else:  # a time of day, say, or an attribute of the archive
            check(data, 20, 10)
    assert len(refusals) > 200
    assert not any("\n" in sentence for sentence in refusals)
