"""What a user wrote is no pattern and no path: nothing is written outside of what a command was told to write."""

import ast
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.reliability import nonsense
from lazyrich.command_line import app

ROOT = Path(__file__).parents[2]
PACKAGES = ("lazyrich", "theory", "simulate", "fit", "reports")
NAMES = ("../../evil", "/tmp/a(b[")

MODULES = ("re", "fnmatch", "glob")  #: the first argument of their functions is a pattern
METHODS = ("glob", "rglob", "contains")  #: and that of these, of paths and of columns of tables


def patterns_that_are_no_constants(source):
    """Lines where a pattern is neither written there, nor a constant of the module, nor made of escaped texts."""
    if not any(word in source for word in (*(f"{module}." for module in MODULES), *(f".{name}(" for name in METHODS))):
        return []
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else None
        if node.func.attr == "escape" or (owner not in MODULES and node.func.attr not in METHODS):
            continue
        names = {part.id for part in ast.walk(node.args[0]) if isinstance(part, ast.Name)}
        if any(not name.isupper() for name in names) and "re.escape" not in ast.unparse(node.args[0]):
            lines.append(f"{node.lineno}: {ast.unparse(node)}")
    return lines


def test_no_pattern_is_made_of_a_text_that_is_not_in_the_source():
    found = {
        str(path.relative_to(ROOT)): lines
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (lines := patterns_that_are_no_constants(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    ["re.sub(name, '', text)", "re.compile(f'^{name}$')", "folder.glob(name + '*')", "column.str.contains(name)"],
)
def test_such_patterns_would_be_seen(line):
    assert patterns_that_are_no_constants(line) == [f"1: {line}"]
    assert patterns_that_are_no_constants("re.sub('a|b', '', x); folder.glob('*.py'); re.match(re.escape(x), y)") == []


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder in a folder in which commands run, with a table of experiments that are called like paths."""
    place = tmp_path / "one" / "two"
    place.mkdir(parents=True)
    head = "experiment,width,root_h_alpha,seed,kernel_change,activation,depth"
    rows = [f"{name},{h},{a},{s},{0.1 * a**-0.5 + s},relu,1"
            for name in NAMES for h in (64, 128) for a in (1e-3, 1e-2) for s in (0, 1)]  # fmt: skip
    (place / "t.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    campaign = {"name": "../../evil", "experiment": [nonsense._GOOD | {"widths": [3], "seeds": 1, "max_steps": 2}]}
    text = "".join(f"{key} = {nonsense.toml(value)}\n" for key, value in campaign.items())
    (place / "c.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(place)
    return place


def files(folder):
    """Every file and folder below one, with what is in it."""
    return {os.path.relpath(path, folder): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("lines", "below"),
    [
        (["report t.csv --out out --quiet"], "out"),
        (["simulate c.toml --out s.zarr --workers 1 --quiet", "simulate status s.zarr"], "s.zarr"),
    ],
)
def test_nothing_is_written_outside_of_what_was_named(lines, below, place, tmp_path):
    before = files(tmp_path)
    for line in lines:
        done = CliRunner().invoke(app(), line.split(), prog_name="lazyrich")
        assert done.exit_code in (0, 3), done.output
    after = files(tmp_path)
    assert {name: after.get(name) for name in before} == before
    written = set(after) - set(before)
    inside = os.path.join("one", "two", below)
    assert len(written) > 3
    assert {name for name in written if name != inside and not name.startswith(inside + os.sep)} == set()
