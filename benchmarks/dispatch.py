"""How many operations a step hands to the device, and how often the host waits for one.

    python -m benchmarks dispatch [--case NAME] [--places] [--out benchmarks/results/dispatch.json --label after]

Counted on a CPU by following every operation that torch dispatches while 52 networks are integrated in one batch, from
the first step to the last: on a GPU each of them is a kernel launch. Views and empty tensors cost nothing there and are
not counted. A wait is an operation whose result the host must see before it can go on: a number that becomes Python's,
a copy to the host, or a shape that depends on values (`nonzero`, boolean indices). Counts depend on no machine. A step
is one of the driver's loop, which all members in flight take together.
"""

from __future__ import annotations

import argparse
import collections
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from simulate import Campaign, load_data
from simulate.integrators import Batch, Stepper, StepProposal, build
from simulate.measure.columns import Columns
from simulate.measure.network_batch import Members, NetworkBatch
from simulate.measure.observer import EventObserver
from simulate.measure.schema import observers_of, variables
from simulate.measure.stop import Stop
from simulate.training.driver import integrate

SMALL = {
    "dataset": "digits", "n_test": 100, "depth": 2, "activation": "softplus", "widths": [64], "tolerance": 1e-2,
    "root_h_alpha": [10.0 ** (i / 2) for i in range(-6, 7)], "seeds": 4,
}  # fmt: skip
CASES = {
    "kernel_flow": {**SMALL, "n_train": 100},
    "chebyshev": {**SMALL, "n_train": 300, "dynamics": {"name": "gradient_flow", "integrator": "chebyshev"}},
}
_WAITS = {"_local_scalar_dense", "nonzero", "equal", "is_nonzero", "masked_select", "_unique2", "unique_dim"}
_COPIES_TO_HOST = {"tolist", "numpy", "cpu"}  # of a whole tensor; a CPU does not dispatch them
_FREE = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "detach", "lift_fresh"}


@dataclass
class Counts:
    """Launches and waits, and the functions of `simulate` that they come from."""

    launches: int = 0
    waits: int = 0
    places: collections.Counter[str] = field(default_factory=collections.Counter)
    record_lines: bool = False

    def launch(self) -> None:
        """Count a launch."""
        self.launches += 1
        if self.record_lines:
            self.places[_calling_line()] += 1

    def wait(self) -> None:
        """Count a wait."""
        self.waits += 1
        if self.record_lines:
            self.places[f"{_calling_line()} waits"] += 1


class _Dispatched(TorchDispatchMode):
    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.counts = counts

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in _WAITS or (name in ("index", "index_put", "index_put_") and _boolean(args[1])):
            self.counts.wait()
        if not func.is_view and name not in _FREE:
            self.counts.launch()
        return func(*args, **(kwargs or {}))


class _CopiedToHost(TorchFunctionMode):
    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.counts = counts

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in _COPIES_TO_HOST:
            self.counts.wait()
        return func(*args, **(kwargs or {}))


def _boolean(indices: Any) -> bool:
    return any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices)


def _calling_line() -> str:
    """The innermost function of `simulate` on the way to an operation."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if "/simulate/" in file:
            return f"{file.split('/simulate/')[1]}:{frame.f_code.co_qualname}"
        frame = frame.f_back  # type: ignore[assignment]
    return "elsewhere"


@contextmanager
def counting(*, record_lines: bool = False) -> Iterator[Counts]:
    """Count what is dispatched in the block."""
    counts = Counts(record_lines=record_lines)
    with _CopiedToHost(counts), _Dispatched(counts):
        yield counts


class _CountedSteps:
    """A stepper that counts its steps."""

    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper
        self.order, self.init, self.dense_output = stepper.order, stepper.init, stepper.dense_output
        self.steps = 0

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        self.steps += 1
        return self.stepper.step(batch)


def measured(case: str, *, record_lines: bool = False) -> tuple[int, Counts]:
    """Return the driver's steps and the counts of a case; measurements at the networks' ends are not in them."""
    (experiment,) = Campaign.from_dict({"name": case, "experiment": [{"name": case, **CASES[case]}]}).experiment
    width, seeds = experiment.widths[0], experiment.seeds
    amplitude, seed = np.divmod(np.arange(len(experiment.amplitudes) * seeds), seeds)
    batch = NetworkBatch.draw(
        experiment, load_data(experiment, None), Members(width, amplitude, seed), torch.float64, "cpu"
    )
    sizes = {"layer": experiment.layers, "test_point": experiment.n_test, "checkpoint": 0, "arm": len(experiment.arms)}
    columns = Columns(variables(experiment), len(batch), sizes, "cpu")
    observers = [observer(batch, columns) for observer in observers_of(experiment)]
    events = [o for o in observers if isinstance(o, EventObserver) and o.happens(experiment)]
    for observer in observers:
        observer.start()
    stepper, controller = build(experiment, batch.network, batch.seeds, batch.seed_of, batch.root_h_alpha)
    counted, weights = _CountedSteps(stepper), batch.initial_weights()
    with counting(record_lines=record_lines) as counts:
        integrate(
            batch.flow, weights, [*events, Stop(batch.flow)], lambda _: None,
            stepper=counted, controller=controller, max_steps=experiment.max_steps,
        )  # fmt: skip
    return counted.steps, counts


def main() -> None:
    """Print a row for each case; add them to a file of results under a label if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=sorted(CASES))
    parser.add_argument("--places", action="store_true", help="also print where launches and waits come from")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--label", default="now")
    options = parser.parse_args()
    rows = []
    for case in [options.case] if options.case else CASES:
        steps, counts = measured(case, record_lines=options.places)
        launches, waits = counts.launches / steps, counts.waits / steps
        print(f"{case:12} {steps} steps, {launches:.0f} launches and {waits:.1f} waits a step", flush=True)
        for place, count in counts.places.most_common(60):
            print(f"    {count / steps:8.1f}  {place}")
        rows.append({"case": case, "steps": steps, "launches": round(launches, 1), "waits": round(waits, 2)})
    if options.out is not None:
        results = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
        results[options.label] = rows
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
