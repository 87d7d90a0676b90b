"""What the documentation shows is what happens: its pages are run, block by block, in an empty folder."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fit.audit.command
import fit.report.command
import simulate.command
import theory.__main__
from simulate.data.torchvision_compat import torchvision_datasets

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUN = ("tutorial", "activations", "audit", "examples/own-prediction", "examples/own-data", "examples/own-architecture",
       "examples/scaling-laws", "examples/audit-checkpoints", "examples/audit-gpt")  # fmt: skip
#: pages of which the blocks in Python stand alone: their other blocks install things, or need a cluster
PYTHON_ALONE = (ROOT / "README.md", DOCS / "architectures.md")
#: that take minutes
LONG = ("examples/audit-resnet",)
#: pages that are notebooks in text (MyST): run when the documentation is built, and here as scripts
NOTEBOOKS = ("notebook", "gallery")
#: pages whose Python needs what no test has
NEEDS_A_CLUSTER = (DOCS / "clusters.md",)
_BLOCK = re.compile(r"^```(sh|python|toml)\n(.*?)^```$", re.M | re.S)
_CELL = re.compile(r"^```\{code-cell\} ipython3\n(?::tags:[^\n]*\n\n)?(.*?)^```$", re.M | re.S)


#: the commands, in this process: importing torch for every line of every page would take minutes
COMMANDS = {
    "theory": theory.__main__.app,
    "simulate": simulate.command.app,
    "report": fit.report.command.app,
    "audit": fit.audit.command.app,
}


def run_line(line):
    program, *arguments = shlex.split(line)
    if program == "python":  # python -m fit.report
        module = arguments.pop(1)
        arguments[0] = module.removeprefix("fit.")
    else:
        assert program == "lazyrich", line
    done = CliRunner().invoke(COMMANDS[arguments[0]], arguments[1:])
    assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"


def run_script(text, name):
    """As a reader does: saved as a file and run by a fresh Python, without a main guard."""
    Path(name).write_text(text, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, name], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr


@pytest.fixture
def modules_of_its_own(tmp_path, monkeypatch):
    """Let a page import the files that it writes, and forget them afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", [*RUN, *(pytest.param(page, marks=pytest.mark.slow) for page in LONG)])
def test_a_page_does_what_it_says(page, tmp_path, monkeypatch, modules_of_its_own):
    """Commands and blocks of Python in this process, in their order; names of earlier blocks are known to later ones.

    A fresh Python would import torch for each of them. That scripts of the documentation run in one, in processes and
    without a main guard, is tested on the pages of `PYTHON_ALONE`.
    """
    monkeypatch.chdir(tmp_path)
    torchvision_datasets()  # where its binary part does not fit the torch that is installed
    for table in (DOCS / page).parent.glob("*.csv"):  # which the page links to
        shutil.copy(table, tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})  # one worker: this process
    monkeypatch.setattr("simulate.networks.registry._registered", {})  # what a page registers ends with it
    blocks = _BLOCK.findall((DOCS / f"{page}.md").read_text(encoding="utf-8"))
    assert blocks
    names: dict[str, object] = {"__name__": "__main__"}
    for number, (kind, text) in enumerate(blocks):
        if kind == "sh":
            for line in text.splitlines():
                run_line(line)
            continue
        file = re.match(r"# (\S+\.(?:py|toml))\n", text)  # a file of the reader's
        assert file or kind == "python", f"a TOML block of {page} says its file name in its first line"
        if file:
            Path(file.group(1)).write_text(text, encoding="utf-8")
        if kind == "python":
            exec(compile(text, f"{page}.md, block {number}", "exec"), names)


@pytest.mark.parametrize("page", PYTHON_ALONE, ids=lambda page: page.stem)
def test_python_of_a_page_is_a_script(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = [text for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if kind == "python"]
    assert texts
    run_script("\n".join(texts), "page.py")


@pytest.mark.slow  # the documentation's build runs the same cells, and looks for their figures
@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_notebook_is_a_script(page, tmp_path, monkeypatch):
    """Twenty seconds each."""
    monkeypatch.chdir(tmp_path)
    cells = _CELL.findall((DOCS / f"{page}.md").read_text(encoding="utf-8"))
    assert len(cells) > 5
    run_script("\n".join(cells), "notebook.py")


def test_every_block_of_python_is_run():
    """Or, where it needs a cluster, is Python at least."""
    run = {*PYTHON_ALONE, *NEEDS_A_CLUSTER, *(DOCS / f"{page}.md" for page in (*RUN, *LONG))}
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        blocks = [text for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if kind == "python"]
        assert not blocks or page in run, page
        for text in blocks:
            compile(text, str(page), "exec")


def test_every_page_is_reached_from_the_index():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in (p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md")):
        if page != "index" and "_build" not in page:
            # in a tree of contents once: a page listed twice stands twice in the sidebar
            assert len(re.findall(rf"^{re.escape(page)}$", index, re.M)) == 1, page


def test_relative_links_lead_to_files():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_the_reference_has_every_exported_name():
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    for package in (theory, simulate, fit):
        for name in package.__all__:
            assert re.search(rf":: {package.__name__}\.{name}$", page, re.M), f"{package.__name__}.{name}"


def test_the_documentation_builds_without_a_warning(tmp_path):
    for package in ("sphinx", "myst_nb", "furo"):
        if importlib.util.find_spec(package) is None:
            pytest.skip("pip install -e '.[docs]'")
    # in a process of its own: what its extensions do with deprecated interfaces is no warning about our pages
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", DOCS, tmp_path / "html"],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    html = tmp_path / "html"
    assert "<math" in (html / "theory.html").read_text(encoding="utf-8")
    assert (html / "sample" / "report.html").stat().st_size > 100_000
    for page, figures in (("notebook", 3), ("gallery", 8)):
        assert (html / f"{page}.html").read_text(encoding="utf-8").count("<img") >= figures, page
