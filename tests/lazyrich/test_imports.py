"""Every module can be the first one that is imported: none depends on the order in which others were."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("lazyrich", "theory", "simulate", "fit", "reports")


def module_names(root, rooms):
    """Return the file of each module by its dotted name."""
    files = {}
    for file in (file for room in rooms for file in (root / room).rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return files


def imports(nodes, for_type_checking=False, in_functions=False):
    """Yield the import statements that run when a module is imported, or those under ``if TYPE_CHECKING``.

    With ``in_functions`` also those that run when one of its functions is called.
    """
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            if not for_type_checking:
                yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(node.orelse, for_type_checking, in_functions)
            if for_type_checking:
                yield from (n for n in node.body if isinstance(n, ast.ImportFrom))
        elif in_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imports(ast.iter_child_nodes(node), for_type_checking, in_functions)


def ancestors(module):
    parts = module.split(".")
    return {".".join(parts[:i]) for i in range(1, len(parts))}


def import_graph(root, rooms, in_functions=False):
    """Return, for each module, the modules that have to be complete before it can be.

    Before a module of another package runs, so do that package's ``__init__`` and those above it. A module's own
    packages run before it, but need not be complete unless it takes a name from them. A package that imports its
    names when they are asked for lists them under ``if TYPE_CHECKING``: who takes one needs the module behind it.
    """
    files = module_names(root, rooms)
    trees = {module: ast.parse(file.read_text(encoding="utf-8")).body for module, file in files.items()}
    deferred = {
        (module, name.asname or name.name): node.module
        for module, body in trees.items()
        if files[module].name == "__init__.py"
        for node in imports(body, for_type_checking=True)
        for name in node.names
    }
    graph = {}
    for module, body in trees.items():
        needed = set()
        for node in imports(body, in_functions=in_functions):
            if isinstance(node, ast.Import):
                needed |= {name.name for name in node.names}
                continue
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                needed |= {inner if inner in files else node.module}
                needed |= {deferred[node.module, name.name]} if (node.module, name.name) in deferred else set()
        ours = {name for name in needed if name in files}
        graph[module] = {a for name in ours for a in {name, *(ancestors(name) - ancestors(module))}} - {module}
    return graph


def test_imports_make_no_circle():
    graph = import_graph(ROOT, ROOMS)
    assert len(graph) > 300
    assert sum(map(len, graph.values())) > 1500
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the modules of a circle


def test_imports_in_functions_make_no_circle_either():
    """Two modules that need one another can only be read together, wherever the imports stand."""
    graph = import_graph(ROOT, ROOMS, in_functions=True)
    at_import = import_graph(ROOT, ROOMS)
    assert sum(map(len, graph.values())) > sum(map(len, at_import.values())) + 50
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": "from room.b import f", "b.py": "from room.a import f"},
        {"__init__.py": "from room.a import f", "a.py": "from room import g"},
        {"sub/__init__.py": "from room.a import f", "sub/b.py": "", "a.py": "from room.sub.b import f"},
        {"a.py": "from room.sub import f", "sub/__init__.py": "if TYPE_CHECKING:\n    from room.sub.b import f",
         "sub/b.py": "import room.a"},
    ],
)  # fmt: skip
def test_circles_are_seen(files, tmp_path):
    write_room(tmp_path, files)
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(import_graph(tmp_path, ["room"])).prepare()


def test_a_circle_through_a_function_is_seen(tmp_path):
    write_room(tmp_path, {"a.py": "from room.b import f", "b.py": "def f():\n    from room.a import g"})
    graphlib.TopologicalSorter(import_graph(tmp_path, ["room"])).prepare()
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(import_graph(tmp_path, ["room"], in_functions=True)).prepare()


def write_room(folder, files):
    for name, text in files.items():
        (folder / "room" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "room" / name).write_text(text)


# third-party modules stay loaded: importing them 300 times would take half an hour
EACH_FIRST = """
import importlib, pkgutil, sys
OWN = ("lazyrich", "theory", "simulate", "fit", "reports")
names = [m.name for p in OWN for m in pkgutil.walk_packages(importlib.import_module(p).__path__, p + ".")]
for name in names:
    if not name.endswith("__main__"):
        for loaded in [m for m in sys.modules if m.partition(".")[0] in OWN]:
            del sys.modules[loaded]
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(name, error)
print(len(names))
"""


@pytest.mark.slow
def test_every_module_can_be_imported_first():
    """What is imported by functions that run at import is not in the graph above, but here."""
    done = subprocess.run([sys.executable, "-c", EACH_FIRST], capture_output=True, text=True, check=True)
    *failed, count = done.stdout.splitlines()
    assert not failed
    assert int(count) > 300
