"""A library that fails while it is imported is named; a fault of ours is not taken for one."""

import json
import sys

import pytest
import typer
from typer.testing import CliRunner

from lazyrich.boundary import Command
from lazyrich.failed_imports import failed_import


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Write a library and let a function of this package import it; return the error."""
    monkeypatch.syspath_prepend(tmp_path)

    def failing(source, name="lib_of_others", ours="import {name}"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        scope = {"__name__": "simulate.mine"}
        exec(f"def imports():\n    {ours.format(name=name)}\n", scope)
        try:
            scope["imports"]()
        except Exception as error:
            return error
        return None

    return failing


def test_it_says_which_library_and_what_it_said(library):
    error = library("def check():\n    raise ValueError('\\n\\nINVALID LOGS\\nmore')\ncheck()")
    assert failed_import(error) == "lib_of_others can't be imported (INVALID LOGS)"


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        ("def f(): raise ValueError('x')", "import {name}; {name}.f()"),  # when it is called
        ("", "import {name}; 1 / 0"),  # of our own
        ("import nowhere_at_all", "import {name}"),  # one that is missing
    ],
)
def test_other_failures_are_none(library, source, ours):
    assert failed_import(library(source, ours=ours)) is None


def test_a_library_of_python_itself_fails_when_it_is_called():
    scope = {"__name__": "fit.mine", "json": json}
    exec("def reads(): json.loads('{')", scope)
    with pytest.raises(json.JSONDecodeError) as caught:
        scope["reads"]()
    assert failed_import(caught.value) is None


def test_a_command_ends_with_5_and_says_so(library):
    failure = library("raise UnicodeDecodeError('utf-8', b'\\x80', 0, 1, 'invalid start byte')")
    app = typer.Typer()

    @app.command(cls=Command)
    def main():
        raise failure

    result = CliRunner().invoke(app, [])
    assert result.exit_code == 5
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: lib_of_others can't be imported ('utf-8' codec can't decode")
    assert line.endswith("Mend its settings, in the environment or in its files, or its installation.")
