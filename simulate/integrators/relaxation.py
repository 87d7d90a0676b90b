r"""Stiff steps as long as the kernel allows: the loss relaxes in function space, between evaluations of the networks.

While J is frozen, dw/dt = J^T c(F) is solved by w + J^T p, p = int c dt, and F = F_0 + alpha Theta p makes p the
solution of an equation for n numbers (`simulate.integrators.frozen_flow`). So, with J_0 and Theta at the start,

    p from the frozen flow,                      w_1 = w + J_0^T p,              J_1, F_1 = F(w_1);
    p again, with what F_1 has beyond it,        w_new = w + J_0^T (p - q) + J_1^T q,    q = int x dp,

where J is taken to change in proportion to x, the progress of the weights, or of the coefficients, from 0 to 1
(`simulate.integrators.coefficient_path`): the method is of order 2 in the change of the kernel, and exact for networks
that are linear, whatever dt is. What the second pass adds to F_0 + alpha Theta p, in proportion to x², is F_1 minus
that, and alpha J_0 (J_1 - J_0)^T q. The estimated error is what J_0 does not explain of the way from w_1 to w_new,

    F(w_new) - F(w_1) - alpha J_0 (w_new - w_1),

of order 3 as the error itself, and taken from forward passes, so that it sees kinks. Its largest entry counts: in long
steps it is concentrated on a few points, and the stop waits for the last of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.coefficient_path import CoefficientPath
from simulate.integrators.frozen_flow import FrozenFlow
from simulate.integrators.frozen_integration import integrate_frozen_flow
from simulate.integrators.protocol import Batch, SolverState, StepProposal
from simulate.networks.linearisation import Linearisation, Weights

# shares of the tolerance for the frozen flow: it is solved for where J changes to first, then for the step itself
_FIRST_PASS, _SECOND_PASS = 1.0, 0.1


@dataclass
class RelaxationProposal(StepProposal):
    """A proposed step, and for its dense output the path of the coefficients and J_1 (``end``)."""

    path: CoefficientPath = field(kw_only=True)
    end: Linearisation = field(kw_only=True)


class Relaxation:
    """The `simulate.integrators.protocol.Stepper`; it has no state.

    ``scale`` (members,) and ``tolerance`` are those of `simulate.integrators.ErrorControl`; ``by_weights`` says
    whether J is taken to change along the path of the weights, or along that of the coefficients. Along the weights'
    path, kernel changes in the lazy regime are off by a third; narrow convolutional networks that hardly fit take up to
    three times as many steps along it.
    """

    order = 3

    def __init__(self, scale: Tensor, tolerance: float, *, by_weights: bool = True) -> None:
        self.scale = scale
        self.tolerance = tolerance
        self.by_weights = by_weights

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        return ()

    def step(self, batch: Batch) -> RelaxationProposal:
        """See `Stepper`."""
        flow, start, dt = batch.flow, batch.point.linearisation, batch.dt
        frozen = FrozenFlow.frozen_at(flow, batch.point, start.kernel(), by_weights=self.by_weights)
        scale = self.scale[batch.members]
        path = integrate_frozen_flow(frozen, dt, scale, _FIRST_PASS * self.tolerance)
        p, q = path.p[-1], path.q[-1]
        stage = flow(start.add_pullback(batch.weights, p))

        # all of F times y, as the frozen flow has it
        crossed = flow.y * flow.alpha.unsqueeze(-1) * start.pushforward(stage.linearisation.pullback(q))
        crossed -= frozen.kernel_product(q / frozen.p_per_e)
        excess = flow.y * (stage.output - batch.point.output) - frozen.kernel_product(p / frozen.p_per_e) + crossed
        path = integrate_frozen_flow(frozen.with_second_order(excess, p), dt, scale, _SECOND_PASS * self.tolerance)
        # by the first path's q: with the second's it would differ in order 4
        explained = flow.y * (frozen.kernel_product((path.p[-1] - p) / frozen.p_per_e) + crossed)

        p, q = path.p[-1], path.q[-1]
        weights = stage.linearisation.add_pullback(start.add_pullback(batch.weights, p - q), q)
        point = flow(weights)
        error = point.output - stage.output - explained
        return RelaxationProposal(weights, point, error, evaluations=2, path=path, end=stage.linearisation)

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> RelaxationDenseOutput:
        """See `Stepper`."""
        assert isinstance(proposal, RelaxationProposal)
        start = [w[index] for w in batch.weights]
        first, last = batch.point.linearisation.select(index), proposal.end.select(index)
        return RelaxationDenseOutput(start, first, last, proposal.path.select(index), batch.flow.y)


@dataclass
class RelaxationDenseOutput:
    """Weights w + J_0^T (p - q) + J_1^T q with p and q on the way; ``first`` is J_0, ``last`` J_1, ``y`` (n,)."""

    start: Weights
    first: Linearisation
    last: Linearisation
    path: CoefficientPath
    y: Tensor
    continuous = True

    def weights_at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.DenseOutput`."""
        p, q = self.path.coefficients_at(share)
        return self.last.add_pullback(self.first.add_pullback(self.start, p - q), q)

    def select(self, index: Tensor) -> RelaxationDenseOutput:
        """See `simulate.integrators.protocol.DenseOutput`."""
        return replace(
            self,
            start=[w[index] for w in self.start],
            first=self.first.select(index),
            last=self.last.select(index),
            path=self.path.select(index),
        )

    def predict_outputs(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """See `simulate.integrators.protocol.DenseOutput`: the frozen flow's, its miss at the end in proportion."""
        share, margin = self.path.margins()
        output = margin * self.y
        return share, torch.addcmul(output, share.unsqueeze(-1), end - output[-1])
