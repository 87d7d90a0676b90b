"""A clone holds every source, which nobody misses who has the working tree, and takes a minute at most to fetch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = (".py", ".j2", ".toml", ".csv")
LARGEST_TREE = 12_000_000  # bytes
PACKAGES = ("lazyrich", "theory", "simulate", "fit", "reports", "benchmarks", "tests", "docs")


pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None, reason="this is no git checkout"
)


def test_no_source_is_ignored_by_git():
    ignored = _files("--others", "--ignored", "--exclude-standard", "--", *PACKAGES)
    assert [name for name in ignored if name.endswith(SOURCES)] == []


def test_the_tree_is_light():
    """Kept measurements are most of it: they hold what their verdicts need (`benchmarks.reference.small`)."""
    sizes = {name: path.stat().st_size for name in _files("--cached") if (path := ROOT / name).is_file()}
    heaviest = sorted(sizes, key=lambda name: -sizes[name])[:10]
    assert sum(sizes.values()) <= LARGEST_TREE, heaviest


def _files(*options: str) -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z", *options], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")
