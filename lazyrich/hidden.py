"""Files of the user's that hide a package of lazyrich: Python looks for ``simulate`` in the current folder first."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from lazyrich import exit_codes

_ROOT = Path(__file__).resolve().parent.parent


def refuse_hidden(*packages: str) -> None:
    """End with a sentence if one of ``packages``, as it would be imported, does not lie beside this one.

    Raises
    ------
    ImportError
        In a script, a notebook or a test.
    SystemExit
        In a command (``python -m``), with exit code 2 and the sentence on stderr.
    """
    for name in packages:
        spec = sys.modules[name].__spec__ if name in sys.modules else find_spec(name)
        path = None if spec is None else _elsewhere(spec)
        if path is None:
            continue
        sentence = (
            f"{path} hides lazyrich's package {name}: Python looks beside a script, and in the current folder, first. "
            "Rename it, or use the command lazyrich, which does not look there (lazyrich theory|simulate|report|audit)."
        )
        if not _is_command():
            raise ImportError(sentence)
        print(f"error: {sentence}", file=sys.stderr)
        raise SystemExit(exit_codes.INPUT)


def _elsewhere(spec: ModuleSpec) -> Path | None:
    """Return what a package is loaded from if that does not lie beside this one; None if it does."""
    if spec.origin is None or not spec.has_location:  # a folder without __init__.py hides no package
        return None
    path = Path(spec.origin).resolve()
    return None if path.parent.parent == _ROOT and path.name == "__init__.py" else path


def _is_command() -> bool:
    """Whether Python was asked to run a module of ours, ``python -m``."""
    main = getattr(sys.modules.get("__main__"), "__spec__", None)
    of_ours = main is not None and main.name.partition(".")[0] in ("theory", "simulate", "fit")
    return of_ours or sys.argv[:1] == ["-m"]  # what stands there until the module to run has been found
