r"""Stabilised explicit steps: the damped Runge-Kutta-Chebyshev method of order 2, for any architecture.

RKC2 (Sommeijer, Shampine, Verwer, J. Comput. Appl. Math. 88 (1998) 315) takes s stages and is stable for
dt·lambda <= 2 (s² - 1)(1 - 2 eps/15)/3, eps = 2/13: on stiff flows dt grows like s² for s gradients, and no n×n
matrix is formed. Its error estimate and its cubic dense output are those of that paper, the estimate in function space,

    0.8 (F_0 - F_1) + 0.4 dt (dF_0/dt + dF_1/dt),    dF/dt = alpha J g,

from forward passes at both ends, so that it sees kinks. lambda is the largest eigenvalue of D^(1/2) Theta D^(1/2)/n, by
power iteration through J^T and J. D is the larger of l'' where the step starts and where dF/dt says that it ends: the
curvature of a hinge rises from nothing within a step. What the Gauss-Newton matrix leaves out of the flow's Jacobian
makes networks grow, but can be stiff too (saturated networks, A << 1): lambda is at least |dg|/|dw| over the first
stage of the step before.

Each member has its own s. They are put in order of it, so that a stage works on a leading part of the batch.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.chebyshev_coefficients import coefficients, stages_for
from simulate.integrators.dense_output import Hermite
from simulate.integrators.protocol import Batch, SolverState, StepProposal, norm_per_member, per_member
from simulate.networks.linearisation import Weights

_MAX_STAGES = 1000
_ITERATIONS = 30  # of the power method, at most: the last vector is where the next step begins
_EIGENVALUE_CHANGE = 0.05  # relative, at which the power method stops
_NONSTIFF_SHARE = 0.1  # of the stiffness that two stages bear, below which the eigenvalue need not be known
_MARGIN = 1.2  # on the eigenvalue, which the power method approaches from below
_RANDOM_SHARE = 0.1  # share of a fixed random direction in the first vector, so that a new largest eigenvalue is seen


class Chebyshev:
    """RKC2, a `simulate.integrators.protocol.Stepper`.

    Its state is the vector of the power method (m, n), how fast the gradient changed along the last step (m,), dF/dt on
    the training set (m, n), and dw/dt.
    """

    order = 3

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        velocity = point.weight_velocity()
        direction = _random_direction(point.output)
        return direction, torch.zeros_like(flow.alpha), _output_rate(flow, point, velocity), *velocity

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        direction, gradient_change, output_rate, *velocity = batch.state
        radius, direction, iterations = _spectral_radius(batch, direction, output_rate)
        radius = torch.maximum(radius, _MARGIN * gradient_change)
        # a step that would take more stages than this is spoilt and rejected: the controller sees its infinite error
        needed = stages_for(batch.dt * radius)
        stages = needed.nan_to_num(2.0).clamp(2, _MAX_STAGES).to(torch.int64)
        weights, gradient_change = _stages(batch, velocity, stages)
        point = batch.flow(weights)
        velocity = point.weight_velocity()
        end_rate = _output_rate(batch.flow, point, velocity)
        error = 0.8 * (batch.point.output - point.output) + 0.4 * batch.dt.unsqueeze(-1) * (output_rate + end_rate)
        error = torch.where((needed <= _MAX_STAGES).unsqueeze(-1), error, torch.inf)
        state = direction, gradient_change, end_rate, *velocity
        return StepProposal(weights, point, error, evaluations=stages + iterations, state=state)

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> Hermite:
        """See `Stepper`."""
        dt = batch.dt[index]
        first, last = ([per_member(dt, g) * g[index] for g in state[3:]] for state in (batch.state, proposal.state))
        return Hermite([w[index] for w in batch.weights], (first, last), [w[index] for w in proposal.weights])


def _output_rate(flow: GradientFlow, point: Point, velocity: Weights) -> Tensor:
    """Return dF/dt on the training set where dw/dt is ``velocity``, (m, n)."""
    return flow.alpha.unsqueeze(-1) * point.linearisation.pushforward(velocity)


def _random_direction(like: Tensor) -> Tensor:
    """Return the same random unit vector for every member, in the shape of ``like`` (m, n)."""
    return _random_vector(like.shape[1], like.dtype, like.device).expand_as(like).clone()


@functools.lru_cache(maxsize=16)
def _random_vector(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    drawn = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (drawn / drawn.norm()).to(device, dtype)


def _spectral_radius(batch: Batch, direction: Tensor, output_rate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return lambda with its margin (m,), the vector that belongs to it (m, n), and how many products it took (m,)."""
    linearisation, n = batch.point.linearisation, direction.shape[1]
    margin_at_end = (batch.point.output + batch.dt.unsqueeze(-1) * output_rate) * batch.flow.y
    curvature = torch.maximum(batch.point.curvature, batch.flow.loss.curvature(margin_at_end))
    root = curvature.sqrt()
    vector = torch.add(direction, _random_vector(n, direction.dtype, direction.device), alpha=_RANDOM_SHARE)
    vector = vector / vector.norm(dim=-1, keepdim=True)
    value = torch.zeros_like(batch.dt)
    iterations = torch.zeros_like(batch.steps)
    active = torch.ones_like(value, dtype=torch.bool)
    for _ in range(_ITERATIONS):
        image = root * linearisation.pushforward(linearisation.pullback(root * vector)) / n
        size = image.norm(dim=-1)
        iterations += active
        usable = active & (size > 0.0)
        vector = torch.where(usable.unsqueeze(-1), image / size.unsqueeze(-1), vector)
        settled = (size - value).abs() <= _EIGENVALUE_CHANGE * size
        value = torch.where(active, size, value)
        # where two stages, the smallest number, are enough by far, the eigenvalue need not be known
        active = active & ~settled & (1.54 * batch.dt * value >= _NONSTIFF_SHARE * 3.0)
        if not active.any():
            break
    return _MARGIN * value, vector, iterations


def _stages(batch: Batch, velocity: Weights, stages: Tensor) -> tuple[Weights, Tensor]:
    """Return the weights after ``stages`` (m,) stages, and |g(Y_1) - g(Y_0)|/|Y_1 - Y_0| (m,)."""
    unordered = stages.tolist()
    positions = sorted(range(len(unordered)), key=lambda m: -unordered[m])
    counts = [unordered[m] for m in positions]
    sorted_already = counts == unordered
    flow, start, slope, dt = batch.flow, batch.weights, velocity, batch.dt
    if not sorted_already:
        order = torch.tensor(positions, device=dt.device)
        flow, dt = flow.select(order), dt[order]
        start, slope = [w[order] for w in start], [g[order] for g in slope]
    table = _Coefficients.for_members(counts, dt)

    before, now = start, [torch.addcmul(w, per_member(table.first, w), g) for w, g in zip(start, slope, strict=True)]
    end = [torch.empty_like(w) for w in start]
    for j in range(2, counts[0] + 1):
        active = sum(count >= j for count in counts)
        left = sum(count > j for count in counts)
        part = slice(0, active)
        now = [w[part] for w in now]
        rate = flow.select(part)(now).weight_velocity()
        if j == 2:
            rate_change = norm_per_member([a - b for a, b in zip(rate, slope, strict=True)])
            change = rate_change / (table.first * norm_per_member(slope))
        new = []
        for y0, g0, y1, y2, g in zip(start, slope, now, before, rate, strict=True):
            c = [per_member(column[part, j], y1) for column in table.columns]
            y = c[0] * y0[part]
            y.addcmul_(c[1], y1).addcmul_(c[2], y2[part]).addcmul_(c[3], g).addcmul_(c[4], g0[part])
            new.append(y)
        for whole, y in zip(end, new, strict=True):
            whole[left:active] = y[left:]
        before, now = now, new
    if sorted_already:
        return end, change
    back = torch.argsort(order)
    return [w[back] for w in end], change[back]


@dataclass
class _Coefficients:
    """Of Y_j = c_0 Y_0 + c_1 Y_{j-1} + c_2 Y_{j-2} + c_3 g(Y_{j-1}) + c_4 g(Y_0), and Y_1 = Y_0 + first g(Y_0).

    ``first`` (m,); five ``columns`` (m, stages + 1), entry j for stage j. The step sizes are multiplied in.
    """

    first: Tensor
    columns: list[Tensor] = field(default_factory=list)

    @classmethod
    def for_members(cls, counts: list[int], dt: Tensor) -> _Coefficients:
        """Return those of members that take ``counts`` stages, the largest first, in steps of size ``dt`` (m,)."""
        tables = np.zeros((len(counts), 5, counts[0] + 1))
        for i, s in enumerate(counts):
            tables[i, :, : s + 1] = coefficients(s)[1]
        rows = torch.as_tensor(tables).to(dt)
        first = torch.tensor([coefficients(s)[0] for s in counts], dtype=torch.float64).to(dt)
        rows[:, 3:] *= dt.view(-1, 1, 1)
        return cls(first * dt, list(rows.unbind(dim=1)))
