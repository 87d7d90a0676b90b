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
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.protocol import Batch, Hermite, SolverState, StepProposal, per_member
from simulate.networks.linearisation import Weights

_DAMPING = 2.0 / 13.0
_MOST_STAGES = 1000
_ITERATIONS = 30  # of the power method, at most: the last vector is where the next step begins
_SETTLED = 0.05  # relative change of the eigenvalue at which the power method stops
_CERTAIN = 0.1
_MARGIN = 1.2  # on the eigenvalue, which the power method approaches from below
_FRESH = 0.1  # share of a fixed random direction in the first vector, so that a new largest eigenvalue is found


class Chebyshev:
    """RKC2.

    Remembers the vector of the power method (m, n), how fast the gradient changed along the last step (m,), dF/dt on
    the training set (m, n), and the gradient.
    """

    order = 3

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        gradient = point.weight_velocity()
        return _random_direction(point.output), torch.zeros_like(flow.alpha), _rate(flow, point, gradient), *gradient

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        direction, seen, rate, *gradient = batch.state
        radius, direction, iterations = _spectral_radius(batch, direction, rate)
        radius = torch.maximum(radius, _MARGIN * seen)
        # a step that would take more stages than this is spoilt and rejected: its NaN is seen by the controller
        wanted = stages_for(batch.dt * radius)
        stages = wanted.nan_to_num(2.0).clamp(2, _MOST_STAGES).to(torch.int64)
        new, seen = _stages(batch, gradient, stages)
        point = batch.flow(new)
        new_gradient = point.weight_velocity()
        new_rate = _rate(batch.flow, point, new_gradient)
        error = 0.8 * (batch.point.output - point.output) + 0.4 * batch.dt.unsqueeze(-1) * (rate + new_rate)
        error = torch.where((wanted <= _MOST_STAGES).unsqueeze(-1), error, torch.inf)
        return StepProposal(new, point, error, stages + iterations, (direction, seen, new_rate, *new_gradient))

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> Hermite:
        """See `Stepper`."""
        dt = batch.dt[index]
        first, last = ([per_member(dt, g) * g[index] for g in state[3:]] for state in (batch.state, proposal.state))
        return Hermite([w[index] for w in batch.weights], (first, last), [w[index] for w in proposal.weights])


def _rate(flow: GradientFlow, point: Point, gradient: Weights) -> Tensor:
    """dF/dt on the training set, (m, n)."""
    return flow.alpha.unsqueeze(-1) * point.linearisation.pushforward(gradient)


def _random_direction(like: Tensor) -> Tensor:
    drawn = torch.randn(like.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (drawn / drawn.norm()).to(like).expand_as(like).clone()


def _spectral_radius(batch: Batch, direction: Tensor, rate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The eigenvalue, with its margin, the vector that belongs to it, and how many products it took; of each member."""
    at, n = batch.point.linearisation, direction.shape[1]
    ahead = (batch.point.output + batch.dt.unsqueeze(-1) * rate) * batch.flow.y
    curvature = torch.maximum(batch.point.curvature, batch.flow.loss.curvature(ahead))
    root = curvature.sqrt()
    vector = direction + _FRESH * _random_direction(direction)
    vector = vector / vector.norm(dim=-1, keepdim=True)
    value = torch.zeros_like(batch.dt)
    iterations = torch.zeros_like(batch.steps)
    active = torch.ones_like(value, dtype=torch.bool)
    for _ in range(_ITERATIONS):
        image = root * at.pushforward(at.pullback(root * vector)) / n
        size = image.norm(dim=-1)
        iterations += active
        usable = active & (size > 0.0)
        vector = torch.where(usable.unsqueeze(-1), image / size.unsqueeze(-1), vector)
        settled = (size - value).abs() <= _SETTLED * size
        value = torch.where(active, size, value)
        # where two stages are enough by far, as many as there are at least, the eigenvalue need not be known
        active = active & ~settled & (1.54 * batch.dt * value >= _CERTAIN * 3.0)
        if not active.any():
            break
    return _MARGIN * value, vector, iterations


def _stages(batch: Batch, gradient: Weights, stages: Tensor) -> tuple[Weights, Tensor]:
    """The weights after all stages, ``stages`` (m,) of them, and |g(Y_1) - g(Y_0)|/|Y_1 - Y_0|."""
    order = torch.argsort(stages, descending=True, stable=True)
    counts = stages[order].tolist()
    sorted_already = bool((order[1:] > order[:-1]).all())
    flow, start, slope, dt = batch.flow, batch.weights, gradient, batch.dt
    if not sorted_already:
        flow, dt = flow.select(order), dt[order]
        start, slope = [w[order] for w in start], [g[order] for g in slope]
    table = _gathered(counts, dt)

    before, now = start, [torch.addcmul(w, per_member(table.first, w), g) for w, g in zip(start, slope, strict=True)]
    end = [torch.empty_like(w) for w in start]
    for j in range(2, counts[0] + 1):
        active = sum(count >= j for count in counts)
        left = sum(count > j for count in counts)
        part = slice(0, active)
        now = [w[part] for w in now]
        point = flow.select(part)(now)
        force = point.weight_velocity()
        if j == 2:
            seen = _norm([a - b for a, b in zip(force, slope, strict=True)]) / (table.first * _norm(slope))
        new = []
        for y0, g0, y1, y2, g in zip(start, slope, now, before, force, strict=True):
            c = [per_member(column[part, j], y1) for column in table.columns]
            y = c[0] * y0[part]
            y.addcmul_(c[1], y1).addcmul_(c[2], y2[part]).addcmul_(c[3], g).addcmul_(c[4], g0[part])
            new.append(y)
        for whole, y in zip(end, new, strict=True):
            whole[left:active] = y[left:]
        before, now = now, new
    if sorted_already:
        return end, seen
    back = torch.argsort(order)
    return [w[back] for w in end], seen[back]


def _norm(parts: Weights) -> Tensor:
    return torch.stack([part.flatten(1).norm(dim=1) for part in parts]).norm(dim=0)


@dataclass
class _Coefficients:
    """Of Y_j = c_0 Y_0 + c_1 Y_{j-1} + c_2 Y_{j-2} + c_3 g(Y_{j-1}) + c_4 g(Y_0), and Y_1 = Y_0 + first g(Y_0).

    ``first`` (m,); five ``columns`` (m, stages + 1), entry j for stage j. The step sizes are multiplied in.
    """

    first: Tensor
    columns: list[Tensor] = field(default_factory=list)


def _gathered(counts: list[int], dt: Tensor) -> _Coefficients:
    rows = torch.zeros((len(counts), 5, counts[0] + 1), dtype=torch.float64)
    first = torch.empty(len(counts), dtype=torch.float64)
    for i, s in enumerate(counts):
        first[i], table = coefficients(s)
        rows[i, :, : s + 1] = table
    rows, first = rows.to(dt), first.to(dt)
    rows[:, 3:] *= dt.view(-1, 1, 1)
    return _Coefficients(first * dt, list(rows.unbind(dim=1)))


def stages_for(stiffness: Tensor) -> Tensor:
    """Return how many stages a step with dt·lambda = ``stiffness`` takes to be stable, as a floating-point tensor."""
    return 1.0 + torch.floor(torch.sqrt(1.54 * stiffness + 1.0))


@functools.lru_cache(maxsize=1024)
def coefficients(s: int) -> tuple[float, Tensor]:
    """The coefficients of ``s`` stages for dt = 1 (equations 2.2 to 2.6 of the paper)."""
    w0 = 1.0 + _DAMPING / s**2
    t, dt, ddt = [1.0, w0], [0.0, 1.0], [0.0, 0.0]  # Chebyshev polynomials at w0 and their derivatives
    for j in range(2, s + 1):
        t.append(2.0 * w0 * t[j - 1] - t[j - 2])
        dt.append(2.0 * t[j - 1] + 2.0 * w0 * dt[j - 1] - dt[j - 2])
        ddt.append(4.0 * dt[j - 1] + 2.0 * w0 * ddt[j - 1] - ddt[j - 2])
    w1 = dt[s] / ddt[s]
    b = [math.nan, math.nan, *(ddt[j] / dt[j] ** 2 for j in range(2, s + 1))]
    b[0] = b[1] = b[2]
    a = [1.0 - b[j] * t[j] for j in range(s + 1)]
    table = torch.zeros((5, s + 1), dtype=torch.float64)
    for j in range(2, s + 1):
        mu, nu, mu_t = 2.0 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], 2.0 * b[j] * w1 / b[j - 1]
        table[:, j] = torch.tensor([1.0 - mu - nu, mu, nu, mu_t, -a[j - 1] * mu_t], dtype=torch.float64)
    return b[1] * w1, table
