r"""Explicit steps where the flow is not stiff, steps in function space where it is: the integrator of most campaigns.

Members whose step is not stiff, max(D) tr(Theta) dt/n < 1/10, need no kernel if it leaves their forces as they are, to
1/5: they take the explicit step of `simulate.integrators.adams`. With a soft hinge that is the growth from small
amplitudes, and its curvature, which rises from nothing within a step, tells less than where the first force leads. All
others take the step of `simulate.integrators.relaxation`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.adams import Adams
from simulate.integrators.joined import Group, JoinedProposal, join
from simulate.integrators.protocol import Batch, DenseOutput, SolverState, StepProposal
from simulate.integrators.relaxation import Relaxation, RelaxationProposal
from simulate.networks.linearisation import Weights

_STIFF = 0.1  # smallest max(D) tr(Theta) dt/n of a stiff step
_FORCE_CHANGE = 0.2  # that an explicit step may make, relative to the largest force
_ADAMS_SHARE = 0.6  # of the estimate counts: Moulton's result is better than what it corrects, by an order


class KernelFlow:
    """The `simulate.integrators.protocol.Stepper`; its state is that of the explicit steps.

    For ``scale``, ``tolerance`` and ``by_weights`` see `simulate.integrators.relaxation.Relaxation`.
    """

    order = 3

    def __init__(self, scale: Tensor, tolerance: float, *, by_weights: bool = True) -> None:
        self.explicit = Adams()
        self.relaxation = Relaxation(scale, tolerance, by_weights=by_weights)

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        return self.explicit.init(flow, weights, point)

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        stiff = _is_stiff(batch).numpy(force=True)
        wasted_evaluations = torch.zeros_like(batch.steps)  # of explicit steps that are predicted and not taken
        groups: list[Group] = []
        proposal: StepProposal
        if not stiff.all():
            positions = np.flatnonzero(~stiff)
            nonstiff = torch.as_tensor(positions, device=batch.dt.device)
            part = _select(batch, nonstiff)
            predicted = self.explicit.predict(part)
            too_far = _forces_change(part.point, predicted.point).numpy(force=True)
            if too_far.any():
                stiff[positions[too_far]] = True
                wasted_evaluations[torch.as_tensor(positions[too_far], device=batch.dt.device)] = 1
                near = torch.as_tensor(np.flatnonzero(~too_far), device=batch.dt.device)
                nonstiff, part, predicted = nonstiff[near], part.select(near), predicted.select(near)
            if len(nonstiff):
                proposal = self.explicit.correct(part, predicted)
                proposal = replace(proposal, error=_ADAMS_SHARE * proposal.error)
                groups.append(Group(nonstiff, part, self.explicit, proposal))
        if stiff.any():
            index = torch.as_tensor(np.flatnonzero(stiff), device=batch.dt.device)
            part = _select(batch, index)
            proposal = replace(self.relaxation.step(part), state=self.explicit.without_history(part.state))
            groups.append(Group(index, part, self.relaxation, proposal))
        joined = groups[0].proposal if len(groups) == 1 else join(batch, groups)
        return replace(joined, evaluations=joined.evaluations + wasted_evaluations)

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> DenseOutput:
        """See `Stepper`."""
        if isinstance(proposal, JoinedProposal):
            return proposal.dense_output(index)
        stepper = self.relaxation if isinstance(proposal, RelaxationProposal) else self.explicit
        return stepper.dense_output(batch, proposal, index)


def _is_stiff(batch: Batch) -> Tensor:
    """Return whether the step is too long for an explicit one, as far as curvature tells where it starts, (m,)."""
    point = batch.point
    stiffness = batch.dt / len(batch.flow.y) * point.curvature.amax(dim=-1) * point.linearisation.kernel_trace()
    return ~(stiffness < _STIFF)


def _forces_change(start: Point, end: Point) -> Tensor:
    """Return whether forces change between two points by more than an explicit step may change them, (m,)."""
    change = (end.force - start.force).abs().amax(dim=-1)
    return ~(change < _FORCE_CHANGE * start.force.abs().amax(dim=-1))


def _select(batch: Batch, index: Tensor) -> Batch:
    """Return the members at positions ``index``, ascending: the batch itself where that is all."""
    return batch if len(index) == len(batch.members) else batch.select(index)
