"""Does any claim of theory fail for an activation that nobody thought of? Random formulas against trained networks.

    python -m benchmarks.wrong_claims [--activations 40] [--depths 1 2 3] [--seed 0] [--out FILE.json] [--stores FOLDER]

Formulas are drawn from a grammar; for each that theory accepts, five networks of each of three widths are trained on 16
digits at amplitudes from 1e-6 to 1e4, and every law is judged as a report judges it. A claim that measurement calls
inconsistent is measured again with twenty networks of each width, whose initial weights are others: intervals are 95 %
ones, so that of some hundreds of true claims a few are called inconsistent by five seeds. It is a wrong claim if the
second measurement says so too, and is listed as not confirmed otherwise. A refusal is no wrong claim. With ``--out`` a
run that was cut short goes on; with ``--stores`` the networks are kept, so that a case that was cut short goes on too,
and a changed theory is judged without training again.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fit import assess
from fit.judge.verdict import Verdict
from lazyrich.errors import InputError
from simulate import Campaign, run
from theory import Activation

AMPLITUDES = [*(10.0**e for e in range(-6, 2)), *(10 ** (i / 2) for i in range(3, 9))]
WIDTHS = [24, 48, 96]
#: how many formulas are drawn unless one says otherwise
FORMULAS = 40
SEEDS = 5
#: of the second measurement of what the first one contradicts; other initial weights, the same training points
CONFIRMING_SEEDS = 4 * SEEDS
_ARGUMENTS = ("z", "z", "z", "2*z", "z/3", "z + 1", "z - 0.5", "-z")
_FUNCTIONS = (
    "relu({})", "leaky_relu({}, 0.2)", "softplus({})", "softplus({}, 5)", "tanh({})", "erf({})", "sigmoid({})",
    "silu({})", "gelu({})", "sin({})", "abs({})", "exp(-({})**2)", "sqrt(1 + ({})**2)", "({})",
    "({})/(1 + abs({}))", "min(max({}, -1), 1)", "relu({})**2",
)  # fmt: skip
_FACTORS = ("0.01", "0.1", "0.5", "2", "-1")


def formulas(count: int, seed: int) -> list[str]:
    """Return distinct formulas that theory accepts: single functions, sums, products, larger of two, nested ones."""
    rng = np.random.default_rng(seed)
    accepted: list[str] = []
    for formula in _drawn(rng):
        if len(accepted) == count:
            break
        if formula in accepted:
            continue
        try:
            Activation(formula)
        except InputError:
            continue
        accepted.append(formula)
    return accepted


def _drawn(rng: np.random.Generator) -> Iterator[str]:
    def function(argument: str | None = None) -> str:
        inner = argument or str(rng.choice(_ARGUMENTS))
        return str(rng.choice(_FUNCTIONS)).replace("{}", inner)

    while True:
        shape = rng.integers(5)
        if shape == 0:
            yield function()
        elif shape == 1:
            yield f"{function()} + {rng.choice(_FACTORS)}*{function()}"
        elif shape == 2:
            yield f"{function()}*{function()}"
        elif shape == 3:
            yield f"max({function()}, {function()})"
        else:
            yield function(function())


def judged(formula: str, depth: int, folder: Path) -> dict[str, Any]:
    """Train and judge one activation at one depth; the networks lie in stores of their own in ``folder``."""
    started = time.perf_counter()
    verdicts, converged = measured(formula, depth, folder)
    against = [v for v in verdicts if v.verdict == "inconsistent"]
    again = measured(formula, depth, folder, confirm=True)[0] if against else []
    rows = [{**_row(v), "again": next((_row(w) for w in again if _law(w) == _law(v)), None)} for v in against]
    return {
        "activation": formula,
        "depth": depth,
        "converged": converged,
        "consistent": sum(v.verdict == "consistent" for v in verdicts),
        "inconclusive": sum(v.verdict == "inconclusive" for v in verdicts),
        "contradicted": [row for row in rows if row["again"] and row["again"]["verdict"] == "inconsistent"],
        "not_confirmed": [row for row in rows if not row["again"] or row["again"]["verdict"] != "inconsistent"],
        "seconds": round(time.perf_counter() - started, 1),
    }


def measured(formula: str, depth: int, folder: Path, *, confirm: bool = False) -> tuple[list[Verdict], float]:
    """Return the verdicts on claims that could be measured, and the share of networks that fit.

    ``confirm``: with `CONFIRMING_SEEDS` networks of other initial weights.
    """
    seeds, base_seed, suffix = (CONFIRMING_SEEDS, 1, "-again") if confirm else (SEEDS, 0, "")
    fields = {"name": "case", "dataset": "digits", "n_train": 16, "n_test": 40, "depth": depth, "widths": WIDTHS,
              "activation": formula, "root_h_alpha": AMPLITUDES, "seeds": seeds, "base_seed": base_seed,
              "tolerance": 1e-2, "max_steps": 400}  # fmt: skip
    store = folder / f"{hashlib.sha256(formula.encode()).hexdigest()[:12]}-L{depth}{suffix}.zarr"
    outcome = run(Campaign.from_dict({"name": "case", "experiment": [fields]}), store, workers=1)
    tree = outcome.store.tree()
    verdicts = [v for v in assess(tree) if v.claimed and v.estimate is not None]
    return verdicts, float((tree["case"].to_dataset()["status"].values == 1).mean())


def _law(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.claim, verdict.variable, verdict.regime


def _row(verdict: Verdict) -> dict[str, Any]:
    return {
        "claim": verdict.claim,
        "variable": verdict.variable,
        "regime": verdict.regime,
        "predicted": verdict.predicted,
        "estimate": verdict.estimate,
        "ci": [verdict.ci_low, verdict.ci_high],
        "margin": verdict.margin,
        "range": verdict.range,
        "verdict": str(verdict.verdict),
    }


def main() -> None:
    """Print a line a case, and how many claims were contradicted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--activations", type=int, default=FORMULAS)
    parser.add_argument("--depths", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--stores", type=Path, help="folder in which the networks are kept")
    options = parser.parse_args()
    rows = json.loads(options.out.read_text(encoding="utf-8")) if options.out and options.out.exists() else []
    finished = {(row["activation"], row["depth"]) for row in rows}
    for formula in formulas(options.activations, options.seed):
        for depth in options.depths:
            if (formula, depth) in finished:
                continue
            stores = contextlib.nullcontext(options.stores) if options.stores else tempfile.TemporaryDirectory()
            with stores as folder:
                rows.append(judged(formula, depth, Path(folder)))
            print(json.dumps(rows[-1]), flush=True)
            if options.out:
                options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    contradicted, not_confirmed = (sum(len(row[kind]) for row in rows) for kind in ("contradicted", "not_confirmed"))
    decided = sum(row["consistent"] for row in rows) + contradicted
    print(
        f"{len(rows)} cases: {contradicted} of {decided} decided claims contradicted; {not_confirmed} more by "
        f"{SEEDS} seeds, not by {CONFIRMING_SEEDS} others"
    )


if __name__ == "__main__":
    main()
