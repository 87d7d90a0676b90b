"""Integration of a flow with a frozen kernel (`simulate.integrators.frozen_flow`) over a step of every member.

By damped Runge-Kutta-Chebyshev steps of order 2 (`simulate.integrators.chebyshev_coefficients`), each member with its
own step sizes and numbers of stages; a stage costs a product with M.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from simulate.integrators.chebyshev_coefficients import coefficients, stiffness_limits
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

    All members go through the same operations: one that has arrived, or given up, takes steps of size zero. The host
    waits once a step, for the largest number of stages, which is zero where nobody moves.
    """
    loss, root_n = frozen.loss, dt.new_tensor(frozen.margin.shape[2]).sqrt()
    trace = frozen.kernel.diagonal(dim1=-2, dim2=-1).unsqueeze(-1)
    longest_stable = dt.new_tensor(0.64 * (_MAX_STAGES**2 - 1))
    # the error is 0.8 |u - u_new + h (rate + rate_new)/2|, over the norm that is allowed, with the safety factor in it
    allowed = 1.25 * tolerance * _SAFETY**3
    allowed_scale, smallest = allowed * scale * root_n, _SMALLEST * dt

    e, u = torch.zeros_like(frozen.margin), frozen.margin
    f, curvature = loss.descent_and_curvature(u)
    rate = frozen.margin_rate(e, f)
    state = torch.stack([e, u, f, rate, curvature])  # (5, m, 1, n)
    left, step = dt, _FIRST * (scale * root_n + _norm(u)) / _norm(rate)
    nodes = [(left, state)]
    for _ in range(_MAX_STEPS):
        e, u, f, rate, curvature = state.unbind(0)
        h = torch.minimum(step, left)
        # what the curvature is at most: now, or where the rate says that the step ends
        curvature_ahead = loss.curvature(torch.addcmul(u, h.view(-1, 1, 1), rate))
        radius = torch.bmm(torch.maximum(curvature, curvature_ahead), trace).view(-1)
        h = torch.minimum(h, longest_stable / radius)
        stages = torch.bucketize(h * radius, _limits(h.dtype, h.device), right=True).add_(2).mul_(h > 0.0)
        most_stages = int(stages.max())
        if not most_stages:
            break
        h_rows = h.view(-1, 1, 1)
        e = _chebyshev_step(frozen, e, u, h_rows * f, h_rows, stages, most_stages)
        new_u = frozen.margins(e)
        f, curvature = loss.descent_and_curvature(new_u)
        new_rate = frozen.margin_rate(e, f)
        error = (u - new_u).addcmul_(h_rows, rate + new_rate, value=0.5)
        error = _norm(error) / torch.add(allowed_scale, _norm(new_u), alpha=allowed)
        accepted = error <= _SAFETY**-3
        factor = error.clamp_min_(1e-12).pow_(-1.0 / 3.0).clamp_(_SHRINK, _GROW).nan_to_num_(_SHRINK)
        state = torch.where(accepted.view(-1, 1, 1), torch.stack([e, new_u, f, new_rate, curvature]), state)
        left = torch.where(accepted, left - h, left)
        step = factor.mul_(h)
        step = torch.where(step > smallest, step, 0.0)  # one that is not a number, or too small, is given up
        nodes.append((left, state))
    lefts, state = (torch.stack(part) for part in zip(*nodes, nodes[-1], strict=True))
    e, u, f, rate, _ = state.squeeze(3).unbind(1)
    p = (e * frozen.p_per_e).masked_fill((lefts[-1] > 0.0).unsqueeze(-1), torch.nan)
    v = frozen.progress_vector(e[-1]) / frozen.p_per_e
    return CoefficientPath.from_nodes(dt - lefts, p, f * frozen.p_per_e, u, rate, v)


def _norm(rows: Tensor) -> Tensor:
    """Return the norms of rows (m, 1, n), shape (m,)."""
    return torch.linalg.vector_norm(rows, dim=(1, 2))


def _chebyshev_step(
    frozen: FrozenFlow, e: Tensor, u: Tensor, hf: Tensor, h_rows: Tensor, stages: Tensor, most_stages: int
) -> Tensor:
    """Return e after one step of size ``h_rows`` (m, 1, 1) in ``stages`` (m,) stages, where h de/dt = ``hf`` at first.

    ``most_stages`` is the largest of ``stages``; after its own last stage, a member does not move.
    """
    first, table = _tables(e.dtype, e.device)
    start, table = frozen.linear_margins(e, u), table[stages, 2 : most_stages + 1]
    table[:, :, 2] *= h_rows.unsqueeze(-1)
    now, before = first[stages] * hf, torch.zeros_like(e)  # of what is added to e
    for a, b, c, d in (stage.unbind(0) for stage in table.permute(1, 2, 0, 3, 4).unbind(0)):
        descent = frozen.loss.descent(frozen.margins_after(start, now))
        new = (a * now).addcmul_(b, before).addcmul_(c, descent).addcmul_(d, hf)
        before, now = now, new
    return e + now


@functools.cache
def _limits(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return for 3, 4, ... stages from which h·radius on they are needed."""
    return stiffness_limits(_MAX_STAGES).to(device, dtype)


@functools.cache
def _tables(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the coefficients of all numbers of stages s, (s, 1, 1) and (s, stage, 4, 1, 1).

    Beyond stage s nothing moves. Rows 0 and 1 are those of two stages.
    """
    first = torch.zeros(_MAX_STAGES + 1, dtype=torch.float64)
    table = torch.zeros((_MAX_STAGES + 1, _MAX_STAGES + 1, 4), dtype=torch.float64)
    table[:, :, 0] = 1.0
    for s in range(_MAX_STAGES + 1):
        first[s], of_stages = coefficients(max(s, 2))
        table[s, : max(s, 2) + 1] = of_stages[1:].mT  # increments: Y_0 drops out
    return first.view(-1, 1, 1).to(device, dtype), table[:, :, :, None, None].to(device, dtype)
