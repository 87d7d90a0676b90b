r"""Gradient flow under a fixed kernel, followed in function space: no weights, two n×n products a stage and no factor.

With margins m_i = F_i y_i, G = y Theta y^T / n (elementwise) and phi = -l' the flow of article time is

    dp/dt = phi(m),    m = m(0) + G p,    p(0) = 0,

for any symmetric Theta; alpha drops out. p gives the change of weights as well: it is J^T q with q = y p / (alpha n).
Steps are those of the stabilised explicit method RKC2 (`simulate.integrators.chebyshev`), whose stage is one product
with G: for a batch of small matrices that takes a small part of the time of a Cholesky factor. The spectral radius is
bounded by max l'' · ||G||_inf, so that it is never taken for too small.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.integrators.chebyshev import coefficients, stages_for

_MOST_STAGES = 40
_SAFETY = 0.8
_SHRINK, _GROW = 0.1, 6.0
_MOST_STEPS = 100_000


@dataclass
class Path:
    """The solution at the ends of the solver's steps; the cubic through p and dp/dt follows it between them.

    ``time`` (nodes, m), ``p`` and ``rate`` (nodes, m, n): a member that has arrived stays where it is.
    ``margin`` (m, n) is m at the end, ``next_step`` (m,) the step size that the solver would go on with.
    """

    time: Tensor
    p: Tensor
    rate: Tensor
    margin: Tensor
    next_step: Tensor

    @property
    def end(self) -> Tensor:
        """The time at which each member arrived, shape (m,)."""
        return self.time[-1]

    def select(self, index: Tensor) -> Path:
        """Return the members at positions ``index``."""
        return Path(
            self.time[:, index], self.p[:, index], self.rate[:, index], self.margin[index], self.next_step[index]
        )

    def at(self, time: Tensor) -> Tensor:
        """Return p at the times ``time`` (m,), shape (m, n)."""
        right = torch.searchsorted(self.time.T.contiguous(), time.unsqueeze(-1)).squeeze(-1)
        right = right.clamp(1, len(self.time) - 1)
        left, members = right - 1, torch.arange(len(time), device=time.device)
        h = (self.time[right, members] - self.time[left, members]).unsqueeze(-1)
        s = ((time - self.time[left, members]).unsqueeze(-1) / h).nan_to_num(1.0).clamp(0.0, 1.0)
        a, b = self.p[left, members], self.p[right, members]
        va, vb = h * self.rate[left, members], h * self.rate[right, members]
        return a + s * (b - a) + s * (s - 1.0) * ((1.0 - 2.0 * s) * (b - a) + (s - 1.0) * va + s * vb)


def follow(
    gram: Tensor,
    margin: Tensor,
    phi: Callable[[Tensor], Tensor],
    curvature: float,
    duration: Tensor,
    first_step: Tensor,
    allowed: Tensor,
    beyond: Callable[[Tensor], Tensor] | None = None,
) -> Path:
    """Follow the flow of each member for its ``duration``.

    Parameters
    ----------
    gram : Tensor
        G, shape (m, n, n).
    margin : Tensor
        m at the start, shape (m, n).
    phi : callable
        -l' of margins of shape (m, n).
    curvature : float
        The largest value of l''.
    duration, first_step : Tensor
        Article time, shape (m,).
    allowed : Tensor
        The rms over the n points of the error of m that a step may make, shape (m,).
    beyond : callable, optional
        Of margins (m, n): which members have come far enough, (m,). They stop at the end of the step that got there.
    """
    radius = curvature * gram.abs().sum(dim=-1).amax(dim=-1)
    longest = ((_MOST_STAGES - 1) ** 2 - 1) / 1.54 / radius
    table = _table(gram.dtype, gram.device)

    rate = phi(margin)
    state = _State(
        torch.arange(len(margin), device=margin.device), gram, margin, duration, allowed, radius, longest,
        torch.zeros_like(margin), margin, rate, torch.zeros_like(duration), first_step,
    )  # fmt: skip
    whole = [torch.zeros_like(duration), state.p, rate, margin.clone(), first_step.clone()]
    nodes = [tuple(part.clone() for part in whole[:3])]
    for _ in range(_MOST_STEPS):
        arrived = state.advance(phi, table)
        if beyond is not None:
            arrived |= beyond(state.margin)
        for mine, part in zip(whole, (state.time, state.p, state.rate, state.margin, state.step), strict=True):
            mine[state.members] = part
        nodes.append(tuple(part.clone() for part in whole[:3]))
        stay = torch.nonzero(~arrived).squeeze(-1)
        if len(stay) == 0:
            break
        if len(stay) < len(arrived):
            state = state.select(stay)
    time, p, rates = (torch.stack(parts) for parts in zip(*nodes, strict=True))
    return Path(time, p, rates, whole[3], whole[4])


@dataclass
class _State:
    """The members that have not arrived."""

    members: Tensor
    gram: Tensor
    start: Tensor
    duration: Tensor
    allowed: Tensor
    radius: Tensor
    longest: Tensor
    p: Tensor
    margin: Tensor
    rate: Tensor
    time: Tensor
    step: Tensor

    def select(self, index: Tensor) -> _State:
        return _State(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def _margin(self, p: Tensor) -> Tensor:
        return torch.baddbmm(self.start.unsqueeze(-1), self.gram, p.unsqueeze(-1)).squeeze(-1)

    def advance(self, phi: Callable[[Tensor], Tensor], table: Tensor) -> Tensor:
        """Try a step of every member; return which have arrived."""
        left = self.duration - self.time
        step = torch.minimum(torch.minimum(self.step, left), self.longest)
        last = step >= left * (1.0 - 1e-9)
        step = torch.where(last, left, step)
        stages = stages_for(step * self.radius).nan_to_num(2.0).clamp(2, _MOST_STAGES).to(torch.int64)
        row = table[stages].unsqueeze(-1)  # (m, coefficient, stage, 1)
        dt = step.unsqueeze(-1)
        first = dt * self.rate
        before, change = torch.zeros_like(first), row[:, 3, 1] * first
        # all coefficients of stages that a member does not take are 0, but for a 1 that keeps what it has
        for j in range(2, int(stages.max()) + 1):
            new = row[:, 4, j] * first
            new.addcmul_(row[:, 1, j], change).addcmul_(row[:, 2, j], before)
            new.addcmul_(row[:, 3, j] * dt, phi(self._margin(self.p + change)))
            before, change = change, new
        p = self.p + change
        margin = self._margin(p)
        rate = phi(margin)
        defect = 0.4 * dt * (self.rate + rate) - 0.8 * change
        error = torch.bmm(self.gram, defect.unsqueeze(-1)).squeeze(-1).square().mean(dim=-1).sqrt() / self.allowed
        accept = error <= 1.0
        factor = (_SAFETY * error.clamp_min(1e-12) ** (-1.0 / 3.0)).nan_to_num(_SHRINK).clamp(_SHRINK, _GROW)
        kept = accept.unsqueeze(-1)
        self.p = torch.where(kept, p, self.p)
        self.margin = torch.where(kept, margin, self.margin)
        self.rate = torch.where(kept, rate, self.rate)
        self.time = torch.where(accept, torch.where(last, self.duration, self.time + step), self.time)
        # a step cut short by the end says nothing against the size that it had before
        self.step = torch.where(accept & last, torch.maximum(self.step, step * factor), step * factor)
        lost = ~torch.isfinite(error)
        self.p = torch.where(lost.unsqueeze(-1), torch.nan, self.p)
        return (accept & last) | lost


@functools.lru_cache(maxsize=8)
def _table(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Coefficients [stages, which, stage]: those of `coefficients`, and of Y_1; ones that change nothing after them."""
    table = torch.zeros((_MOST_STAGES + 1, 5, _MOST_STAGES + 1), dtype=torch.float64)
    table[:, 1] = 1.0
    for s in range(2, _MOST_STAGES + 1):
        first, rows = coefficients(s)
        table[s, :, : s + 1] = rows
        table[s, 3, 1] = first
    return table.to(device, dtype)
