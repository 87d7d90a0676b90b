"""Step sizes from an estimate of the error in function space: what the trained predictor would notice."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point, rms
from simulate.integrators.protocol import Batch, StepProposal

Norm = Literal["rms", "max"]

_SAFETY = 0.85
_SHRINK, _GROW = 0.2, 4.0
_FAR, _TREND = 10.0, 0.8
_LEAST = 1e-4  # of the error that is remembered
_FIRST_STEP = 0.05  # of the time in which F would reach its natural scale at its initial rate


class ErrorControl:
    """Accept a step when the error estimate's norm <= tolerance · (natural_scale + rms_train|F|).

    Parameters
    ----------
    natural_scale : Tensor
        (members,) size of F below which its error need not be resolved relative to F itself: a fraction of min(1, A),
        which F reaches while the networks are still linear.
    tolerance : float
        As above.
    order : int
        Power of dt with which the estimate falls (`Stepper.order`).
    norm : {"rms", "max"}
        Over the training points.
    far_sighted : bool
        Whether steps may grow by more than four at once, and shrink ahead of errors that grow from step to step: while
        a network leaves the neighbourhood of zero, its flow is faster by the same factor after each step, and every
        other one would be rejected (the predictive controller of Gustafsson, ACM TOMS 20, 1994, within bounds).
    """

    rests = True

    def __init__(
        self, natural_scale: Tensor, tolerance: float, order: int, norm: Norm = "rms", *, far_sighted: bool = False
    ) -> None:
        self.natural_scale = natural_scale
        self.tolerance = tolerance
        self.order = order
        self.norm = norm
        self.far_sighted = far_sighted
        self._accepted = torch.full_like(natural_scale, torch.nan), torch.full_like(natural_scale, torch.nan)

    def first_step(self, flow: GradientFlow, point: Point) -> Tensor:
        """See `Controller`."""
        rate = flow.alpha * rms(point.linearisation.pushforward(point.weight_velocity()))
        return _FIRST_STEP * self.natural_scale / rate

    def judge(self, batch: Batch, proposal: StepProposal, sound: Tensor) -> tuple[Tensor, Tensor]:
        """See `Controller`."""
        size = self.natural_scale[batch.members] + rms(proposal.point.output)
        error = rms(proposal.error) if self.norm == "rms" else proposal.error.abs().amax(-1)
        error = error / (self.tolerance * size)
        accept = sound & (error <= 1.0)
        factor = _SAFETY * error.clamp_min(1e-12) ** (-1.0 / self.order)
        if self.far_sighted:
            factor = torch.where(accept, self._trend(batch, error, accept) * factor, factor)
        factor = factor.clamp(_SHRINK, _FAR if self.far_sighted else _GROW)
        return accept, torch.where(sound, factor, _SHRINK)

    def _trend(self, batch: Batch, error: Tensor, accept: Tensor) -> Tensor:
        """By how much the step that the tolerance allows has become shorter since the last one; remember this one."""
        error = error.clamp_min(_LEAST)
        dt, last = (part[batch.members] for part in self._accepted)
        taken = torch.nonzero(accept).squeeze(-1)
        for part, now in zip(self._accepted, (batch.dt, error), strict=True):
            part[batch.members[taken]] = now[taken]
        return (batch.dt / dt * (last / error) ** (1.0 / self.order)).nan_to_num(1.0).clamp(_TREND, 1.0)
