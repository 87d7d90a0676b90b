"""Step sizes from an estimate of the error in function space: what the trained predictor would notice."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from simulate.flow import GradientFlow, Point, rms
from simulate.integrators.protocol import Batch, Trial

Norm = Literal["rms", "max"]

_SAFETY = 0.85
_SHRINK, _GROW = 0.2, 4.0
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
    """

    rests = True

    def __init__(self, natural_scale: Tensor, tolerance: float, order: int, norm: Norm = "rms") -> None:
        self.natural_scale = natural_scale
        self.tolerance = tolerance
        self.order = order
        self.norm = norm

    def first_step(self, flow: GradientFlow, point: Point) -> Tensor:
        """See `Controller`."""
        rate = flow.alpha * rms(point.at.pushforward(point.at.pullback(point.force)))
        return _FIRST_STEP * self.natural_scale / rate

    def judge(self, batch: Batch, trial: Trial, sound: Tensor) -> tuple[Tensor, Tensor]:
        """See `Controller`."""
        size = self.natural_scale[batch.members] + rms(trial.point.output)
        error = rms(trial.error) if self.norm == "rms" else trial.error.abs().amax(-1)
        error = error / (self.tolerance * size)
        accept = sound & (error <= 1.0)
        factor = (_SAFETY * error.clamp_min(1e-12) ** (-1.0 / self.order)).clamp(_SHRINK, _GROW)
        return accept, torch.where(sound, factor, _SHRINK)
