"""Do the quick campaign's verdicts depend on the draw of the initial weights? The whole loop, once per base seed.

    python -m benchmarks.replication [--count 20] [--stores FOLDER] [--out benchmarks/results/replication.csv.gz]

Each base seed takes as long as the report's own simulation (about two minutes on two cores). Results are written after
each one; run again, the command goes on where it stopped. With ``--stores`` the networks are kept, as FOLDER/SEED.zarr,
and can be judged again without being trained again (remove the result first).
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd

from fit import assess
from simulate import Campaign, run

#: What the quick campaign is made to show: of each (claim, variable) the experiments that can bear it. The power of the
#: width in t1 is that of the experiments with forty seeds; the others' eight leave it within 0.03 to 0.11.
REQUIRED = {
    ("kernel_homogeneity", "root_h_alpha_over_output"): ("softplus-L1", "relu-L1", "softplus-L3", "relu-L3"),
    ("kernel_change_feature", "root_h_alpha"): ("softplus-L1", "relu-L1"),
    ("fluctuations", "width"): ("softplus-L1-widths", "relu-L1-widths"),
    ("crossover", "width"): ("softplus-L1", "relu-L1"),
    ("linear_time", "root_h_alpha"): ("softplus-L1", "relu-L1"),
    ("linear_time", "width"): ("softplus-L1-widths", "relu-L1-widths"),
    ("weight_change_lazy", "root_h_alpha"): ("softplus-L1", "relu-L1", "softplus-L3", "relu-L3"),
}


RESULT = Path(__file__).parent / "results" / "replication.csv.gz"
COLUMNS = ("experiment", "claim", "variable", "regime", "estimate", "ci_low", "ci_high", "verdict")


def replicate(base_seed: int, stores: Path | None) -> list[dict]:
    """Simulate and judge the quick campaign with this base seed; its store is kept in ``stores``, if that is given."""
    campaign = Campaign.from_preset("quick").changed(base_seed=base_seed)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(stores or folder, f"{base_seed}.zarr")
        run(campaign, store)
        verdicts = assess(store)
    return [{"base_seed": base_seed, **{name: getattr(v, name) for name in COLUMNS}} for v in verdicts]


def _required(verdict: dict) -> bool:
    return verdict["experiment"] in REQUIRED.get((verdict["claim"], verdict["variable"]), ())


def summary(results: pd.DataFrame) -> str:
    """Return a table: for each required verdict, how often each outcome came out, and the widest half-width."""
    replicas = {seed: rows.to_dict("records") for seed, rows in results.groupby("base_seed")}
    rows: dict[tuple, list[dict]] = {}
    for verdicts in replicas.values():
        for v in verdicts:
            if _required(v):
                rows.setdefault((v["experiment"], v["claim"], v["variable"], v["regime"]), []).append(v)
    lines = [f"{len(replicas)} base seeds"]
    for key, verdicts in rows.items():
        words = Counter(v["verdict"] for v in verdicts)
        half = max((v["ci_high"] - v["ci_low"]) / 2 for v in verdicts)
        mean = sum(v["estimate"] for v in verdicts) / len(verdicts)
        outcomes = ", ".join(f"{n} {w}" for w, n in words.most_common())
        lines.append(
            f"{key[0]:18} {key[1]:21} {key[2]:24} {key[3]:9} mean {mean:+.3f}, half-width <= {half:.3f}: {outcomes}"
        )
    every = Counter(all(v["verdict"] == "consistent" for v in vs if _required(v)) for vs in replicas.values())
    lines.append(f"all of these consistent in {every[True]} of {len(replicas)} base seeds")
    false = Counter(
        (v["experiment"], v["claim"], v["regime"])
        for vs in replicas.values()
        for v in vs
        if v["verdict"] == "inconsistent"
    )
    lines.append(f"inconsistent anywhere: {dict(false) or 'never'}")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--stores", type=Path)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    results = pd.read_csv(options.out) if options.out.exists() else pd.DataFrame(columns=["base_seed", *COLUMNS])
    for base_seed in range(1, options.count + 1):
        if base_seed not in set(results["base_seed"]):
            results = pd.concat([results, pd.DataFrame(replicate(base_seed, options.stores))])
            options.out.parent.mkdir(parents=True, exist_ok=True)
            results.to_csv(options.out, index=False, float_format="%.6g", lineterminator="\n")
            print(f"base seed {base_seed} done", flush=True)
    print(summary(results))


if __name__ == "__main__":
    main()
