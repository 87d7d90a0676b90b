"""A file of the user's in the current folder that is called as a package of lazyrich: one sentence names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def python(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )  # fmt: skip


@pytest.mark.parametrize(
    ("module", "name"), [("fit.report", "simulate"), ("fit.report", "theory"), ("simulate", "theory")]
)
def test_a_command_names_what_hides_a_package(module, name, tmp_path):
    (tmp_path / f"{name}.py").write_text("print('mine')\n")
    done = python(tmp_path, "-m", module, "--version")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path / name}.py hides lazyrich's package {name}")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""  # the user's file is not run


@pytest.mark.parametrize("module", ["fit.report", "simulate", "theory"])
def test_a_file_called_lazyrich_is_named(module, tmp_path):
    (tmp_path / "lazyrich.py").write_text("")
    done = python(tmp_path, "-m", module, "--version")
    assert done.returncode != 0
    assert done.stderr == f"error: {tmp_path / 'lazyrich.py'} hides the package lazyrich. Rename it.\n"


def test_a_script_that_is_called_as_a_package_gets_an_import_error(tmp_path):
    (tmp_path / "theory.py").write_text("import fit\n")
    done = python(tmp_path, "theory.py")
    assert "ImportError" in done.stderr.splitlines()[-1]
    assert "theory.py hides lazyrich's package theory" in done.stderr.splitlines()[-1]


def test_what_is_not_needed_hides_nothing(tmp_path):
    """Neither a file that the command does not import, nor a folder of data."""
    (tmp_path / "fit.py").write_text("")
    (tmp_path / "theory").mkdir()
    done = python(tmp_path, "-m", "simulate", "--version")
    assert done.returncode == 0, done.stderr
