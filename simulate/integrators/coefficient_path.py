"""Coefficients p of a flow with a frozen kernel, over one step: what its integration leaves, between nodes too."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.integrators.dense_output import cubic

_PARTS = 4  # of the interval between two nodes, at which margins are given


@dataclass
class CoefficientPath:
    """Coefficients p over a step, at ``nodes`` + 1 instants of each member's own.

    ``time`` (nodes + 1, m) is from 0 to dt; ``values`` are ``p``, ``rate`` = dp/dt, ``q``, the margins ``u`` and
    ``du`` = du/dt, (nodes + 1, m, n) each, where

        q = int x dp,    x = v·p,    v = G p_end / p_end·G p_end,

    is the part of p that belongs to the kernel at the end, if J changes in proportion to the progress x, which goes
    from 0 to 1: along the path J^T p of the weights with G = Theta, along that of the coefficients with G = 1. ``v``
    has shape (1, m, n).
    """

    time: Tensor
    values: Tensor  # p, rate, q, u, du: (nodes + 1, m, 5, n)
    v: Tensor

    @classmethod
    def from_nodes(cls, time: Tensor, p: Tensor, rate: Tensor, u: Tensor, du: Tensor, v: Tensor) -> CoefficientPath:
        """Return the path through these nodes, with its ``q`` by the trapezoidal rule; ``v`` (m, n)."""
        x = (p * v).sum(-1, keepdim=True)
        increments = (0.5 * (x[1:] + x[:-1])) * (p[1:] - p[:-1])
        q = torch.cat([torch.zeros_like(p[:1]), increments.cumsum(0)])
        return cls(time, torch.stack([p, rate, q, u, du], dim=2), v.unsqueeze(0))

    @property
    def p(self) -> Tensor:
        """See above."""
        return self.values[:, :, 0]

    @property
    def rate(self) -> Tensor:
        """See above."""
        return self.values[:, :, 1]

    @property
    def q(self) -> Tensor:
        """See above."""
        return self.values[:, :, 2]

    @property
    def u(self) -> Tensor:
        """See above."""
        return self.values[:, :, 3]

    @property
    def du(self) -> Tensor:
        """See above."""
        return self.values[:, :, 4]

    def select(self, index: Tensor) -> CoefficientPath:
        """Return the paths of the members at positions ``index``."""
        return CoefficientPath(self.time[:, index], self.values[:, index], self.v[:, index])

    def coefficients_at(self, share: Tensor) -> tuple[Tensor, Tensor]:
        """Return p and q, (m, n) each, at the shares ``share`` (m,) of the steps: cubic between nodes."""
        time, members = share * self.time[-1], torch.arange(len(share), device=share.device)
        k = (self.time[1:-1] <= time).sum(0)
        start, width = self.time[k, members], self.time[k + 1, members] - self.time[k, members]
        s = ((time - start) / width.clamp_min(torch.finfo(time.dtype).tiny)).clamp(0.0, 1.0).unsqueeze(-1)
        width = width.unsqueeze(-1)
        a, va, q, _, _ = self.values[k, members].unbind(1)
        b, vb, _, _, _ = self.values[k + 1, members].unbind(1)
        p = cubic(a, width * va, b, width * vb, s)
        x = 0.5 * ((p + a) * self.v[0]).sum(-1, keepdim=True)
        return p, torch.addcmul(q, x, p - a)

    def margins(self) -> tuple[Tensor, Tensor]:
        """Return shares (k, m), from 0 to 1, and u there, (k, m, n): at nodes, and cubic between them."""
        width = (self.time[1:] - self.time[:-1]).unsqueeze(-1)
        va, vb = width * self.du[:-1], width * self.du[1:]
        # (nodes, parts, m, n)
        part = torch.arange(_PARTS, dtype=self.u.dtype, device=self.u.device).view(-1, 1, 1) / _PARTS
        a, va, b, vb = (v.unsqueeze(1) for v in (self.u[:-1], va, self.u[1:], vb))
        u = torch.cat([cubic(a, va, b, vb, part).flatten(0, 1), self.u[-1:]])
        inside = torch.lerp(self.time[:-1].unsqueeze(1), self.time[1:].unsqueeze(1), part.squeeze(-1))
        return torch.cat([inside.flatten(0, 1), self.time[-1:]]) / self.time[-1], u
