"""What `benchmarks.gpu` measures, part by part: each yields rows as it gets them, and may be stopped at any time."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.dispatch import counting
from benchmarks.scaling import operations
from lazyrich.errors import InputError
from simulate import Campaign, Experiment, load_data, run, run_task
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.measure.engine import run_tasks
from simulate.measure.memory import PeakMemory
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.tasks import experiment_tasks
from simulate.running.runner import Interrupted
from simulate.store.provenance import versions
from simulate.training.precision import full_precision
from simulate.training.status import Status
from theory.activation import Activation

Row = dict[str, Any]

#: how far results of two devices may be apart, relative to their size: kernel change, outputs. Steps of Chebyshev's
#: method depend on an estimate of the largest eigenvalue, which rounding may move to another number of stages
ALIKE, ALIKE_CHEBYSHEV, ALIKE_SINGLE = 1e-6, 1e-2, 0.1
#: name -> what differs from a softplus network of two layers
AGREEMENT: dict[str, dict[str, Any]] = {
    "kernel flow": {"dynamics": {"integrator": "kernel_flow"}},
    "W-method": {"dynamics": {"integrator": "rosenbrock"}},
    "Chebyshev": {"dynamics": {"integrator": "chebyshev"}},
    "ReLU": {"activation": "relu"},
    "tanh": {"activation": "tanh"},
    "momentum": {"dynamics": {"name": "momentum"}},
    "arms": {"arms": ["network", "initial_kernel", "final_kernel"]},
    "without subtraction": {"subtract_initial": False},
    "convolutional": {"architecture": "cnn", "widths": [8]},
    "float32": {"dtype": "float32", "root_h_alpha": [1e-2, 1.0, 30.0]},
}


@dataclass(frozen=True)
class Setting:
    """Where and how large. ``tiny`` shrinks every size, to test the program itself; ``seconds`` are the part's."""

    device: str
    tiny: bool
    data: str | None
    store: str
    seconds: float

    @property
    def fields(self) -> Row:
        """Return what all experiments share."""
        return {"activation": "softplus", "tolerance": 1e-2, "max_steps": self.size(5000, 20)}

    def size(self, full: int, tiny: int) -> int:
        """Return one of two sizes."""
        return tiny if self.tiny else full


def device(setting: Setting) -> Iterator[Row]:
    """The card, the machine, the packages."""
    yield {"what": "python", "value": platform.python_version()}
    for name, version in versions().items():
        yield {"what": name, "value": version}
    if setting.device.startswith("cuda"):
        card = torch.cuda.get_device_properties(setting.device)
        yield {"what": "card", "value": card.name, "GiB": round(card.total_memory / 2**30, 1)}
        yield {"what": "CUDA", "value": torch.version.cuda}
    else:
        yield {"what": "card", "value": f"none: {setting.device} ({platform.machine()})"}


def agreement(setting: Setting) -> Iterator[Row]:
    """The same small tasks on the CPU and on the device: the largest difference relative to the size of the results."""
    shared = {
        **setting.fields, "name": "agreement", "dataset": "digits", "depth": 2,
        "n_train": setting.size(100, 20), "n_test": setting.size(200, 20),
        "widths": [setting.size(48, 8)], "root_h_alpha": [1e-3, 1.0, 1e3], "seeds": 2,
    }  # fmt: skip
    for name, changes in AGREEMENT.items():
        spec = Experiment(**{**shared, **changes})
        data, task = load_data(spec), experiment_tasks(spec)[0]
        results = [run_task(spec, task, data, device=where) for where in ("cpu", setting.device)]
        allowed = ALIKE_CHEBYSHEV if name == "Chebyshev" else ALIKE
        allowed = ALIKE_SINGLE if spec.dtype == "float32" else allowed
        differences = {v: difference(*(r[v].values for r in results)) for v in ("kernel_change", "test_output")}
        same_status = bool((results[0].status == results[1].status).all())
        agrees = same_status and all(d <= allowed for d in differences.values())
        shown = {k: float(f"{d:.1e}") if np.isfinite(d) else None for k, d in differences.items()}
        yield {"what": name, **shown, "allowed": allowed, "ok": agrees}


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest difference relative to the rms of ``one``; what is not finite in both is the same."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    if same.all():
        return 0.0
    scale = np.sqrt(np.nanmean(one.astype(float) ** 2))
    return float(np.max(np.where(same, 0.0, np.abs(one.astype(float) - other)))) / scale


def throughput(setting: Setting) -> Iterator[Row]:
    """Seconds of training and measuring, by size and by how many networks are trained."""
    limit = setting.seconds / 8
    small = {"name": "small", "n_train": setting.size(100, 20), "n_test": setting.size(200, 20), "depth": 2}
    small |= {"widths": [setting.size(64, 8)], "dataset": "digits", "root_h_alpha": _amplitudes(-3, 3, 2)}
    for seeds in (1, 2) if setting.tiny else (1, 8, 64, 512):
        yield _timed(setting, "N = 100, h = 64, L = 2", {**small, "seeds": seeds}, limit)
    points = {"name": "large", **_points(setting, setting.size(10_000, 60), setting.size(3_000, 40)), "depth": 3}
    points["n_kernel"] = setting.size(1_000, 20)
    narrow, wide = setting.size(100, 8), setting.size(1_000, 16)
    for integrator in ("chebyshev", "kernel_flow"):
        dynamics = {"integrator": integrator}
        fields = {**points, "root_h_alpha": [1.0], "seeds": 1, "dynamics": dynamics}
        yield _timed(setting, f"N = 10,000, h = 100, A = 1, {integrator}", {**fields, "widths": [narrow]}, limit)
        yield _timed(setting, f"N = 10,000, h = 1,000, A = 1, {integrator}", {**fields, "widths": [wide]}, limit)
    many = {**points, "widths": [narrow], "root_h_alpha": _amplitudes(-4, 7, 2), "seeds": setting.size(10, 1)}
    many["dynamics"] = {"integrator": "chebyshev"}
    convolutional = {
        "name": "cnn", **_images(setting, setting.size(1_000, 20), setting.size(500, 20)), "architecture": "cnn",
        "depth": 2 if setting.tiny or setting.data is None else 4, "widths": [setting.size(50, 4)],
    }  # fmt: skip
    yield _timed(setting, "CNN, h = 50, N = 1,000, A = 1", {**convolutional, "root_h_alpha": [1.0], "seeds": 1}, limit)
    batch = {**convolutional, "root_h_alpha": [0.1, 1.0, 10.0], "seeds": setting.size(4, 1)}
    yield _timed(setting, "CNN, h = 50, N = 1,000, A = 0.1 to 10", batch, limit)
    yield _timed(setting, "N = 10,000, h = 100, 23 values of A, chebyshev", many, 3 * limit)


def launches(setting: Setting) -> Iterator[Row]:
    """Launches and waits of the host a step (`benchmarks.dispatch`), in a batch of small networks."""
    fields = {"name": "launches", "dataset": "digits", "n_train": setting.size(100, 20), "n_test": 100, "depth": 2}
    fields |= {"widths": [64], "root_h_alpha": _amplitudes(-3, 3, 2), "seeds": setting.size(4, 1)}
    spec = Experiment(**{**setting.fields, **fields})
    data, task = load_data(spec), experiment_tasks(spec)[0]
    run_task(spec, task, data, device=setting.device)
    with counting() as counts:
        result = run_task(spec, task, data, device=setting.device)
    steps = int(result.steps.max())
    batches = int(result.batch.max()) + 1
    row = {"what": f"{result.status.size} networks in {batches} batches", "steps": steps}
    yield {**row, "launches_per_step": round(counts.launches / steps), "waits_per_step": round(counts.waits / steps)}
    if setting.device.startswith("cuda"):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            run_task(spec, task, data, device=setting.device)
        kernels = sum(event.count for event in profile.key_averages() if "cudaLaunchKernel" in event.key)
        yield {**row, "kernel_launches_per_step": round(kernels / steps)}


def gemm(setting: Setting) -> Iterator[Row]:
    """Rates of gradients and kernels as shares of the rate of a large matrix product."""
    inputs = 784
    for dtype in (torch.float64, torch.float32):
        with full_precision():
            size = setting.size(8192, 256)
            matrix = torch.randn(size, size, device=setting.device, dtype=dtype)
            rate = 2.0 * size**3 / _seconds(lambda m=matrix: m @ m, setting.device)  # type: ignore[misc]
            yield {"what": f"product of {size}², {dtype}", "TFlop/s": float(f"{rate / 1e12:.3g}")}
            for width, networks in ((setting.size(100, 8), 16), (setting.size(1_000, 16), 1)):
                n, depth = setting.size(10_000, 64), 3
                x = torch.randn(n, inputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
                x = x.to(setting.device, dtype)
                network = FullyConnected(inputs, width, depth, Activation("softplus"))
                weights = [w.to(setting.device, dtype) for w in network.initial_weights(0, range(networks))]
                points, alpha = Dense.on_inputs(x), torch.ones(networks, device=setting.device, dtype=dtype)
                f0 = network.output(weights, points)
                flow = GradientFlow(network, LOSSES["softhinge"], points, torch.sign(x[:, 0]), alpha, f0)
                took = _seconds(lambda f=flow, w=weights: f(w).weight_velocity(), setting.device)  # type: ignore[misc]
                share = operations(n, width, depth, networks)["gradient"] / took / rate
                label = f"gradient, {networks} networks, N = {n}, h = {width}, {dtype}"
                yield {"what": label, "s": float(f"{took:.3g}"), "share": round(share, 3)}


def grid(setting: Setting) -> Iterator[Row]:
    """The published main grid, as far as time allows: 690 networks, into a store that a later run goes on with."""
    points = _points(setting, setting.size(10_000, 30), setting.size(3_000, 30))
    fields = {
        **setting.fields, "name": "main-grid", **points, "depth": 3, "n_kernel": setting.size(1_000, 20),
        "widths": [8, 12] if setting.tiny else [100, 300, 1000], "root_h_alpha": _amplitudes(-4, 7, 2),
        "seeds": setting.size(10, 1),
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "main-grid", "experiment": [fields]})
    started, finished = time.perf_counter(), [0]
    try:
        outcome = run(
            campaign, setting.store, device=setting.device, workers=1,
            progress=lambda p: finished.append(p.finished),
        )  # fmt: skip
        counts = outcome.counts[fields["name"]]
        ended = {status.name.lower(): number for status, number in counts.items() if number}
        yield {"what": "main grid, complete", "networks": campaign.size, **ended, "s": _rounded(started)}
    except Interrupted:
        first = finished[1] if len(finished) > 1 else 0
        yield {
            "what": "main grid, to be resumed", "networks": f"{finished[-1]} of {campaign.size}",
            "in_this_run": finished[-1] - first, "s": _rounded(started),
        }  # fmt: skip


PARTS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "device": device, "agreement": agreement, "gemm": gemm, "launches": launches, "throughput": throughput,
    "grid": grid,
}  # fmt: skip


def _timed(setting: Setting, label: str, fields: dict[str, Any], limit: float) -> Row:
    """Train a campaign of one experiment, as a run does; networks that take longer than ``limit`` are stopped."""
    try:
        spec = Experiment(**{**setting.fields, **fields})
        data, tasks = load_data(spec), experiment_tasks(spec)
    except InputError as error:
        return {"what": label, "error": str(error)}
    spec = spec.model_copy(update={"time_limit": limit / len(tasks)})  # a limit is a task's
    peak, started = PeakMemory(setting.device), time.perf_counter()
    results = [result for _, result in run_tasks(spec, tasks, data, device=setting.device)]
    seconds, networks = time.perf_counter() - started, sum(r.status.size for r in results)
    stopped = sum(int((r.status == Status.TIME_LIMIT).sum()) for r in results)
    row = {"what": label, "networks": networks, "tasks": len(tasks), "s": float(f"{seconds:.3g}")}
    row |= {"networks_per_s": float(f"{networks / seconds:.3g}"), "steps": max(int(r.steps.max()) for r in results)}
    return {**row, "stopped": stopped, "peak_GiB": round(peak.bytes() / 2**30, 2)}


def _points(setting: Setting, n_train: int, n_test: int) -> Row:
    """The points of large rows: of the file, or on the sphere in 784 dimensions."""
    where: Row = {"dataset": setting.data} if setting.data else {"dataset": "sphere", "dimension": 784}
    return {**where, "n_train": n_train, "n_test": n_test}


def _images(setting: Setting, n_train: int, n_test: int) -> Row:
    """The images of convolutional rows: of the file, or scikit-learn's digits."""
    return {"dataset": setting.data or "digits", "n_train": n_train, "n_test": n_test}


def _amplitudes(first: int, last: int, per_decade: int) -> Row:
    return {"start": 10.0**first, "stop": 10.0**last, "per_decade": per_decade}


def _seconds(work: Callable[[], object], device: str, repeats: int = 5) -> float:
    """The shortest of several times."""
    times = []
    for _ in range(repeats + 1):
        _wait(device)
        start = time.perf_counter()
        work()
        _wait(device)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def _rounded(started: float) -> float:
    return round(time.perf_counter() - started, 1)
