"""The audit beside nngeometry (tangent kernels) and mup (coordinate checks), on the same models in one run.

    pip install nngeometry mup
    python -m benchmarks.audit_peers [--seconds 300]

Each measurement is a process of its own, of one thread; time is the processor's, memory the process's largest. Writes
benchmarks/results/audit_peers.json. nngeometry's Gram matrix and this package's are compared number by number. mup
gives activations step by step as a table to be plotted and judged by eye; this package's check also holds the
gradients, the intervals and the verdict.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

RESULTS = Path(__file__).parent / "results" / "audit_peers.json"
#: layers of fully connected networks, by number of parameters
NETWORKS = {"0.3 million": (784, 300, 200, 10), "10 million": (784, 1800, 1800, 1800, 1140, 10)}
POINTS = {"0.3 million": 32, "10 million": 64}
WIDTHS, STEPS, SEEDS, RATE = (64, 128, 256, 512), 5, 8, 1e-3


def network(sizes: tuple[int, ...]) -> nn.Sequential:
    """A fully connected network with ReLU."""
    return nn.Sequential(*[m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())][:-1])


def seeded_network(name: str) -> nn.Sequential:
    """One of `NETWORKS`, the same in every process."""
    torch.manual_seed(0)
    return network(NETWORKS[name])


def probe(count: int) -> torch.Tensor:
    """Random points."""
    return torch.randn(count, 784, generator=torch.Generator().manual_seed(1))


def kernel_by_lazyrich(name: str) -> np.ndarray:
    """The kernel traced over outputs."""
    from simulate.audit.model_function import ModelFunction
    from simulate.audit.tangent_kernel import output_directions, tangent_kernels

    model = ModelFunction.from_module(seeded_network(name))
    return tangent_kernels(model, probe(POINTS[name]), output_directions(10, model.dtype)).total


def kernel_by_nngeometry(name: str) -> np.ndarray:
    """The same from the Gram matrix of all outputs."""
    from nngeometry.gram import GramMatrix
    from torch.utils.data import DataLoader, TensorDataset

    points = TensorDataset(probe(POINTS[name]))
    gram = GramMatrix(model=seeded_network(name), loader=DataLoader(points, batch_size=len(points)))
    return torch.einsum("cncm->nm", gram.to_torch()).double().numpy()


def check_data() -> tuple[torch.Tensor, torch.Tensor]:
    """Points and classes for coordinate checks."""
    return probe(16), torch.randint(0, 10, (16,), generator=torch.Generator().manual_seed(2))


def check_by_lazyrich(_: str) -> dict[str, float | None]:
    """The powers of the width of each module's change after the last step."""
    from fit.audit import coordinate_check
    from simulate.audit.training import TrainingData

    result = coordinate_check(
        lambda h: network((784, h, h, 10)), WIDTHS, optimizer="adam", rate=RATE, steps=(STEPS,), seeds=SEEDS,
        data=TrainingData(*check_data()),
    )  # fmt: skip
    return {module.module: module.power for module in result.modules}


def check_by_mup(_: str) -> dict[str, float]:
    """The powers of the width of each module's activation at the last step, from mup's table."""
    from mup.coord_check import get_coord_data

    x, y = check_data()
    table = get_coord_data(
        {h: lambda h=h: network((784, h, h, 10)) for h in WIDTHS}, [(x, y)], optimizer="adam", lr=RATE, mup=False,
        nsteps=STEPS, nseeds=SEEDS, cuda=False, show_progress=False,
    )  # fmt: skip
    last = table[table["t"] == STEPS].groupby(["module", "width"])["l1"].mean()
    return {
        module or "output": float(np.polyfit(np.log(WIDTHS), np.log(last[module].loc[list(WIDTHS)]), 1)[0])
        for module in dict.fromkeys(table["module"])
    }


TASKS: dict[str, Callable[[str], Any]] = {
    "kernel lazyrich": kernel_by_lazyrich,
    "kernel nngeometry": kernel_by_nngeometry,
    "check lazyrich": check_by_lazyrich,
    "check mup": check_by_mup,
}


def measure_one(task: str, subject: str, out: Path) -> None:
    """Do a task in this process and write its cost and its result."""
    torch.set_num_threads(1)
    started = time.process_time()
    value = TASKS[task](subject)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    plain = value.tolist() if isinstance(value, np.ndarray) else value
    out.write_text(json.dumps({"processor_seconds": seconds, "peak_gib": peak, "value": plain}), encoding="utf-8")


def in_new_process(task: str, subject: str, longest: float) -> dict[str, Any]:
    """Return cost and result of a task, or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "result.json")
        command = [sys.executable, "-m", "benchmarks.audit_peers", "--task", task, "--subject", subject]
        try:
            done = subprocess.run(
                [*command, "--out", str(out)], capture_output=True, text=True, timeout=longest, check=False
            )
        except subprocess.TimeoutExpired:
            return {"ended": f"not done after {longest:.0f} s"}
        if not out.exists():
            return {"ended": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:200]}
        return json.loads(out.read_text(encoding="utf-8"))


def main() -> None:
    """Run all, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seconds", type=float, default=300, help="longest wall time of a measurement")
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--subject", default="", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        measure_one(options.task, options.subject, options.out)
        return
    rows = []
    for subject in NETWORKS:
        pair = {peer: in_new_process(f"kernel {peer}", subject, options.seconds) for peer in ("lazyrich", "nngeometry")}
        kernels = [np.array(row.pop("value")) for row in pair.values() if "value" in row]
        same = {}
        if len(kernels) == 2:
            same = {"largest_relative_difference": float(np.abs(kernels[0] - kernels[1]).max() / kernels[0].max())}
        rows += [{"what": "kernel", "subject": subject, "by": peer, **row, **same} for peer, row in pair.items()]
    for peer in ("lazyrich", "mup"):
        row = in_new_process(f"check {peer}", "", options.seconds)
        rows.append({"what": "check", "subject": "3 layers, widths 64 to 512", "by": peer, **row})
    for row in rows:
        row["version"] = importlib.metadata.version(row["by"])
        print(json.dumps(row), flush=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
