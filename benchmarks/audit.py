"""Audits of models whose answer is known: coordinate checks, planted bugs, coverage, time and memory.

    python -m benchmarks.audit [--repeats 1] [--only checks bugs depth regimes theory coverage cost] [--again]

writes benchmarks/results/audit.json, and every case as it ends to benchmarks/results/audit_cases.jsonl.gz: a run
that was interrupted goes on where it was, and ``--again`` starts anew. What the cases are says
`benchmarks.audit_cases`.
*theory*: expected powers against networks, `benchmarks.audit_theory`. *coverage*: made-up powers. *cost*: an audit of
ten million parameters, in a process of its own; beside other packages, `benchmarks.audit_peers`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.audit_cases import PARTS, Case
from benchmarks.audit_theory import summarise
from fit.audit.power_of_size import slope_over_draws

RESULTS = Path(__file__).parent / "results" / "audit.json"
CASES = RESULTS.with_name("audit_cases.jsonl.gz")


def read_cases(path: Path = CASES) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what is kept of finished cases, by part and name."""
    if not path.exists():
        return {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {(row["part"], row["case"]): row for row in rows}


def run_cases(cases: Sequence[Case], path: Path = CASES) -> list[dict[str, Any]]:
    """Run the cases that are not finished, and return what is kept of all of them."""
    finished = read_cases(path)
    rows = []
    for case in cases:
        if (case.part, case.name) not in finished:
            started = time.process_time()
            row = {"part": case.part, "case": case.name, **case.run()}
            row["processor_seconds"] = round(time.process_time() - started, 2)
            finished[case.part, case.name] = row
            with gzip.open(path, "at", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
        rows.append(finished[case.part, case.name])
    return rows


def judged(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Summarise verdicts whose answer is known: of layers, or of whole models."""
    verdicts = [row for case in rows for row in case.get("layers", [case])]
    outcomes = Counter(
        "right" if row["verdict"] == row["known"] else "undecided" if row["verdict"] == "not decided" else "wrong"
        for row in verdicts
    )
    both = [(row.get("power"), row.get("expected")) for row in verdicts]
    distances = [abs(power - expected) for power, expected in both if power is not None and expected is not None]
    return {
        "cases": len(rows),
        "verdicts": len(verdicts),
        **{name: outcomes[name] for name in ("right", "undecided", "wrong")},
        "right_share": outcomes["right"] / len(verdicts),
        "wrong_share": outcomes["wrong"] / len(verdicts),
        **({"median_distance_to_expected": float(np.median(distances))} if distances else {}),
    }


def bugs_found(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count bugs that were found (some module is accused), those whose layer was named, and healthy models accused."""
    healthy = [row for row in rows if row["bug"] == "healthy"]
    wrong = [row for row in rows if row["bug"] != "healthy"]
    return {
        "bugs": len(wrong),
        "found": sum(bool(row["accused"]) for row in wrong),
        "named": sum(any(module.startswith(row["layer"]) for module in row["accused"]) for row in wrong),
        "healthy": len(healthy),
        "accused": sum(bool(row["accused"]) for row in healthy),
        "called_stable": sum(row["verdict"] == "stable" for row in healthy),
    }


def coverage(cases: int = 4000) -> dict[str, Any]:
    """How often 95 % intervals of powers hold the truth, and the power to tell 0 from 1/2, over scatters."""
    rng = np.random.default_rng(0)
    log_h = np.log(np.repeat([64.0, 128.0, 256.0, 512.0], 8))
    result: dict[str, Any] = {}
    for noise in (0.05, 0.2, 0.5):
        estimates = [slope_over_draws(log_h, noise * rng.normal(size=len(log_h))) for _ in range(cases // 3)]
        intervals = np.array([e.interval(0.95) for e in estimates if e is not None])
        inner = np.array([e.interval(0.90) for e in estimates if e is not None])
        result[str(noise)] = {
            "cases": len(intervals),
            "covered": float(np.mean((intervals[:, 0] <= 0) & (intervals[:, 1] >= 0))),
            "half_width": float(np.mean(np.diff(intervals) / 2)),
            "stable": float(np.mean((inner[:, 0] > -0.2) & (inner[:, 1] < 0.2))),
            "half_power_excluded": float(np.mean(intervals[:, 0] + 0.5 > 0.2)),
        }
    return result


_COST = """
import json, resource, time, torch, lazyrich
from torch import nn
def make():
    sizes = (784, 1800, 1800, 1800, 1140, 10)
    layers = [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])
torch.manual_seed(0)
before, after = make(), make()
x = torch.randn(64, 784)
costs = []
start = time.perf_counter(), time.process_time()
audit = lazyrich.audit(make, before, after, x, announce=costs.append)
print(json.dumps({"parameters": audit.parameters, "inputs": audit.inputs, "outputs": audit.outputs,
    "seconds": time.perf_counter() - start[0], "processor_seconds": time.process_time() - start[1],
    "told_seconds": costs[0].seconds, "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}))
"""


def cost() -> dict[str, Any]:
    """Audit a model of ten million parameters in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _COST], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


#: inputs, widths, seeds: the more inputs, the more terms there are beside the largest
_THEORY = ((1, (128, 256, 512, 1024), 30), (4, (256, 512, 1024, 2048), 24), (16, (256, 512, 1024, 2048), 24))


def theory() -> list[dict[str, Any]]:
    """Compare the powers of four parametrisations, two optimisers and 28 vectors of rates with networks."""
    return [summarise(*case) for case in _THEORY]


#: parts that have no cases to be kept one by one
WHOLE: dict[str, Callable[[], Any]] = {"theory": theory, "coverage": coverage, "cost": cost}


def main() -> None:
    """Run what was asked for and write it beside what was there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=[*PARTS, *WHOLE], default=[*PARTS, *WHOLE])
    parser.add_argument("--again", action="store_true", help="forget the finished cases of these parts")
    options = parser.parse_args()
    if options.again:
        other_rows = [row for row in read_cases().values() if row["part"] not in options.only]
        with gzip.open(CASES, "wt", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in other_rows)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for part in options.only:
        if part in PARTS:
            rows = run_cases(list(PARTS[part](options.repeats)))
            results[part] = bugs_found(rows) if part == "bugs" else judged(rows)
        else:
            results[part] = WHOLE[part]()
        print(part, json.dumps(results[part]))
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
