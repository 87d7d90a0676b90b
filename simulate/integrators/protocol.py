"""What an integrator is: a stepper tries steps, a controller judges them; `simulate.training.driver` does the rest.

Every member of a batch has its own time and step size, and nothing that a stepper or a controller computes for one
member may depend on the others. What a stepper remembers from step to step of a member (a velocity, an estimate of the
spectral radius, a gradient that is used again) is its *solver state*: tensors with the members first, which the driver
selects, and restores after a rejected step, as it does with the weights.

To add one: a class with the methods of `Stepper` in a file of its own, and a line in `simulate.integrators.build`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.networks.linearisation import Weights

SolverState = tuple[Tensor, ...]
_POINTS = 9  # of a straight line on which event functions are looked at


@dataclass
class Batch:
    """The members still in flight, each at its own time.

    ``members`` (m,) are positions in the batch that was handed in; ``time`` (in float64), ``dt`` (m,) article time;
    ``steps`` (m,) accepted ones; ``point = flow(weights)``.
    """

    members: Tensor
    flow: GradientFlow
    weights: Weights
    point: Point
    time: Tensor
    dt: Tensor
    steps: Tensor
    state: SolverState = ()

    def select(self, index: Tensor) -> Batch:
        """Return the members at positions ``index`` of this batch."""
        return Batch(
            self.members[index],
            self.flow.select(index),
            [w[index] for w in self.weights],
            self.point.select(index),
            self.time[index],
            self.dt[index],
            self.steps[index],
            tuple(part[index] for part in self.state),
        )


@dataclass
class StepProposal:
    """A proposed step of every member of a batch.

    Attributes
    ----------
    weights, point, state
        As in `Batch`, at the step's end.
    error : Tensor
        (members, n_train), the estimated error of F on the training set.
    evaluations : int or Tensor
        Forward-backward passes over the training set that the step took: one number, or one for each member.
    """

    weights: Weights
    point: Point
    error: Tensor
    evaluations: int | Tensor
    state: SolverState = ()


class DenseOutput(Protocol):
    """A step of some members, to be looked at between its ends (dense output)."""

    continuous: bool  #: False where there is nothing between the ends: an event is then at the step's end

    def at(self, share: Tensor) -> Weights:
        """Return the weights at the shares ``share`` (m,), from 0 to 1, of the steps."""

    def select(self, index: Tensor) -> DenseOutput:
        """Return the steps of the members at positions ``index``."""

    def expected(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """Return shares (k, m), rising from 0 to 1, and about what F is there, (k, m, n), without a look at networks.

        ``start``, ``end`` (m, n) are F at the two ends.
        """


class Stepper(Protocol):
    """A one-step method. ``order`` is the power of dt with which its error estimate falls."""

    order: int

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """Return the state at the start."""

    def step(self, batch: Batch) -> StepProposal:
        """Try a step of size ``batch.dt`` from where the batch is; change nothing in place."""

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> DenseOutput:
        """Return the dense output of the step ``proposal`` for the members at positions ``index`` of ``batch``."""


class Controller(Protocol):
    """Decides which steps are taken, and how long the next ones are."""

    rests: bool  #: whether a member whose loss no longer changes from step to step has come to rest

    def first_step(self, flow: GradientFlow, point: Point) -> Tensor:
        """Return the first step size of every member, shape (members,)."""

    def judge(self, batch: Batch, proposal: StepProposal, sound: Tensor) -> tuple[Tensor, Tensor]:
        """Return which steps are accepted, and the factor by which each dt changes; both of shape (m,).

        ``sound`` (m,) says which members have finite weights and outputs; the others must be rejected, with a factor
        below 1, and end diverged when their dt falls below the resolution of time.
        """


class Straight:
    """Expects F to move in a straight line: what `DenseOutput.expected` is where nothing better is known."""

    def expected(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """See `DenseOutput`."""
        share = torch.linspace(0.0, 1.0, _POINTS, dtype=start.dtype, device=start.device).unsqueeze(-1)
        return share.expand(-1, len(start)), torch.lerp(start, end, share.unsqueeze(-1))


class Line(Straight):
    """A straight line between the weights at a step's ends: dense output of order 1."""

    continuous = True

    def __init__(self, start: Weights, end: Weights) -> None:
        self.start, self.end = start, end

    def at(self, share: Tensor) -> Weights:
        """See `DenseOutput`."""
        return [torch.lerp(a, b, per_member(share, a)) for a, b in zip(self.start, self.end, strict=True)]

    def select(self, index: Tensor) -> Line:
        """See `DenseOutput`."""
        return Line([w[index] for w in self.start], [w[index] for w in self.end])


class Hermite(Straight):
    """The cubic through weights and rates at a step's ends; ``rates`` are dw/dt times dt. Dense output of order 3."""

    continuous = True

    def __init__(self, start: Weights, rates: tuple[Weights, Weights], end: Weights) -> None:
        self.start, self.rates, self.end = start, rates, end

    def at(self, share: Tensor) -> Weights:
        """See `DenseOutput`."""
        found = []
        for a, va, vb, b in zip(self.start, *self.rates, self.end, strict=True):
            found.append(cubic(a, va, b, vb, per_member(share, a)))
        return found

    def select(self, index: Tensor) -> Hermite:
        """See `DenseOutput`."""
        start, first, last, end = ([w[index] for w in part] for part in (self.start, *self.rates, self.end))
        return Hermite(start, (first, last), end)


class Jump(Straight):
    """A step with nothing between its ends: what discrete dynamics make."""

    continuous = False

    def __init__(self, end: Weights) -> None:
        self.end = end

    def at(self, share: Tensor) -> Weights:
        """Return the weights at the step's end, whatever ``share`` is."""
        return self.end

    def select(self, index: Tensor) -> Jump:
        """See `DenseOutput`."""
        return Jump([w[index] for w in self.end])


def cubic(a: Tensor, va: Tensor, b: Tensor, vb: Tensor, s: Tensor | float) -> Tensor:
    """The cubic from a to b, with derivatives va and vb, at ``s`` from 0 to 1 (Hermite)."""
    return a + s * (b - a) + s * (s - 1.0) * ((1.0 - 2.0 * s) * (b - a) + (s - 1.0) * va + s * vb)


def per_member(share: Tensor, like: Tensor) -> Tensor:
    """Return one number a member, (m,), in a shape that multiplies ``like`` (m, ...)."""
    return share.view(-1, *[1] * (like.ndim - 1))
