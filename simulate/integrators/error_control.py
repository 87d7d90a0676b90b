"""Step sizes from an estimate of the error in function space: what the trained predictor would notice."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point, rms
from simulate.integrators.protocol import Batch, ControllerState, StepProposal

Norm = Literal["rms", "max"]

_SAFETY = 0.85
_SHRINK, _GROW = 0.2, 4.0  # bounds of the factor by which dt changes
_GROW_PREDICTIVE = 10.0
_LARGEST_PREDICTED_SHRINK = 0.8
_SMALLEST_ERROR = 1e-4  # that the predictive controller keeps
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
    predictive : bool
        Whether steps may grow by more than four at once, and shrink ahead of errors that grow from step to step: while
        a network leaves the neighbourhood of zero, its flow is faster by the same factor after each step, and every
        other one would be rejected (the predictive controller of Gustafsson, ACM TOMS 20, 1994, within bounds). The
        controller state is then dt and error, (m,) each, of the last accepted step, NaN before it.
    """

    detects_rest = True

    def __init__(
        self, natural_scale: Tensor, tolerance: float, order: int, norm: Norm = "rms", *, predictive: bool = False
    ) -> None:
        self.natural_scale = natural_scale
        self.tolerance = tolerance
        self.order = order
        self.norm = norm
        self.predictive = predictive

    def first_step(self, flow: GradientFlow, point: Point, members: Tensor) -> Tensor:
        """See `Controller`."""
        rate = flow.alpha * rms(point.linearisation.pushforward(point.weight_velocity()))
        return _FIRST_STEP * self.natural_scale[members] / rate

    def init(self, dt: Tensor) -> ControllerState:
        """See `Controller`."""
        return (torch.full_like(dt, torch.nan), torch.full_like(dt, torch.nan)) if self.predictive else ()

    def judge(
        self, state: ControllerState, batch: Batch, proposal: StepProposal, is_finite: Tensor
    ) -> tuple[Tensor, Tensor, ControllerState]:
        """See `Controller`."""
        size = self.natural_scale[batch.members] + rms(proposal.point.output)
        error = rms(proposal.error) if self.norm == "rms" else proposal.error.abs().amax(-1)
        error = error / (self.tolerance * size)
        accepted = is_finite & (error <= 1.0)
        factor = _SAFETY * error.clamp_min(1e-12) ** (-1.0 / self.order)
        if self.predictive:
            current = batch.dt, error.clamp_min(_SMALLEST_ERROR)
            factor = torch.where(accepted, self._predicted_factor(state, current) * factor, factor)
            state = tuple(torch.where(accepted, new, old) for new, old in zip(current, state, strict=True))
        factor = factor.clamp(_SHRINK, _GROW_PREDICTIVE if self.predictive else _GROW)
        return accepted, torch.where(is_finite, factor, _SHRINK), state

    def _predicted_factor(self, last: ControllerState, current: ControllerState) -> Tensor:
        """Return the factor by which the step that the tolerance allows became shorter since the last accepted one."""
        (last_dt, last_error), (dt, error) = last, current
        shrinking = dt / last_dt * (last_error / error) ** (1.0 / self.order)
        return shrinking.nan_to_num(1.0).clamp(_LARGEST_PREDICTED_SHRINK, 1.0)
