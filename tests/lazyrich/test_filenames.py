"""What a user wrote becomes a file name in one way, and is never a path."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazyrich.errors import InputError
from lazyrich.filenames import check_output_folder, check_path, file_name, file_names, real_path


@given(st.text())
def test_any_text_is_a_name_that_file_systems_take(text):
    name = file_name(text)
    assert 0 < len(os.fsencode(name)) <= 255
    assert not set(name) & set('/\\\0:*?"<>|\n ')
    assert name[0] not in ".-"
    assert file_name(name) == name


@given(st.lists(st.text(max_size=4), max_size=20), st.integers(10, 60))
def test_names_are_one_to_one_also_where_case_does_not_count(texts, longest):
    names = file_names(texts, longest=longest)
    assert set(names) == set(texts)
    assert len({name.casefold() for name in names.values()}) == len(names)
    assert all(len(name) <= longest for name in names.values())


@pytest.mark.parametrize("path", ["", " ", "a\0b", "a" * 5000, "x/" + "b" * 300, "~", "~/reports"])
def test_what_can_not_be_a_path_is_refused(path):
    with pytest.raises(InputError) as caught:
        check_path("out", path)
    assert caught.value.field == "out"


@pytest.mark.parametrize("path", [".", "a b", "größe/[/red]", "a" * 255, "C~1"])
def test_what_can_be_a_path_is_taken_as_it_is(path):
    assert str(check_path("out", path)) == path


def test_nothing_is_written_into_a_store_not_through_links_either(tmp_path):
    (tmp_path / "s.zarr" / "e").mkdir(parents=True)
    (tmp_path / "s.zarr" / ".lazyrich").mkdir()
    (tmp_path / "s.zarr" / ".lazyrich" / "root.json").touch()
    (tmp_path / "link").symlink_to(tmp_path / "s.zarr" / "e")
    for path in ("s.zarr", "s.zarr/e/new", "link", "link/new"):
        with pytest.raises(InputError, match=r"inside of the store .*s\.zarr\. Give a path beside the store"):
            check_output_folder("out", tmp_path / path)
    assert check_output_folder("out", tmp_path / "s") == tmp_path / "s"


def test_a_circle_of_links_is_no_accident(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for path in ("a", "a/below"):
        assert check_output_folder("out", tmp_path / path) == tmp_path / path  # whoever makes the folder is refused
    assert real_path(tmp_path / "a") == real_path(tmp_path) / "a"


def test_a_report_goes_into_a_folder(tmp_path):
    (tmp_path / "file").touch()
    for path in ("/", "s3://bucket/x", "https:/x", tmp_path / "file", f"{tmp_path}/file/below"):
        with pytest.raises(InputError):
            check_output_folder("out", path)
    assert check_output_folder("out", tmp_path / "new") == tmp_path / "new"
