"""Documents are read within bounds, and what is none is refused in a sentence that names it."""

import os

import pytest

from fit.user_predictions import read_predictions
from lazyrich.documents import read_text, read_toml
from lazyrich.errors import InputError
from simulate import Campaign


def test_a_document_is_read(tmp_path):
    (tmp_path / "d.toml").write_bytes(b"\xef\xbb\xbfa = 1\n")  # with the byte-order mark that some editors write
    assert read_toml("campaign", tmp_path / "d.toml") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a = ", "is not valid TOML"),
        (b"a = " + b"9" * 5000, "is not valid TOML"),
        (b"a = " + b"[" * 10_000, "is not valid TOML"),
        (b"\xff\xfe\x00", "is not a text file"),
        (b"# " + b"a" * 2**24, "is longer than 16 MiB"),
    ],
    ids=["half a line", "5000 digits", "10000 brackets", "binary", "17 MB"],
)
@pytest.mark.parametrize("read", [Campaign.from_toml, read_predictions], ids=["campaign", "predictions"])
def test_what_is_no_document_is_refused(content, problem, read, tmp_path):
    (tmp_path / "d.toml").write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        read(tmp_path / "d.toml")
    assert str(tmp_path / "d.toml") in str(caught.value)


@pytest.mark.parametrize("path", ["", "a\0b", "b" * 5000, "~/x.toml", "none.toml", "/", "/dev/zero"])
def test_what_is_no_file_is_refused_and_a_device_without_end_is_not_read_to_it(path):
    with pytest.raises(InputError):
        read_text("campaign", path)


def test_a_pipe_that_nobody_writes_into_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "p.toml")
    with pytest.raises(InputError, match="is a pipe or a device, not a file"):
        read_toml("campaign", tmp_path / "p.toml")
