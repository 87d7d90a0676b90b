"""Which small changes of the code do the tests notice? A random sample of mutmut's mutants, and what came out.

    pip install mutmut                                       # not a dependency; its settings are in setup.cfg
    mutmut run "fit.estimators.levels*"                      # makes all mutants, then tries those of a module
    mutmut run $(python -m benchmarks.mutants --names)       # tries the sample
    python -m benchmarks.mutants                             # reads what came out, into benchmarks/results/mutants.json

Mutants are numbered by mutmut, 13,000 in the rooms where a wrong factor would be a wrong verdict. Each runs the tests
that reach its function, the fastest first, until one fails. A mutant that survives stands in the result with its
change, and with the reason that somebody gave; reasons are kept when the result is written again.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULT = Path(__file__).parent / "results" / "mutants.json"
COUNT, SEED = 320, 0
#: Exit codes of mutmut: of a mutant that a test failed on, that took too long, that crashed.
KILLED = (1, 3, 24, -24, 36, 152, 255, -9, -11)
SURVIVED = (0, 5, 33)  # the last two: no test reaches it


def outcomes(folder: Path) -> dict[str, int | None]:
    """Return the exit code of each mutant in mutmut's folder, None of those that were not tried."""
    codes: dict[str, int | None] = {}
    for path in folder.rglob("*.meta"):
        codes.update(json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"])
    return dict(sorted(codes.items()))


def sample(names: list[str], count: int = COUNT, seed: int = SEED) -> list[str]:
    """Return the mutants that are tried: the same ones whoever draws them."""
    return sorted(random.Random(seed).sample(sorted(names), min(count, len(names))))


def room(name: str) -> str:
    """Return the package of a mutant: ``fit.estimators`` of ``fit.estimators.levels.x_mean_over_levels__mutmut_3``."""
    return ".".join(name.split(".")[:2])


def result(codes: dict[str, int | None], reasons: dict[str, str], change: Any) -> dict[str, Any]:
    """Return what is kept: counts a room, and the survivors, ``change(name)`` being the difference that each makes."""
    tried = {name: code for name, code in codes.items() if code in KILLED + SURVIVED}
    killed = Counter(room(name) for name, code in tried.items() if code in KILLED)
    survivors = [name for name, code in tried.items() if code in SURVIVED]
    return {
        "schema_version": 1,
        "sample": len(codes),
        "tried": len(tried),
        "killed": sum(killed.values()),
        "rooms": {r: {"tried": n, "killed": killed[r]} for r, n in sorted(Counter(map(room, tried)).items())},
        "survivors": [{"name": n, "change": change(n), "reason": reasons.get(n, "")} for n in survivors],
    }


def _change(name: str) -> list[str]:
    shown = subprocess.run(["mutmut", "show", name], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def main() -> None:
    """Print the names of the sample, or read what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", action="store_true", help="print the sample's names for mutmut")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    codes = outcomes(ROOT / "mutants")
    names = sample(list(codes), options.count, options.seed)
    if options.names:
        print(*names, sep="\n")
        return
    known = json.loads(options.out.read_text(encoding="utf-8"))["survivors"] if options.out.exists() else []
    reasons = {one["name"]: one["reason"] for one in known}
    summary = result({name: codes[name] for name in names}, reasons, _change)
    options.out.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(f"{summary['killed']} of {summary['tried']} killed, {summary['sample'] - summary['tried']} not tried")
    for package, counts in summary["rooms"].items():
        print(f"  {package:20} {counts['killed']} of {counts['tried']}")
    for one in summary["survivors"]:
        print(one["name"], *one["change"], f"reason: {one['reason'] or 'none yet'}", sep="\n  ")


if __name__ == "__main__":
    main()
