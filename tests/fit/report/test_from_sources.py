"""What a report on stores and tables is called, and where it goes."""

from pathlib import Path

import pytest

from fit.report.from_sources import MOST_NAMED_SOURCES, naming_damage, title_and_folder


def test_a_source_gives_its_name_and_a_reports_own_store_that_of_its_folder():
    assert title_and_folder([Path("a/run.zarr")], None) == ("run", Path("reports/run"))
    assert title_and_folder([Path("a/quick/store.zarr")], None) == ("quick", Path("reports/quick"))
    assert title_and_folder([Path("store.zarr")], None) == ("store", Path("reports/store"))


def test_a_folder_above_is_called_by_its_name_and_is_not_written_into(tmp_path, monkeypatch):
    """``report ../store.zarr`` wrote to ``reports/..``, which is the working folder."""
    (tmp_path / "mine" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "mine" / "below")
    assert title_and_folder([Path("../store.zarr")], None) == ("mine", Path("reports/mine"))
    assert title_and_folder([Path("..")], None) == ("mine", Path("reports/mine"))
    assert title_and_folder([Path(".")], None) == ("below", Path("reports/below"))
    assert title_and_folder([Path("/")], None) == ("unnamed", Path("reports/unnamed"))


def test_several_sources_are_named_together_and_many_by_the_first():
    some = [Path(f"{letter}.csv") for letter in "abcdefgh"[:MOST_NAMED_SOURCES]]
    assert title_and_folder(some, None) == ("a, b, c, d", Path("reports/a+b+c+d"))
    assert title_and_folder([*some, Path("e.csv")], None) == ("a+4", Path("reports/a+4"))
    assert title_and_folder([*some, Path("e.csv")], Path("mine")) == ("mine", Path("mine"))


def test_an_error_that_is_no_damage_stays_itself(tmp_path):
    with pytest.raises(ZeroDivisionError), naming_damage(str(tmp_path / "table.csv")):
        raise ZeroDivisionError
