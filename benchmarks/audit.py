"""Audits of models whose answer is known: coordinate checks, planted bugs, coverage, time and memory.

    python -m benchmarks.audit [--repeats 3] [--only checks bugs regimes coverage cost]

writes benchmarks/results/audit.json.

*checks*: the standard, NTK, mean-field and maximal-update parametrisations, of a fully connected, a convolutional, a
residual and a GPT-like network, with SGD and Adam. What each layer does is known from `theory.coordinate_check`.
*bugs*: one layer of a maximal-update network is wrong in a way that users of such parametrisations report; healthy ones
beside it. *regimes*: trained with the output scaled up a thousand times, which is lazy, and down a hundred, which
learns features. *coverage*: made-up powers. *cost*: an audit of ten million parameters, in a process of its own.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sympy import Rational

from benchmarks.audit_models import ARCHITECTURES, WIDTHS, Scheme, by_layer, inputs, schemes
from fit.audit import audit
from fit.audit.coordinate_check import CoordinateCheck, coordinate_check
from fit.estimators.between import slope_between
from simulate.audit.loading import build
from simulate.audit.output_scale import ScaledOutput
from simulate.audit.training import TrainingData, steps
from theory.coordinate_check import coordinate_powers
from theory.parametrisation import Parametrisation

RESULTS = Path(__file__).parent / "results" / "audit.json"
RATES = {"sgd": 0.01, "adam": 3e-4}
SEEDS = 8
HIDDEN = {"mlp": 2, "cnn": 2, "residual": 4, "gpt": 6}
#: layers of attention whose gradients pass through a softmax: power counting is of the layers that do not
ATTENTION = ("query", "key")


def known_answers(scheme: Scheme, architecture: str, optimizer: str) -> dict[str, str]:
    """What each layer does, by power counting of a chain of as many hidden layers."""
    layers = ["first", *["hidden"] * HIDDEN[architecture], "last"]
    a, b, c = ([Rational(getattr(scheme, which)[kind]) for kind in layers] for which in "abc")
    chain = Parametrisation(scheme.name, tuple(a), tuple(b), Rational(0))
    powers = coordinate_powers(chain, optimizer, c).total  # type: ignore[arg-type]
    words = {kind: _word(power) for kind, power in zip(layers, powers, strict=True)}
    if len(set(powers[1:-1])) > 1:
        raise ValueError("hidden layers differ: their answers depend on where they are")
    return words


def _word(power: Rational) -> str:
    return "stable" if power == 0 else "vanishes" if power < 0 else "blows up"


def check(scheme: Scheme, architecture: str, optimizer: str, seed: int) -> CoordinateCheck:
    """The coordinate check of one model."""
    x, y = inputs(architecture, seed)
    make = ARCHITECTURES[architecture]
    return coordinate_check(
        lambda h: make(scheme, h),
        WIDTHS[architecture],
        optimizer=by_layer(optimizer),
        rate=RATES[optimizer],
        steps=(1, 5),
        seeds=SEEDS,
        first_seed=100 * seed,
        data=TrainingData(x, y),
        name=f"{scheme.name} {architecture} {optimizer}",
    )


def checks(repeats: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each layer of each model."""
    for optimizer in ("sgd", "adam"):
        for scheme in schemes(optimizer):
            for architecture in ARCHITECTURES:
                words = known_answers(scheme, architecture, optimizer)
                for seed in range(repeats):
                    result = check(scheme, architecture, optimizer, seed)
                    for one in result.modules:
                        kind = one.module if one.module in ("first", "last") else "hidden"
                        if one.module in ("output", "norm", *ATTENTION) or one.module.startswith("softmax"):
                            continue
                        yield {
                            "model": result.model, "seed": seed, "layer": one.module, "known": words[kind],
                            "verdict": one.verdict, "power": one.power, "expected": one.expected,
                        }  # fmt: skip
                    print(result.headline(), flush=True)


def bugs() -> dict[str, dict[str, Scheme]]:
    """Wrong maximal-update networks for Adam, by architecture and name; "healthy" is right."""
    healthy = schemes("adam")[-1]
    everywhere = {
        "healthy": healthy,
        "readout not scaled": healthy.plant("last", a=0.0),
        "embedding's rate scaled as a matrix's": healthy.plant("first", c=1.5),
    }
    result = {
        name: {**everywhere, "one layer standard": healthy.plant("wide" if name == "gpt" else "third", c=0.0)}
        for name in ARCHITECTURES
    }
    result["gpt"]["attention by 1/sqrt(d)"] = Scheme(
        healthy.name, healthy.a, healthy.b, healthy.c, attention=0.5
    )  # fmt: skip
    return result


def planted(repeats: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each planted bug and healthy model."""
    for architecture, variants in bugs().items():
        for name, scheme in variants.items():
            for seed in range(repeats * (3 if name == "healthy" else 1)):
                result = check(scheme, architecture, "adam", seed)
                accused = [one.module for one in result.suspects]
                yield {
                    "architecture": architecture, "bug": name, "seed": seed, "accused": accused,
                    "verdict": result.verdict,
                }  # fmt: skip
                print(architecture, name, result.verdict, accused, flush=True)


def regimes(repeats: int, width: int = 128) -> Iterator[dict[str, Any]]:
    """Yield a row for each trained model: the audit's verdict on F = s·(f - f_0) of the NTK parametrisation."""
    for architecture, make in ARCHITECTURES.items():
        for scale, known in ((1000.0, "lazy"), (0.01, "learns features")):
            for seed in range(repeats):
                x, y = inputs(architecture, seed)
                data = TrainingData(x, y)
                before = ScaledOutput(build(make, schemes("sgd")[1], width, seed=seed), scale)
                after = copy.deepcopy(before)
                optimizer = torch.optim.Adam(after.model.parameters(), lr=1e-2 / max(1.0, scale))
                first = value = None
                for _, value in steps(after, optimizer, data, 3000):
                    first = first or value
                    if value < 0.1 * first:
                        break
                result = audit(lambda: copy.deepcopy(before), before, after, x)  # noqa: B023
                yield {
                    "architecture": architecture, "scale": scale, "seed": seed, "known": known,
                    "verdict": result.verdict, "kernel_change": result.total.kernel_change.value,
                    "loss_share": value / first if first and value else None,
                }  # fmt: skip
                print(architecture, scale, result.headline(), flush=True)


def coverage(cases: int = 4000) -> dict[str, Any]:
    """How often 95 % intervals of powers hold the truth, and the power to tell 0 from 1/2, over scatters."""
    rng = np.random.default_rng(0)
    log_h = np.log(np.repeat([64.0, 128.0, 256.0, 512.0], 8))
    result: dict[str, Any] = {}
    for noise in (0.05, 0.2, 0.5):
        estimates = [slope_between(log_h, noise * rng.normal(size=len(log_h))) for _ in range(cases // 3)]
        intervals = [e.interval(0.95) for e in estimates if e is not None]
        result[str(noise)] = {
            "cases": len(intervals),
            "covered": float(np.mean([low <= 0 <= high for low, high in intervals])),
            "half_width": float(np.mean([(high - low) / 2 for low, high in intervals])),
            "stable": float(
                np.mean([e.interval(0.90)[0] > -0.2 and e.interval(0.90)[1] < 0.2 for e in estimates if e])
            ),
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
told = []
start = time.perf_counter(), time.process_time()
audit = lazyrich.audit(make, before, after, x, announce=told.append)
print(json.dumps({"parameters": audit.parameters, "inputs": audit.inputs, "outputs": audit.outputs,
    "seconds": time.perf_counter() - start[0], "processor_seconds": time.process_time() - start[1],
    "told_seconds": told[0].seconds, "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}))
"""


def cost() -> dict[str, Any]:
    """Audit a model of ten million parameters in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _COST], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares of right, wrong and undecided verdicts."""
    words = Counter(
        "right" if row["verdict"] == row["known"] else "undecided" if row["verdict"] == "not decided" else "wrong"
        for row in rows
    )
    both = [(row.get("power"), row.get("expected")) for row in rows]
    off = [abs(power - expected) for power, expected in both if power is not None and expected is not None]
    return {
        "verdicts": len(rows),
        **words,
        "right_share": words["right"] / len(rows),
        "wrong_share": words["wrong"] / len(rows),
        **({"median_distance_to_expected": float(np.median(off))} if off else {}),
    }


def bug_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many bugs were found, and how many healthy models accused."""
    healthy = [row for row in rows if row["bug"] == "healthy"]
    wrong = [row for row in rows if row["bug"] != "healthy"]
    return {
        "bugs": len(wrong),
        "found": sum(bool(row["accused"]) for row in wrong),
        "healthy": len(healthy),
        "accused": sum(bool(row["accused"]) for row in healthy),
    }


def main() -> None:
    """Run what was asked for and write it beside what was there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=["checks", "bugs", "regimes", "coverage", "cost"])
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for part in options.only:
        started = time.perf_counter()
        if part == "checks":
            rows = list(checks(options.repeats))
            results[part] = {"summary": summary(rows), "not_right": [r for r in rows if r["verdict"] != r["known"]]}
        elif part == "bugs":
            rows = list(planted(options.repeats))
            results[part] = {"summary": bug_summary(rows), "rows": rows}
        elif part == "regimes":
            rows = list(regimes(options.repeats))
            results[part] = {"summary": summary(rows), "rows": rows}
        elif part == "coverage":
            results[part] = coverage()
        elif part == "cost":
            results[part] = cost()
        print(part, json.dumps(results[part].get("summary", results[part])), f"{time.perf_counter() - started:.0f} s")
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
