r"""A flow whose kernel is frozen over a step, as an equation in function space: n numbers a member, no network.

With margins u = F y and the kernel M = y Theta y / n at the step's start, e = alpha n y p and F = F_0 + alpha Theta p,
the flow dp/dt = c(F) of the coefficients p is

    de/dt = -l'(u),    u = u_0 + M e + b (v·e)²,

where b is the second-order change of the networks at the step's end, and the progress v·e goes from 0 to 1 on the way
there; b is zero in a first pass. The eigenvalues of M l'' are at most the sum of M_jj l''_j.
`simulate.integrators.frozen_integration` solves the equation.
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

    ``margin``, ``second_order``, and what `margins` and `margin_rate` take and return, are rows, (m, 1, n), as products
    with M take them; all else is (m, n). ``by_weights`` says whether progress is measured along the path of the
    weights, or along that of the coefficients (`simulate.integrators.coefficient_path.CoefficientPath`).
    """

    loss: Loss
    kernel: Tensor  # M, (m, n, n)
    margin: Tensor  # u_0
    p_per_e: Tensor  # p = p_per_e · e
    by_weights: bool = True
    second_order: tuple[Tensor, Tensor] | None = None

    @classmethod
    def frozen_at(cls, flow: GradientFlow, point: Point, theta: Tensor, *, by_weights: bool = True) -> FrozenFlow:
        """Return the flow frozen at a point; ``theta`` is its kernel, which is overwritten."""
        n = len(flow.y)
        kernel = theta.mul_(flow.y.unsqueeze(-1) * flow.y / n)
        p_per_e = flow.y / (flow.alpha.unsqueeze(-1) * n)
        return cls(flow.loss, kernel, (point.output * flow.y).unsqueeze(1), p_per_e, by_weights)

    def with_second_order(self, excess: Tensor, p: Tensor) -> FrozenFlow:
        """Return it with b = ``excess``, the part of F (times y) at ``p`` that is not linear, (m, n) both."""
        return replace(self, second_order=(excess.unsqueeze(1), self.progress_vector(p / self.p_per_e).unsqueeze(1)))

    @functools.cached_property
    def noise(self) -> Tensor:
        """What rounding leaves of eigenvalues of M, at most: (m, 1)."""
        return torch.finfo(self.p_per_e.dtype).eps * self.kernel.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)

    def progress_vector(self, end: Tensor) -> Tensor:
        """Return v with v·e = 1 at e = ``end``: M end / (end·M end); along ``end`` where M end is zero."""
        moved = torch.addcmul(self.kernel_product(end), self.noise, end) if self.by_weights else end
        square = torch.bmm(moved.unsqueeze(1), end.unsqueeze(2)).squeeze(2)
        return moved / square.clamp_min(torch.finfo(end.dtype).tiny)

    def kernel_product(self, e: Tensor) -> Tensor:
        """Return M e."""
        return ntk.product(self.kernel, e)

    def margins(self, e: Tensor) -> Tensor:
        """Return u."""
        return self._add_second_order(torch.baddbmm(self.margin, e, self.kernel), self._progress(e))

    def linear_margins(self, e: Tensor, u: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the part of the margins u at e that is linear in e, and the progress v·e, (m, 1, 1)."""
        progress = self._progress(e)
        return self._add_second_order(u, progress, sign=-1.0), progress

    def margins_after(self, start: tuple[Tensor, Tensor | None], change: Tensor) -> Tensor:
        """Return u where e has moved by ``change`` from where `linear_margins` returned ``start``."""
        linear, progress = start
        if progress is not None:
            assert self.second_order is not None
            progress = torch.baddbmm(progress, change, self.second_order[1].mT)
        return self._add_second_order(torch.baddbmm(linear, change, self.kernel), progress)

    def margin_rate(self, e: Tensor, de: Tensor) -> Tensor:
        """Return du/dt where de/dt = ``de``."""
        rate = torch.bmm(de, self.kernel)
        if self.second_order is not None:
            b, v = self.second_order
            progress = torch.bmm(torch.cat([e, de], dim=1), v.mT)  # and its rate
            rate.addcmul_(b, progress[:, :1] * progress[:, 1:], value=2.0)
        return rate

    def _progress(self, e: Tensor) -> Tensor | None:
        """Return v·e, (m, 1, 1); None where there is no second order."""
        return None if self.second_order is None else torch.bmm(e, self.second_order[1].mT)

    def _add_second_order(self, u: Tensor, progress: Tensor | None, sign: float = 1.0) -> Tensor:
        """Return u + sign · b progress²."""
        if progress is None:
            return u
        assert self.second_order is not None
        return torch.addcmul(u, self.second_order[0], progress.square(), value=sign)
