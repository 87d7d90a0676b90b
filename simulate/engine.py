"""Train one task's networks and measure them: all values of A and a block of seeds at one width, in one batch."""

from __future__ import annotations

import math
import time as clock
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from simulate.events import Moment
from simulate.first_layer import first_layers
from simulate.flow import GradientFlow
from simulate.fully_connected import FullyConnected
from simulate.integrate import integrate
from simulate.integrators import ErrorControl, Rosenbrock
from simulate.losses import LOSSES
from simulate.observe import HalfLoss, HeldOut, LinearEnd, Stop
from simulate.schema import variables
from theory.activation import Activation

if TYPE_CHECKING:
    from simulate.campaign import Experiment, Task
    from simulate.data import Data


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
        Every variable of `simulate.schema.variables`, dimensionless, on dimensions (width: 1, amplitude, seed, ...).
        Times are in the article convention.
    """
    started = clock.perf_counter()
    dtype = getattr(torch, experiment.dtype)

    def tensor(values) -> Tensor:
        return torch.as_tensor(np.asarray(values), dtype=dtype, device=device)

    seeds = range(task.seed_start, task.seed_stop)
    amplitudes = experiment.root_h_alphas(task.width)
    # member = amplitude-major, so that reshape(n_amplitudes, n_seeds) gives the grid back
    seed_of = torch.arange(len(seeds), device=device).repeat(len(amplitudes))
    root_h_alpha = tensor(amplitudes).repeat_interleave(len(seeds))
    alpha = root_h_alpha / math.sqrt(task.width)

    x, y, x_test, y_test = (tensor(v) for v in (data.x_train, data.y_train, data.x_test, data.y_test))
    activation = Activation(experiment.activation, normalise=experiment.normalise)
    network = FullyConnected(x.shape[1], task.width, experiment.depth, activation)
    drawn = [w.to(device, dtype) for w in network.initial_weights(experiment.base_seed, seeds)]
    initial, inputs, inputs_test = first_layers(drawn, x, x_test)
    held_out = HeldOut(network, initial, seed_of, alpha, inputs_test, experiment.n_kernel)
    inputs_of = inputs.select(seed_of)
    flow = GradientFlow(network, LOSSES[experiment.loss], inputs_of, y, alpha, network.output(initial, inputs)[seed_of])
    weights = [w[seed_of] for w in initial]
    linear = LinearEnd(held_out, held_out.rate(flow(weights)))
    half = HalfLoss(held_out, flow)

    members = len(alpha)
    layers = experiment.depth + 1
    kernel_change = torch.full((members,), torch.nan, dtype=dtype, device=device)
    kernel_change_layer = torch.full((members, layers), torch.nan, dtype=dtype, device=device)
    weight_change = torch.full((members, layers), torch.nan, dtype=dtype, device=device)
    test_output = torch.full((members, len(data.y_test)), torch.nan, dtype=dtype, device=device)
    margin = torch.full((members,), torch.nan, dtype=dtype, device=device)
    loss_end = torch.full((members,), torch.nan, dtype=dtype, device=device)

    def measure(end: Moment) -> None:
        ids = end.members
        kernel_change[ids], kernel_change_layer[ids] = held_out.kernel_change(ids, end.weights)
        changes = [w - w0[seed_of[ids]] for w, w0 in zip(end.weights, initial, strict=True)]
        norms = [inputs.norm(changes[0]), *(v.norm(dim=(-2, -1)) for v in changes[1:])]
        weight_change[ids] = torch.stack(norms, -1)
        test_output[ids] = held_out.predictor(ids, end.weights)
        margin[ids] = (end.output * y).amin(dim=-1)
        loss_end[ids] = flow.mean_loss(end.output)

    stepper = Rosenbrock()
    result = integrate(
        flow,
        weights,
        (linear, half, Stop(flow)),
        measure,
        stepper=stepper,
        controller=ErrorControl(0.3 * root_h_alpha.clamp(max=1.0), experiment.tolerance, stepper.order),
        max_steps=experiment.max_steps,
        time_limit=experiment.time_limit,
    )

    seconds = (clock.perf_counter() - started) / members
    columns = {
        "alpha": alpha,
        "kernel_change": kernel_change,
        "kernel_change_layer": kernel_change_layer,
        "kernel_norm_initial": held_out.norm_initial[seed_of] / experiment.n_kernel,
        "weight_change": weight_change,
        "weight_norm": torch.stack([w.norm(dim=(-2, -1)) for w in drawn], -1)[seed_of],
        "test_error": (test_output * y_test <= 0).to(dtype).mean(-1).where(torch.isfinite(margin), torch.nan),
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
        "wall_time": torch.full((members,), seconds, dtype=torch.float64),
        "test_output": test_output,
        "status": result.status,
    }
    grid = ("width", experiment.amplitude, "seed")
    shape = (1, len(amplitudes), len(seeds))
    return xr.Dataset(
        {
            name: ((*grid, *variable.dims), _array(columns[name], shape, variable.dtype))
            for name, variable in variables(experiment.amplitude).items()
        }
    )


def _array(column: Tensor, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return column.cpu().numpy().astype(dtype).reshape(*shape, *column.shape[1:])
