"""Tables as people write them are read as they were meant, and what was guessed is said."""

import gzip
import os

import numpy as np
import pytest

from fit.measurements import datasets, dialects
from fit.measurements.dialects import is_table
from fit.measurements.reading import measurements
from lazyrich.errors import InputError

ROWS = [(32, 0.01, 0, 1.5), (32, 0.01, 1, 2.5), (64, 0.01, 0, 3.5), (64, 0.01, 1, 4.5)]


def text(separator=",", decimal=".", head=("width", "root_h_alpha", "seed", "kernel_change")):
    lines = [separator.join(head), "# a comment"]
    lines += [separator.join(str(value).replace(".", decimal) for value in row) for row in ROWS]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", text().encode(), ()),
        ("a.CSV", text().encode(), ()),
        ("a.tsv", text("\t").encode(), ("separated by tabs",)),
        ("a.txt", text("  ").encode(), ("separated by spaces",)),
        ("a.csv", text(";", ",").encode(), ("separated by semicolons", "decimal sign is a comma")),
        ("a.csv.gz", gzip.compress(text().encode()), ()),
        ("a.csv", text().encode("utf-16"), ("UTF-16",)),
        ("a.csv", b"\xef\xbb\xbf" + text().encode(), ()),
        ("a.csv", text(head=("h", "A", "seed", "kernel_change")).encode(), ("width ('h'), root_h_alpha ('A')",)),
        ("a.csv", text(head=("Width ", " Root H Alpha", "SEED", "kernel_change")).encode(), ("width ('Width ')",)),
    ],
    ids=[
        "commas",
        "upper case",
        "tabs",
        "spaces",
        "semicolons",
        "gzip",
        "UTF-16",
        "byte order mark",
        "symbols",
        "odd headings",
    ],
)
def test_a_dialect_is_read_and_told(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    (one,) = measurements(tmp_path / name)
    np.testing.assert_array_equal(one.network("kernel_change").values.ravel(), [1.5, 2.5, 3.5, 4.5])
    assert one.name == "a"
    assert len(one.guesses) == len(said)
    for guess, expected in zip(one.guesses, said, strict=True):
        assert expected in guess


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "nothing in it"),
        (b"# only this\n", "nothing in it"),
        (b"width,seed\n", "no rows"),
        (b"width,seed\n1,2,3\n", "more values than the first line has names"),
        (b"\xff\x00\xfa", "is not text in UTF-8 or UTF-16"),
        (b"width,Width ,seed\n1,2,3\n", "'Width ', 'width' have the same name"),
        (b"width,seed,width\n1,2,3\n", "two columns are called 'width'"),
        (b'width;"a;b";seed;"a;b" \n1;2;3;4\n', "two columns are called 'a;b'"),
        (text().encode("utf-32"), "is not text in UTF-8 or UTF-16"),
        (text().encode("utf-16-le"), "is not text in UTF-8 or UTF-16"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, said):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=said):
        measurements(tmp_path / "a.csv")


def test_half_an_archive_is_refused(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text().encode())[:-12])
    with pytest.raises(InputError, match="can't be unpacked"):
        measurements(tmp_path / "a.csv.gz")


def test_other_files_are_no_tables(tmp_path):
    assert not is_table(tmp_path / "a.nc")
    assert not is_table(tmp_path / "a.nc.gz")


def test_what_has_no_end_is_not_read_to_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zeros.csv").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.nc")
    for name in ("pipe.csv", "zeros.csv", "pipe.nc"):
        with pytest.raises(InputError, match="it is no file"):
            measurements(tmp_path / name)


def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path, monkeypatch):
    """A thousandth of its size on disk; the limit is lowered, as is the archive."""
    monkeypatch.setattr(dialects, "_LARGEST", 2**20)
    monkeypatch.setattr(datasets, "_LARGEST", 2**20)
    for name in ("bomb.csv.gz", "bomb.nc.gz"):
        (tmp_path / name).write_bytes(gzip.compress(bytes(2**21)))
        assert (tmp_path / name).stat().st_size < 2**12
    with pytest.raises(InputError, match="it has more than 1 MiB of text"):
        measurements(tmp_path / "bomb.csv.gz")
    with pytest.raises(InputError, match="it unpacks to more than"):
        measurements(tmp_path / "bomb.nc.gz")


HEAD, ROW = "width,root_h_alpha,seed,kernel_change\n", "64,0.1,0,1\n"
LARGE_TABLES = {
    "a line of commas": ("a.csv", "width," * 100_000, "more than 20,000 columns"),
    "a line of spaces": ("a.txt", "width " * 100_000, "more than 20,000 columns"),
    "a packed line": ("a.csv.gz", "width," * 100_000, "more than 20,000 columns"),
    "a row": ("a.csv", HEAD + "64," * 100_000, "more than 20,000 columns"),
    "lines of one column": ("a.csv", "width\n" + "64\n" * 20_000, "more than 10,000 lines"),
    "a value": ("a.csv", HEAD + "64,0.1,0," + "x" * 1_000_000, "kernel_change, row 1 .* is not a number"),
    "a name": ("a.csv", "x" * 1_000_000 + "\n1\n", "its columns are xxx"),
    "an open quotation": ("a.csv", HEAD + '64,0.1,0,"' + ROW * 9_000, "EOF inside string"),
    "an open quotation in the first line": ("a.csv", '"' + HEAD + ROW * 9_000, "EOF inside string"),
}


@pytest.mark.parametrize(("name", "content", "problem"), LARGE_TABLES.values(), ids=LARGE_TABLES)
def test_tables_without_measure_are_refused_in_a_short_sentence(tmp_path, monkeypatch, name, content, problem):
    monkeypatch.setattr(dialects, "_MOST_LINES", 10_000)
    data = content.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with pytest.raises(InputError, match=problem) as refusal:
        measurements(tmp_path / name)
    assert len(str(refusal.value)) < 5000
    assert "\n" not in str(refusal.value)


def test_too_many_columns_are_refused_before_they_are_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(dialects.pd, "read_csv", lambda *arguments, **options: pytest.fail("it was parsed"))
    (tmp_path / "a.csv").write_text("width," * 20_001)
    with pytest.raises(InputError, match="more than 20,000 columns"):
        measurements(tmp_path / "a.csv")
