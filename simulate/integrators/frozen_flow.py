r"""A flow whose kernel is frozen over a step, followed in function space: n numbers a member, no network.

With margins u = F y and the kernel M = y Theta y / n at the step's start, e = alpha n y p and F = F_0 + alpha Theta p,
the flow dp/dt = c(F) of the coefficients p is

    de/dt = -l'(u),    u = u_0 + M e + b (v·e)²,

where b is what networks add to second order on their way, v·e of it; zero in a first pass. It is integrated by
damped Runge-Kutta-Chebyshev steps of order 2 (`simulate.integrators.chebyshev`), each member with its own step sizes
and stages, which cost a product with M each. The eigenvalues of M l'' are at most the sum of M_jj l''_j.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point, rms
from simulate.dynamics.losses import Loss
from simulate.integrators.chebyshev import coefficients, stages_for
from simulate.integrators.protocol import cubic
from simulate.networks import ntk

_MOST_STAGES = 60
_MOST_STEPS = 300  # a member that takes more has its whole step spoilt, which the controller shortens
_SAFETY, _SHRINK, _GROW = 0.85, 0.2, 5.0
_LEAST = 1e-9  # share of dt
_BETWEEN = 4  # parts of what is between nodes
_FIRST = 0.1  # share of the predictor's size by which it moves in the first step, at its initial rate


@dataclass
class Path:
    """Coefficients p over a step, at ``nodes`` + 1 instants of each member's own.

    ``time`` (nodes + 1, m) from 0 to dt; ``p``, ``rate`` = dp/dt, the margins ``u``, ``du`` = du/dt and ``late``
    (nodes + 1, m, n), where

        late = int x dp,    x = v·p,    v = G p_end / p_end·G p_end,

    is the part that belongs to the kernel at the end, if J changes in proportion to x: with G = Theta the way J^T p of
    the weights, along their way to the end, and with G = 1 that of the coefficients. ``v`` has shape (1, m, n).
    """

    time: Tensor
    p: Tensor
    rate: Tensor
    u: Tensor
    du: Tensor
    late: Tensor
    v: Tensor

    @classmethod
    def of(cls, time: Tensor, p: Tensor, rate: Tensor, u: Tensor, du: Tensor, v: Tensor) -> Path:
        """Return the path through these nodes, with its ``late`` by the trapezoidal rule; ``v`` (m, n)."""
        x = (p * v).sum(-1, keepdim=True)
        pieces = 0.5 * (x[1:] + x[:-1]) * (p[1:] - p[:-1])
        return cls(time, p, rate, u, du, torch.cat([torch.zeros_like(p[:1]), pieces.cumsum(0)]), v.unsqueeze(0))

    def select(self, index: Tensor) -> Path:
        """Return the paths of the members at positions ``index``."""
        return Path(*(getattr(self, part.name)[:, index] for part in fields(self)))

    def at(self, share: Tensor) -> tuple[Tensor, Tensor]:
        """Return p and late, (m, n) each, at the shares ``share`` (m,) of the steps: cubic between nodes."""
        time, members = share * self.time[-1], torch.arange(len(share), device=share.device)
        k = ((self.time <= time).sum(0) - 1).clamp(0, len(self.time) - 2)
        start, width = self.time[k, members], self.time[k + 1, members] - self.time[k, members]
        s = ((time - start) / width.clamp_min(torch.finfo(time.dtype).tiny)).clamp(0.0, 1.0).unsqueeze(-1)
        width = width.unsqueeze(-1)
        a, b = self.p[k, members], self.p[k + 1, members]
        va, vb = width * self.rate[k, members], width * self.rate[k + 1, members]
        p = cubic(a, va, b, vb, s)
        x = 0.5 * ((p + a) * self.v[0]).sum(-1, keepdim=True)
        return p, self.late[k, members] + x * (p - a)

    def margins(self) -> tuple[Tensor, Tensor]:
        """Return shares (k, m), from 0 to 1, and u there, (k, m, n): at nodes, and cubic between them."""
        width = (self.time[1:] - self.time[:-1]).unsqueeze(-1)
        va, vb = width * self.du[:-1], width * self.du[1:]
        inside = [cubic(self.u[:-1], va, self.u[1:], vb, i / _BETWEEN) for i in range(_BETWEEN)]
        time = [torch.lerp(self.time[:-1], self.time[1:], i / _BETWEEN) for i in range(_BETWEEN)]
        u = torch.cat([torch.stack(inside, 1).flatten(0, 1), self.u[-1:]])
        return torch.cat([torch.stack(time, 1).flatten(0, 1), self.time[-1:]]) / self.time[-1], u


@dataclass
class FrozenFlow:
    """The equation above, of m members; ``bend`` is b and v, None where b is zero.

    ``margin``, ``bend``, and what `margins` and `rate` take and give, are rows, (m, 1, n), as products with M take
    them; all else is (m, n). ``by_weights`` says whether ways are those of weights, or of the coefficients (`Path`).
    """

    loss: Loss
    kernel: Tensor  # M, (m, n, n)
    margin: Tensor  # u_0
    unit: Tensor  # p = unit · e
    by_weights: bool = True
    bend: tuple[Tensor, Tensor] | None = None

    @classmethod
    def of(cls, flow: GradientFlow, point: Point, theta: Tensor, *, by_weights: bool = True) -> FrozenFlow:
        """Freeze the flow at a point; ``theta`` is its kernel, which is overwritten."""
        n = len(flow.y)
        kernel = theta.mul_(flow.y.unsqueeze(-1) * flow.y / n)
        unit = flow.y / (flow.alpha.unsqueeze(-1) * n)
        return cls(flow.loss, kernel, (point.output * flow.y).unsqueeze(1), unit, by_weights)

    def bent(self, excess: Tensor, p: Tensor) -> FrozenFlow:
        """Return it with what F (times y) has more than linearly at ``p``, (m, n) both."""
        return replace(self, bend=(excess.unsqueeze(1), self.along(p / self.unit).unsqueeze(1)))

    def along(self, e: Tensor) -> Tensor:
        """v for coefficients that end at ``e``, and multiplies such: M e / e·M e; along e where M is zero on it."""
        moved = e
        if self.by_weights:
            noise = torch.finfo(e.dtype).eps * self.kernel.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)
            moved = torch.addcmul(self.through(e), noise, e)
        return moved / (moved * e).sum(-1, keepdim=True).clamp_min(torch.finfo(e.dtype).tiny)

    def through(self, e: Tensor) -> Tensor:
        """M e."""
        return ntk.product(self.kernel, e)

    def margins(self, e: Tensor) -> Tensor:
        """u."""
        u = torch.baddbmm(self.margin, e, self.kernel)
        if self.bend is not None:
            bend, v = self.bend
            u.addcmul_(bend, (v * e).sum(-1, keepdim=True).square_())
        return u

    def rate(self, e: Tensor, de: Tensor) -> Tensor:
        """du/dt where de/dt = ``de``."""
        rate = torch.bmm(de, self.kernel)
        if self.bend is not None:
            bend, v = self.bend
            rate.addcmul_(bend, (v * e).sum(-1, keepdim=True) * (v * de).sum(-1, keepdim=True), value=2.0)
        return rate


def follow(frozen: FrozenFlow, dt: Tensor, scale: Tensor, tolerance: float) -> Path:
    """Integrate every member over its ``dt`` (m,), errors of F below ``tolerance`` · (``scale`` + rms F) a step."""
    loss, trace = frozen.loss, frozen.kernel.diagonal(dim1=-2, dim2=-1)
    time, e, u = torch.zeros_like(dt), torch.zeros_like(frozen.margin), frozen.margin
    f = -loss.slope(u)
    rate = frozen.rate(e, f)
    step = _FIRST * (scale + _size(u)) / _size(rate)
    done = torch.zeros_like(dt, dtype=torch.bool)
    nodes = [(time, e, f, u, rate)]
    for _ in range(_MOST_STEPS):
        left = dt - time
        h = torch.minimum(step, left)
        # what the curvature is at most: now, or where the rate says that the step ends
        ahead = loss.curvature(torch.addcmul(u, h.view(-1, 1, 1), rate))
        radius = (trace * torch.maximum(loss.curvature(u), ahead).squeeze(1)).sum(-1)
        longest = 0.64 * (_MOST_STAGES**2 - 1) / radius
        last, h = (step >= left) & (h <= longest), torch.where(done, 0.0, torch.minimum(h, longest))
        new = _chebyshev(frozen, e, f, h, radius)
        new_u = frozen.margins(new)
        new_f = -loss.slope(new_u)
        new_rate = frozen.rate(new, new_f)
        error = _size(0.8 * (u - new_u) + (0.4 * h).view(-1, 1, 1) * (rate + new_rate))
        error = error / (tolerance * (scale + _size(new_u)))
        accept = (error <= 1.0) & ~done
        factor = (_SAFETY * error.clamp_min(1e-12) ** (-1.0 / 3.0)).clamp(_SHRINK, _GROW).nan_to_num(_SHRINK)
        kept = accept.view(-1, 1, 1)
        time = torch.where(accept, torch.where(last, dt, time + h), time)
        e, u, f, rate = (torch.where(kept, b, a) for a, b in ((e, new), (u, new_u), (f, new_f), (rate, new_rate)))
        step = torch.where(done, step, h * factor)
        if accept.any():
            nodes.append((time, e, f, u, rate))
        # a step that is not a number, or too small, is given up
        done = done | (accept & last) | ~(step > _LEAST * dt)
        if done.all():
            break
    time, *vectors = (torch.stack(part) for part in zip(*nodes, nodes[-1], strict=True))
    e, f, u, rate = (part.squeeze(2) for part in vectors)
    spoilt = (time[-1] < dt).unsqueeze(-1)
    p = torch.where(spoilt, torch.nan, e * frozen.unit)
    return Path.of(time, p, f * frozen.unit, u, rate, frozen.along(e[-1]) / frozen.unit)


def _size(rows: Tensor) -> Tensor:
    return rms(rows).squeeze(1)


def _chebyshev(frozen: FrozenFlow, e: Tensor, f: Tensor, h: Tensor, radius: Tensor) -> Tensor:
    """One step of RKC2 of size ``h`` (m,) from ``e``, where de/dt = ``f``."""
    stages = stages_for(h * radius).nan_to_num(2.0).clamp(2, _MOST_STAGES).to(torch.int64)
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
    """The coefficients of RKC2 for all numbers of stages s, (s,) and (s, 4, stage); beyond s, nothing moves."""
    first = torch.zeros(_MOST_STAGES + 1, dtype=torch.float64)
    table = torch.zeros((_MOST_STAGES + 1, 4, _MOST_STAGES + 1), dtype=torch.float64)
    table[:, 0] = 1.0
    for s in range(2, _MOST_STAGES + 1):
        first[s], own = coefficients(s)
        table[s, :, : s + 1] = own[1:]  # increments: Y_0 drops out
    return first, table
