"""What a clone lacks is missed by nobody who has the working tree: modules that .gitignore hides."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = (".py", ".j2", ".toml", ".csv")
PACKAGES = ("lazyrich", "theory", "simulate", "fit", "reports", "benchmarks", "tests", "docs")


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="this is no git checkout")
def test_no_source_is_ignored_by_git():
    command = ["git", "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", *PACKAGES]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    assert [name for name in ignored if name.endswith(SOURCES)] == []
