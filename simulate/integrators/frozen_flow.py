r"""A flow whose kernel is frozen over a step, as an equation in function space: n numbers a member, no network.

With margins u = F y and the kernel M = y Theta y / n at the step's start, e = alpha n y p and F = F_0 + alpha Theta p,
the flow dp/dt = c(F) of the coefficients p is

    de/dt = -l'(u),    u = u_0 + M e + b (v·e)²,

where b is what networks add to second order on their way, v·e of it; zero in a first pass. The eigenvalues of M l'' are
at most the sum of M_jj l''_j. `simulate.integrators.frozen_integration` solves the equation.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.dynamics.losses import Loss
from simulate.networks import ntk


@dataclass
class FrozenFlow:
    """The equation above, of m members; ``second_order`` is b and v, None where b is zero.

    ``margin``, ``second_order``, and what `margins` and `rate` take and give, are rows, (m, 1, n), as products with M
    take them; all else is (m, n). ``by_weights`` says whether ways are those of the weights, or of the coefficients
    (`simulate.integrators.coefficient_path.CoefficientPath`).
    """

    loss: Loss
    kernel: Tensor  # M, (m, n, n)
    margin: Tensor  # u_0
    unit: Tensor  # p = unit · e
    by_weights: bool = True
    second_order: tuple[Tensor, Tensor] | None = None

    @classmethod
    def frozen_at(cls, flow: GradientFlow, point: Point, theta: Tensor, *, by_weights: bool = True) -> FrozenFlow:
        """Return the flow frozen at a point; ``theta`` is its kernel, which is overwritten."""
        n = len(flow.y)
        kernel = theta.mul_(flow.y.unsqueeze(-1) * flow.y / n)
        unit = flow.y / (flow.alpha.unsqueeze(-1) * n)
        return cls(flow.loss, kernel, (point.output * flow.y).unsqueeze(1), unit, by_weights)

    def with_second_order(self, excess: Tensor, p: Tensor) -> FrozenFlow:
        """Return it with b from what F (times y) has more than linearly at ``p``, (m, n) both."""
        return replace(self, second_order=(excess.unsqueeze(1), self.along(p / self.unit).unsqueeze(1)))

    @functools.cached_property
    def noise(self) -> Tensor:
        """What rounding leaves of eigenvalues of M, at most: (m, 1)."""
        return torch.finfo(self.unit.dtype).eps * self.kernel.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)

    def along(self, e: Tensor) -> Tensor:
        """Return v for coefficients that end at ``e``, and multiplies such: M e / e·M e; along e where M e is zero."""
        moved = torch.addcmul(self.through(e), self.noise, e) if self.by_weights else e
        way = torch.bmm(moved.unsqueeze(1), e.unsqueeze(2)).squeeze(2)
        return moved / way.clamp_min(torch.finfo(e.dtype).tiny)

    def through(self, e: Tensor) -> Tensor:
        """Return M e."""
        return ntk.product(self.kernel, e)

    def margins(self, e: Tensor) -> Tensor:
        """Return u."""
        return self._bend(torch.baddbmm(self.margin, e, self.kernel), self._way(e))

    def base(self, e: Tensor, u: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the part of u that is linear in e, and v·e, (m, 1, 1): what `margins_beyond` starts from."""
        way = self._way(e)
        return (u, None) if way is None else (self._bend(u, way, sign=-1.0), way)

    def margins_beyond(self, base: tuple[Tensor, Tensor | None], change: Tensor) -> Tensor:
        """Return u where e has moved by ``change`` from a base."""
        linear, way = base
        if way is not None:
            assert self.second_order is not None
            way = torch.baddbmm(way, change, self.second_order[1].mT)
        return self._bend(torch.baddbmm(linear, change, self.kernel), way)

    def rate(self, e: Tensor, de: Tensor) -> Tensor:
        """Return du/dt where de/dt = ``de``."""
        rate = torch.bmm(de, self.kernel)
        if self.second_order is not None:
            b, v = self.second_order
            ways = torch.bmm(torch.cat([e, de], dim=1), v.mT)
            rate.addcmul_(b, ways[:, :1] * ways[:, 1:], value=2.0)
        return rate

    def _way(self, e: Tensor) -> Tensor | None:
        """Return v·e, (m, 1, 1), where it matters."""
        return None if self.second_order is None else torch.bmm(e, self.second_order[1].mT)

    def _bend(self, u: Tensor, way: Tensor | None, sign: float = 1.0) -> Tensor:
        """Return u + sign · b way²."""
        if way is None:
            return u
        assert self.second_order is not None
        return torch.addcmul(u, self.second_order[0], way.square(), value=sign)
