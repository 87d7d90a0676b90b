"""The controller of discrete dynamics: every finite step is accepted."""

from __future__ import annotations

from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.protocol import Batch, ControllerState, StepProposal


class EveryStep:
    """Accepts every finite step; ``dt`` (members,) is the time that a step, an epoch, takes."""

    detects_rest = False  # no draw of an epoch may have hit the points that are not fitted yet

    def __init__(self, dt: Tensor) -> None:
        self.dt = dt

    def first_step(self, flow: GradientFlow, point: Point, members: Tensor) -> Tensor:
        """See `Controller`."""
        return self.dt[members]

    def init(self, dt: Tensor) -> ControllerState:
        """See `Controller`."""
        return ()

    def judge(
        self, state: ControllerState, batch: Batch, proposal: StepProposal, is_finite: Tensor
    ) -> tuple[Tensor, Tensor, ControllerState]:
        """See `Controller`: a step size of zero ends members that are not finite."""
        return is_finite, is_finite.to(batch.dt.dtype), state
