"""Train one task's networks and measure them: all values of A and a block of seeds at one width, in one batch."""

from __future__ import annotations

import functools
import itertools
import math
import time as clock
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from simulate.campaign.checkpoints import scaled_times
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import build, momentum_time, needs_weights
from simulate.measure.arms import Arm, Arms, arm_columns, needs_end
from simulate.measure.memory import PeakMemory, in_parts, keep_memory
from simulate.measure.observers import Checkpoints, HalfLoss, HeldOut, LinearEnd, Stop
from simulate.measure.schema import Variable, variables
from simulate.networks.architecture import Architecture
from simulate.networks.registry import architecture_class
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.memory import networks_at_once
from simulate.training.driver import integrate
from simulate.training.events import Moment
from simulate.training.precision import full_precision, without_denormals
from simulate.training.save_at import SaveAt
from simulate.training.status import Status
from theory.activation import Activation

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.data import Data
    from simulate.planning.tasks import Task


def run_task(experiment: Experiment, task: Task, data: Data, *, device: str = "cpu") -> xr.Dataset:
    """Train and measure the networks of one task.

    Parameters
    ----------
    experiment : Experiment
        Architecture, activation, loss, amplitudes, tolerances.
    task : Task
        Which width, and which seeds ``seed_start <= seed < seed_stop``.
    data : Data
        ``x_train`` (n_train, d), ``y_train`` (n_train,) of ±1, ``x_test`` (n_test, d), ``y_test`` (n_test,), with
        ``||x||² = d``.
    device : str
        A torch device.

    Returns
    -------
    xarray.Dataset
        Every variable of `simulate.measure.schema.variables`, dimensionless, on dimensions (width: 1, amplitude, seed,
        ...). Times are in the article convention.

    Notes
    -----
    On a CPU the networks are trained in batches that its cache holds (`Experiment.networks_at_once`), and where memory
    runs out in smaller ones (the variable ``batch`` says in which); one that does not fit alone gets the status
    ``out_of_memory``, and the others are not affected. The process keeps memory that is freed
    (`simulate.measure.memory.keep_memory`).
    """
    started = clock.perf_counter()
    keep_memory()
    peak = PeakMemory(device)
    count = len(experiment.amplitudes) * (task.seed_stop - task.seed_start)
    wanted = variables(experiment)
    sizes = {
        "layer": experiment.layers,
        "test_point": experiment.n_test,
        "checkpoint": len(scaled_times(experiment.checkpoints)),
        "arm": len(experiment.arms),
    }
    # member = amplitude-major, so that a reshape gives the grid back
    columns = {name: _unknown(count, variable, sizes) for name, variable in wanted.items()}
    batches = _trained_in_batches(experiment, task, data, device, started)
    for batch, (part, found) in enumerate(batches):
        rows = slice(part.start, part.stop)
        columns["batch"][rows] = batch
        if found is None:
            columns["status"][rows] = Status.OUT_OF_MEMORY
            continue
        for name, column in found.items():
            columns[name][rows] = column.cpu().numpy()
    columns["alpha"] = np.repeat(experiment.alphas(task.width), task.seed_stop - task.seed_start)
    columns["wall_time"][:] = (clock.perf_counter() - started) / count
    columns["peak_memory"][:] = peak.bytes()
    grid = ("width", experiment.amplitude, "seed")
    shape = (1, len(experiment.amplitudes), task.seed_stop - task.seed_start)
    return xr.Dataset(
        {
            name: ((*grid, *variable.dims), columns[name].reshape(*shape, *columns[name].shape[1:]))
            for name, variable in wanted.items()
        }
    )


def _unknown(count: int, variable: Variable, sizes: Mapping[str, int]) -> np.ndarray:
    """An empty column of a variable, for members of which nothing is known."""
    fill = np.nan if variable.dtype.startswith("float") else 0
    return np.full((count, *(sizes[d] for d in variable.dims)), fill, dtype=variable.dtype)


def _trained_in_batches(
    experiment: Experiment, task: Task, data: Data, device: str, started: float
) -> Iterator[tuple[range, dict[str, Tensor] | None]]:
    """Yield the task's members, batch by batch of one precision each, with what `_train` gave.

    Where a batch holds few networks, they are those of one amplitude, which take steps alike.
    """

    def train(dtype: torch.dtype, which: range) -> dict[str, Tensor]:
        with full_precision(), without_denormals(dtype):
            return _train(experiment, task, data, which, dtype, device, started)

    seeds, stop = task.seed_stop - task.seed_start, 0
    at_once = networks_at_once(experiment, task.width, device)
    for name, amplitudes in itertools.groupby(experiment.dtypes(task.width)):
        start, stop = stop, stop + seeds * len(list(amplitudes))
        yield from in_parts(functools.partial(train, getattr(torch, name)), range(start, stop), at_once, seeds)


def _train(
    experiment: Experiment, task: Task, data: Data, which: range, dtype: torch.dtype, device: str, started: float
) -> dict[str, Tensor]:
    """Train the task's members ``which`` in one batch; return what was measured, each (len(which), ...)."""

    def tensor(values) -> Tensor:
        return torch.as_tensor(np.asarray(values), dtype=dtype, device=device)

    amplitude_of, seed_of_member = np.divmod(np.array(which), task.seed_stop - task.seed_start)
    seeds, seed_index = np.unique(seed_of_member, return_inverse=True)
    seed_of = torch.as_tensor(seed_index, device=device)
    root_h_alpha = tensor(experiment.root_h_alphas(task.width)[amplitude_of])
    alpha = root_h_alpha / math.sqrt(task.width)

    x, y, x_test, y_test = (tensor(v) for v in (data.x_train, data.y_train, data.x_test, data.y_test))
    integrator = integrator_of(experiment)
    network = build_network(experiment, data, task.width)
    drawn = [
        w.to(device, dtype) for w in network.initial_weights(experiment.base_seed, (task.seed_start + seeds).tolist())
    ]
    initial, inputs, inputs_test = network.coordinates(drawn, x, x_test, dense=needs_weights(integrator))
    held_out = HeldOut(
        network, initial, seed_of, alpha, inputs_test, experiment.n_kernel, subtract=experiment.subtract_initial
    )
    output_initial = network.output(initial, inputs)[seed_of]
    if not experiment.subtract_initial:
        output_initial = torch.zeros_like(output_initial)
    flow = GradientFlow(network, LOSSES[experiment.loss], inputs.select(seed_of), y, alpha, output_initial)
    weights = [w[seed_of] for w in initial]
    linear = LinearEnd(held_out, held_out.rate(flow(weights)), momentum_time(experiment, root_h_alpha))
    half = HalfLoss(held_out, flow)

    members = len(alpha)
    layers = experiment.layers
    kernel_change = torch.full((members,), torch.nan, dtype=dtype, device=device)
    kernel_change_layer = torch.full((members, layers), torch.nan, dtype=dtype, device=device)
    weight_change = torch.full((members, layers), torch.nan, dtype=dtype, device=device)
    test_output = torch.full((members, len(data.y_test)), torch.nan, dtype=dtype, device=device)
    margin = torch.full((members,), torch.nan, dtype=dtype, device=device)
    loss_end = torch.full((members,), torch.nan, dtype=dtype, device=device)

    weights_end = [torch.full_like(w, torch.nan) for w in weights] if needs_end(experiment.arms) else None

    def measure(end: Moment) -> None:
        ids = end.members
        kernel_change[ids], kernel_change_layer[ids] = held_out.kernel_change(ids, end.weights)
        changes = [w - w0[seed_of[ids]] for w, w0 in zip(end.weights, initial, strict=True)]
        norms = [inputs.norm(changes[0]), *(v.norm(dim=(-2, -1)) for v in changes[1:])]
        weight_change[ids] = torch.stack(norms, -1)
        test_output[ids] = held_out.predictor(ids, end.weights)
        margin[ids] = (end.output * y).amin(dim=-1)
        loss_end[ids] = flow.mean_loss(end.output)
        if weights_end is not None:
            for kept, w in zip(weights_end, end.weights, strict=True):
                kept[ids] = w

    scaled = torch.as_tensor(scaled_times(experiment.checkpoints), device=device)  # float64, as times are
    checkpoints = Checkpoints(held_out, flow, len(scaled), layers)
    save_at = SaveAt(root_h_alpha.double().clamp(max=1.0).unsqueeze(-1) * scaled, checkpoints.record)
    count = len(experiment.amplitudes) * (task.seed_stop - task.seed_start)
    limit = experiment.time_limit  # of the whole task: what is left of it is shared by the networks that are left
    if limit is not None:
        limit = (limit - (clock.perf_counter() - started)) * len(which) / (count - which.start)
    stepper, controller = build(experiment, network, (task.seed_start + seeds).tolist(), seed_of, root_h_alpha)
    result = integrate(
        flow,
        weights,
        (half, Stop(flow)) if integrator == "adam" else (linear, half, Stop(flow)),
        measure,
        stepper=stepper,
        controller=controller,
        max_steps=experiment.max_steps,
        time_limit=limit,
        save_at=save_at if len(scaled) else None,
    )

    test_error = (test_output * y_test <= 0).to(dtype).mean(-1).where(torch.isfinite(margin), torch.nan)
    beside = {}
    if len(experiment.arms) > 1:
        arms = Arms(flow, held_out, weights_end, experiment.tolerance, experiment.max_steps)
        network_arm = Arm(test_output, result.time_end, result.status)
        found = [network_arm if name == "network" else arms.follow(name) for name in experiment.arms]
        beside = arm_columns(found, test_output, y_test)
        test_error = beside["test_error"]
    on_the_way = {
        "time": checkpoints.time,
        "loss": checkpoints.loss,
        "output_rms": checkpoints.output_rms,
        "kernel_change_t": checkpoints.kernel_change,
        "preactivation_velocity": checkpoints.velocity,
    }
    return {
        **(on_the_way if len(scaled) else {}),
        **beside,
        "kernel_change": kernel_change,
        "kernel_change_layer": kernel_change_layer,
        "kernel_norm_initial": held_out.norm_initial[seed_of] / experiment.n_kernel,
        "weight_change": weight_change,
        "weight_norm": torch.stack([w.norm(dim=(-2, -1)) for w in drawn], -1)[seed_of],
        "test_error": test_error,
        "train_margin": margin,
        "time_end": result.time_end,
        "time_half": half.time,
        "time_linear": linear.time,
        "output_rms_half": half.output_rms,
        "output_rms_linear": linear.output_rms,
        "kernel_change_linear": linear.kernel_change,
        "loss_end": loss_end,
        "steps": result.steps,
        "gradient_evaluations": result.evaluations,
        "test_output": test_output,
        "status": result.status,
    }


def build_network(experiment: Experiment, data: Data, width: int) -> Architecture:
    """Return the experiment's architecture for its data at one width."""
    cls = architecture_class(experiment.architecture)
    shape = data.image_shape if cls.images else None
    activation = Activation(experiment.activation, normalise=experiment.normalise)
    return cls(shape or data.x_train.shape[1], width, experiment.depth, activation, experiment.bias)
