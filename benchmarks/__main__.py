"""All benchmarks by name.

python -m benchmarks                 what there is
python -m benchmarks NAME [options]  run one (the module benchmarks.NAME)
python -m benchmarks --tables        write docs/benchmarks.md from benchmarks/results/
"""

from __future__ import annotations

import importlib
import pkgutil
import runpy
import sys
from pathlib import Path

import benchmarks
from benchmarks.tables import page


def names() -> list[str]:
    """The modules that can be run."""
    names = []
    for module in pkgutil.iter_modules(benchmarks.__path__):
        source = Path(benchmarks.__path__[0], f"{module.name}.py")
        if source.is_file() and module.name != "__main__" and "\ndef main(" in source.read_text(encoding="utf-8"):
            names.append(module.name)
    return sorted(names)


def main() -> None:
    """Do what the arguments say."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        for name in names():
            first = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").strip().splitlines()[0]
            print(f"{name:14} {first}")
    elif arguments == ["--tables"]:
        target = Path(benchmarks.__path__[0]).parent / "docs" / "benchmarks.md"
        target.write_text(page(), encoding="utf-8")
        print(target)
    elif arguments[0] in names():
        sys.argv = [f"benchmarks.{arguments[0]}", *arguments[1:]]
        runpy.run_module(f"benchmarks.{arguments[0]}", run_name="__main__")
    else:
        sys.exit(f"error: benchmark = {arguments[0]!r}: there is none. Use one of {', '.join(names())}")


if __name__ == "__main__":
    main()
