"""Integration of a flow with a frozen kernel (`simulate.integrators.frozen_flow`) over a step of every member.

By damped Runge-Kutta-Chebyshev steps of order 2 (`simulate.integrators.chebyshev_coefficients`), each member with its
own step sizes and numbers of stages; a stage costs a product with M.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from simulate.dynamics.flow import rms
from simulate.integrators.chebyshev_coefficients import coefficients, stages_for
from simulate.integrators.coefficient_path import CoefficientPath
from simulate.integrators.frozen_flow import FrozenFlow

_MAX_STAGES = 60
_MAX_STEPS = 300  # a member that needs more has its whole step spoilt, which the controller shortens
_SAFETY, _SHRINK, _GROW = 0.85, 0.2, 5.0
_SMALLEST = 1e-9  # share of dt
_FIRST = 0.1  # share of the predictor's size by which it moves in the first step, at its initial rate


def integrate_frozen_flow(frozen: FrozenFlow, dt: Tensor, scale: Tensor, tolerance: float) -> CoefficientPath:
    """Integrate every member over its ``dt`` (m,).

    Errors of F are kept below ``tolerance`` · (``scale`` + rms F) a step, ``scale`` (m,). Coefficients of a member that
    does not reach its ``dt`` are NaN.
    """
    loss, trace = frozen.loss, frozen.kernel.diagonal(dim1=-2, dim2=-1)
    time, e, u = torch.zeros_like(dt), torch.zeros_like(frozen.margin), frozen.margin
    f = -loss.slope(u)
    rate = frozen.rate(e, f)
    step = _FIRST * (scale + _size(u)) / _size(rate)
    done = torch.zeros_like(dt, dtype=torch.bool)
    nodes = [(time, e, f, u, rate)]
    for _ in range(_MAX_STEPS):
        left = dt - time
        h = torch.minimum(step, left)
        # what the curvature is at most: now, or where the rate says that the step ends
        curvature_ahead = loss.curvature(torch.addcmul(u, h.view(-1, 1, 1), rate))
        radius = (trace * torch.maximum(loss.curvature(u), curvature_ahead).squeeze(1)).sum(-1)
        longest = 0.64 * (_MAX_STAGES**2 - 1) / radius
        last, h = (step >= left) & (h <= longest), torch.where(done, 0.0, torch.minimum(h, longest))
        new = _chebyshev_step(frozen, e, f, h, radius)
        new_u = frozen.margins(new)
        new_f = -loss.slope(new_u)
        new_rate = frozen.rate(new, new_f)
        error = _size(0.8 * (u - new_u) + (0.4 * h).view(-1, 1, 1) * (rate + new_rate))
        error = error / (tolerance * (scale + _size(new_u)))
        accepted = (error <= 1.0) & ~done
        factor = (_SAFETY * error.clamp_min(1e-12) ** (-1.0 / 3.0)).clamp(_SHRINK, _GROW).nan_to_num(_SHRINK)
        taken = accepted.view(-1, 1, 1)
        time = torch.where(accepted, torch.where(last, dt, time + h), time)
        e, u, f, rate = (torch.where(taken, b, a) for a, b in ((e, new), (u, new_u), (f, new_f), (rate, new_rate)))
        step = torch.where(done, step, h * factor)
        if accepted.any():
            nodes.append((time, e, f, u, rate))
        # a step that is not a number, or too small, is given up
        done = done | (accepted & last) | ~(step > _SMALLEST * dt)
        if done.all():
            break
    time, *vectors = (torch.stack(part) for part in zip(*nodes, nodes[-1], strict=True))
    e, f, u, rate = (part.squeeze(2) for part in vectors)
    spoilt = (time[-1] < dt).unsqueeze(-1)
    p = torch.where(spoilt, torch.nan, e * frozen.unit)
    return CoefficientPath.through(time, p, f * frozen.unit, u, rate, frozen.along(e[-1]) / frozen.unit)


def _size(rows: Tensor) -> Tensor:
    return rms(rows).squeeze(1)


def _chebyshev_step(frozen: FrozenFlow, e: Tensor, f: Tensor, h: Tensor, radius: Tensor) -> Tensor:
    """Return e after one step of size ``h`` (m,) from ``e``, where de/dt = ``f``."""
    stages = stages_for(h * radius).nan_to_num(2.0).clamp(2, _MAX_STAGES).to(torch.int64)
    first, table = (part.to(e)[stages] for part in _tables())
    table[:, 2] *= h.unsqueeze(-1)
    hf = h.view(-1, 1, 1) * f
    before, now = torch.zeros_like(e), first.view(-1, 1, 1) * hf  # of what is added to e
    for stage in table.permute(2, 1, 0)[2 : int(stages.max()) + 1, :, :, None, None].unbind(0):
        a, b, c, d = stage.unbind(0)
        slope = frozen.loss.slope(frozen.margins(e + now))
        new = (a * now).addcmul_(b, before).addcmul_(c, slope, value=-1.0).addcmul_(d, hf)
        before, now = now, new
    return e + now


@functools.cache
def _tables() -> tuple[Tensor, Tensor]:
    """Return the coefficients of all numbers of stages s, (s,) and (s, 4, stage); beyond stage s, nothing moves."""
    first = torch.zeros(_MAX_STAGES + 1, dtype=torch.float64)
    table = torch.zeros((_MAX_STAGES + 1, 4, _MAX_STAGES + 1), dtype=torch.float64)
    table[:, 0] = 1.0
    for s in range(2, _MAX_STAGES + 1):
        first[s], of_stages = coefficients(s)
        table[s, :, : s + 1] = of_stages[1:]  # increments: Y_0 drops out
    return first, table
