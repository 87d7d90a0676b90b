"""Whatever file lies in a package is imported; what lies in a package inside of it is not."""

import importlib
import sys

import pytest

from lazyrich.discovery import import_all


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "tests_discovery_package"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("registered = []\n")
    for name in ("first", "second"):
        (folder / f"{name}.py").write_text(
            f"from tests_discovery_package import registered\nregistered.append({name!r})\n"
        )
    (folder / "inner" / "__init__.py").write_text("")
    (folder / "inner" / "third.py").write_text("raise AssertionError\n")
    (folder / "notes.txt").write_text("not a module")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("tests_discovery_package")
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests_discovery_package"]:
        del sys.modules[name]


def test_each_module_of_a_package_registers_itself_once(package):
    import_all(package)
    import_all(package)
    assert sorted(package.registered) == ["first", "second"]
