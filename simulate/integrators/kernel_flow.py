r"""Steps as long as the kernel allows: the loss relaxes in function space, between evaluations of the networks.

While J is frozen, dw/dt = J^T c(F) is solved by w + J^T p, p = int c dt, and F = F_0 + alpha Theta p makes p the
solution of an equation for n numbers (`simulate.integrators.function_space`). So, with J_0 and Theta at the start,

    p from the frozen flow,                      w_1 = w + J_0^T p,              J_1, F_1 = F(w_1);
    p again, with what F_1 has beyond it,        w_new = w + J_0^T (p - q) + J_1^T q,    q = int x dp,

where J is taken to change in proportion to the way x = p·p_end/|p_end|² that is gone: the method is of order 2 in the
change of the kernel, and exact for networks that are linear, whatever dt is. What the second pass adds to
F_0 + alpha Theta p, in proportion to x², is F_1 minus that, and alpha J_0 (J_1 - J_0)^T q. Members whose step is far
from stiff, max(D) tr(Theta) dt/n < 1/100, and leaves their forces as they are at its initial rate, to 1/100, take
p = dt (c_0 + c_1)/2 and need no kernel (Heun's method): with a soft hinge that is the growth from small amplitudes.

The estimated error is what J_0 does not explain of the way from w_1 to w_new,

    F(w_new) - F(w_1) - alpha J_0 (w_new - w_1),

of order 3 as the error itself, and taken from forward passes, so that it sees kinks. Its largest entry counts: in long
steps it is concentrated on a few points, and the stop waits for the last of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from simulate.flow import GradientFlow, Point
from simulate.integrators.function_space import FrozenFlow, Path, follow, straight
from simulate.integrators.protocol import Batch, Memory, Trial
from simulate.networks.architecture import Linearisation, Weights

EVALUATIONS_PER_STEP = 2  #: forward-backward passes over the training set
_STIFF = 0.01  # small enough that the order is seen across it
# shares of the tolerance for the frozen flow: it is solved for where J changes to first, then for the step itself
_ROUGH, _INNER = 1.0, 0.1


@dataclass
class KernelTrial(Trial):
    """A proposed step, with what its dense output needs: the path, and the networks where the frozen flow ends."""

    path: Path = field(kw_only=True)
    stage: Linearisation = field(kw_only=True)


class KernelFlow:
    """The `simulate.integrators.protocol.Stepper`; it remembers nothing.

    ``scale`` (members,) and ``tolerance`` are those of `simulate.integrators.ErrorControl`.
    """

    order = 3

    def __init__(self, scale: Tensor, tolerance: float) -> None:
        self.scale = scale
        self.tolerance = tolerance

    def begin(self, flow: GradientFlow, weights: Weights, point: Point) -> Memory:
        """See `Stepper`."""
        return ()

    def step(self, batch: Batch) -> KernelTrial:
        """See `Stepper`."""
        flow, weights, point, dt, at = batch.flow, batch.weights, batch.point, batch.dt, batch.point.at
        alpha = flow.alpha.unsqueeze(-1)
        stiff = torch.nonzero(_stiff(batch)).squeeze(-1)
        scale = self.scale[batch.members][stiff]

        path = straight(dt, point.force, point.force)
        if len(stiff):
            part = point.select(stiff)
            frozen = FrozenFlow.of(flow.select(stiff), part, part.at.kernel())
            path = path.with_members(stiff, follow(frozen, dt[stiff], scale, _ROUGH * self.tolerance))
        p, late = path.p[-1], path.late[-1]
        first = at.add_pullback(weights, p)
        stage = flow(first)

        path = straight(dt, point.force, stage.force)
        if len(stiff):
            p, late, ended = p[stiff], late[stiff], stage.select(stiff)
            crossed = alpha[stiff] * part.at.pushforward(ended.at.pullback(late))
            explained = flow.y * part.output + frozen.through((p + late) / frozen.unit)
            bent = frozen.bent(flow.y * (ended.output + crossed) - explained, p)
            path = path.with_members(stiff, follow(bent, dt[stiff], scale, _INNER * self.tolerance))
        p, late = path.p[-1], path.late[-1]
        new = stage.at.add_pullback(at.add_pullback(weights, p - late), late)
        arrived = flow(new)
        moved = at.pushforward([b - a for a, b in zip(first, new, strict=True)])
        error = arrived.output - stage.output - alpha * moved
        return KernelTrial(new, arrived, error, EVALUATIONS_PER_STEP, path=path, stage=stage.at)

    def segment(self, batch: Batch, trial: Trial, index: Tensor) -> Bend:
        """See `Stepper`."""
        assert isinstance(trial, KernelTrial)
        start = [w[index] for w in batch.weights]
        return Bend(start, batch.point.at.select(index), trial.stage.select(index), trial.path.select(index))


def _stiff(batch: Batch) -> Tensor:
    """Whether forces change over the step at the rate at which it starts, or would if they were pushed; (m,)."""
    flow, point, dt = batch.flow, batch.point, batch.dt
    stiffness = dt / len(flow.y) * point.curvature.amax(dim=-1) * point.at.kernel_trace()
    stiff = ~(stiffness < _STIFF)
    soft = torch.nonzero(~stiff).squeeze(-1)
    if len(soft):  # the rate costs a pass back and forth, and what is stiff by its curvature does not wait for it
        flow, point, dt = flow.select(soft), point.select(soft), dt[soft]
        rate = flow.alpha.unsqueeze(-1) * point.at.pushforward(point.at.pullback(point.force))
        ends = point.output, point.output + dt.unsqueeze(-1) * rate
        now, ahead = (flow.loss.slope(f * flow.y).abs() for f in ends)
        stiff[soft] = ~((ahead - now).abs().amax(dim=-1) / now.amax(dim=-1) < _STIFF)
    return stiff


@dataclass
class Bend:
    """Dense output: w + J_0^T (p - q) + J_1^T q on the way."""

    start: Weights
    first: Linearisation
    last: Linearisation
    path: Path
    continuous = True

    def at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.Segment`."""
        p, late = self.path.at(share)
        return self.last.add_pullback(self.first.add_pullback(self.start, p - late), late)

    def select(self, index: Tensor) -> Bend:
        """See `simulate.integrators.protocol.Segment`."""
        start = [w[index] for w in self.start]
        return replace(
            self,
            start=start,
            first=self.first.select(index),
            last=self.last.select(index),
            path=self.path.select(index),
        )
