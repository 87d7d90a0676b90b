"""What the documentation shows is what happens: its pages are run, block by block, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUN = ("tutorial", "activations", "examples/own-prediction", "examples/own-data", "examples/own-architecture")
_BLOCK = re.compile(r"^```(sh|python|toml)\n(.*?)^```$", re.M | re.S)


@pytest.mark.parametrize("page", RUN)
def test_a_page_does_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    names: dict = {"__name__": "page"}
    blocks = _BLOCK.findall((DOCS / f"{page}.md").read_text(encoding="utf-8"))
    assert blocks
    for kind, text in blocks:
        if kind == "toml":
            name = re.match(r"# (\S+\.toml)\n", text)
            assert name, f"a TOML block of {page} says its file name in its first line"
            Path(name.group(1)).write_text(text, encoding="utf-8")
        elif kind == "sh":
            done = subprocess.run(["bash", "-ec", text], capture_output=True, text=True, env=environment, timeout=300)
            assert done.returncode == 0, f"{text}\n{done.stderr}"
        else:
            exec(compile(text, f"docs/{page}.md", "exec"), names)


def test_every_page_is_reached_from_the_index():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in (p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md")):
        if page != "index" and "_build" not in page:
            assert page in index or ("/" not in page and "\n*\n" in index), page


def test_relative_links_lead_to_files():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_the_documentation_builds_without_a_warning(tmp_path):
    sphinx = pytest.importorskip("sphinx.cmd.build", reason="pip install -e '.[docs]'")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    assert sphinx.main(["-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path / "html")]) == 0
    assert "<math" in (tmp_path / "html" / "theory.html").read_text(encoding="utf-8")
