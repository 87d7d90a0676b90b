"""Do planned campaigns decide? Synthetic campaigns that leave a law undecided, planned, enlarged and judged again.

    python -m benchmarks.planned [--replicas 150] [--out benchmarks/results/planned.json]

Each campaign measures one law whose power is the predicted one in half of the campaigns, and anywhere within five
margins of it in the others. Where the rule says "inconclusive", the cheapest addition of `fit.judge.plan` is made: the
enlarged campaign holds the same networks and new ones. Counted are the campaigns that were undecided, those for which
there was a plan, and of these the ones that are decided afterwards (goal: 80 % and more) and rightly so.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit import assess, prediction
from fit.judge.plan import plan
from fit.measurements.reading import measurements
from theory.prediction import Prediction

RESULT = Path(__file__).parent / "results" / "planned.json"
AMPLITUDES = 10.0 ** np.arange(-4, -1.9, 0.5)
#: logarithms of the quantity, (amplitude, seed), at one width
Logs = Callable[[np.random.Generator, int, int, float], NDArray]


@dataclass(frozen=True)
class Case:
    """A design that often leaves its law undecided: how networks of one width are drawn, given the true power."""

    name: str
    variable: str
    widths: tuple[int, ...]
    seeds: int
    logs: Logs
    predicted: float = -0.5
    margin: float = 0.1


def _slopes(tilt: float) -> Logs:
    """Powers of A: each pair has an offset and a slope of its own."""

    def logs(rng: np.random.Generator, width: int, seeds: int, power: float) -> NDArray:
        offset_and_tilt = rng.standard_normal((seeds, 2))  # more seeds continue the same sequence
        noise = np.random.default_rng(rng.integers(2**63)).standard_normal((len(AMPLITUDES), seeds))
        return (
            offset_and_tilt[:, 0] + (power + tilt * offset_and_tilt[:, 1]) * np.log(AMPLITUDES)[:, None] + 0.01 * noise
        )

    return logs


def _levels(scatter: float) -> Logs:
    """Powers of h: each pair has a level, of scatter h^(-1/2), and the width one of its own."""

    def logs(rng: np.random.Generator, width: int, seeds: int, power: float) -> NDArray:
        common = scatter * rng.standard_normal()
        level = power * np.log(width) + common + 1.5 * rng.standard_normal(seeds) / np.sqrt(width)
        return np.broadcast_to(level, (len(AMPLITUDES), seeds))

    return logs


CASES = (
    Case("A: 3 widths x 5 seeds", "A", (64, 128, 256), 5, _slopes(0.15), -1.5, 0.05),
    Case("A: 1 width x 6 seeds", "A", (128,), 6, _slopes(0.3), -1.5, 0.1),
    Case("h: 5 widths x 6 seeds", "width", (32, 64, 128, 256, 512), 6, _levels(0.0), margin=0.06),
    Case("h: 7 widths x 5 seeds", "width", (32, 45, 64, 91, 128, 181, 256), 5, _levels(0.0)),
    Case("h: 6 widths x 8 seeds, widths scatter by 0.05", "width", (32, 64, 128, 256, 512, 1024), 8, _levels(0.05)),
)


def campaign(case: Case, power: float, replica: int, widths: tuple[int, ...], seeds: int) -> xr.Dataset:
    """Return measurements of a quantity q: those of a width and seed are the same in a larger campaign."""
    values = [
        np.exp(case.logs(np.random.default_rng([replica, width]), width, seeds, power)) for width in sorted(widths)
    ]
    data = xr.Dataset(
        {"q": (("width", "root_h_alpha", "seed"), np.stack(values))},
        {"width": sorted(widths), "root_h_alpha": AMPLITUDES, "seed": np.arange(seeds)},
    )
    data.attrs["experiment"] = json.dumps({"name": "made-up"})
    return data


def study(case: Case, replicas: int) -> dict[str, float | int | str]:
    """Return the counts of one case."""
    law = prediction(f"q ~ {case.variable}^({case.predicted:g})", margin=case.margin)
    rng = np.random.default_rng([0, *case.name.encode()])
    undecided, planned, decided, right, seeds = 0, 0, 0, 0, []
    for replica in range(replicas):
        off = 0.0 if rng.random() < 0.5 else rng.uniform(-5, 5)
        power = case.predicted + off * case.margin
        option = _option(campaign(case, power, replica, case.widths, case.seeds), law)
        if option is None:
            continue
        undecided += 1
        if option == ():
            continue
        planned += 1
        (addition,) = option
        seeds.append(addition.seeds)
        larger = campaign(case, power, replica, (*case.widths, *addition.widths), addition.seeds)
        (verdict,) = assess(larger, [law])
        decided += verdict.verdict != "inconclusive"
        right += verdict.verdict == ("consistent" if abs(off) <= 1 else "inconsistent")
    return {
        "case": case.name,
        "replicas": replicas,
        "undecided": undecided,
        "planned": planned,
        "decided": decided,
        "right": right,
        "median_seeds": float(np.median(seeds)) if seeds else 0.0,
    }


def _option(data: xr.Dataset, law: Prediction) -> tuple | None:
    """Return the cheapest addition in a tuple, an empty one where there is none, None where the law is decided."""
    verdicts = assess(data, [law])
    plans = plan(verdicts, measurements(data), {"made-up": [law]})
    return plans[0].options[:1] if plans else None


def main() -> None:
    """Run the study, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicas", type=int, default=150)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    rows = []
    for case in CASES:
        rows.append(study(case, options.replicas))
        print(rows[-1], flush=True)
        options.out.write_text(json.dumps({"schema_version": 1, "cases": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
