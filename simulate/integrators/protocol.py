"""What an integrator is: a stepper proposes steps, a controller judges them; `simulate.training.driver` does the rest.

Every member of a batch has its own time and step size, and nothing that a stepper or a controller computes for one
member may depend on the others. What a stepper carries from step to step of a member (a velocity, an estimate of the
spectral radius, a gradient that is used again) is its *solver state*: tensors with the members first. The driver
selects members of it, and restores it after a rejected step, as it does with the weights. What a controller carries is
its *controller state*: also tensors with the members first, given to `Controller.judge` and returned by it, whether the
step is accepted or not. Neither object changes itself.

To add one: a class with the methods of `Stepper` in a file of its own, and a line in `simulate.integrators.build`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.networks.linearisation import Weights

SolverState = tuple[Tensor, ...]
ControllerState = tuple[Tensor, ...]


@dataclass
class Batch:
    """The members still in flight, each at its own time.

    ``members`` (m,) are positions in the batch that was handed in; ``time`` (in float64) and ``dt`` (m,) are article
    time; ``steps`` (m,) counts accepted steps; ``point = flow(weights)``.
    """

    members: Tensor
    flow: GradientFlow
    weights: Weights
    point: Point
    time: Tensor
    dt: Tensor
    steps: Tensor
    state: SolverState = ()
    controller_state: ControllerState = ()

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
            tuple(part[index] for part in self.controller_state),
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
    """Steps of some members between their ends."""

    continuous: bool  #: False where nothing is between the ends: an event is then placed at the step's end

    def weights_at(self, share: Tensor) -> Weights:
        """Return the weights at the shares ``share`` (m,), from 0 to 1, of the steps."""

    def select(self, index: Tensor) -> DenseOutput:
        """Return the steps of the members at positions ``index``."""

    def predict_outputs(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """Return shares (k, m), rising from 0 to 1, and an estimate of F there, (k, m, n), without evaluating networks.

        ``start``, ``end`` (m, n) are F at the two ends.
        """


class Stepper(Protocol):
    """A one-step method. ``order`` is the power of dt with which its error estimate falls."""

    order: int

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """Return the solver state at the start, of the members whose flow, weights and point these are."""

    def step(self, batch: Batch) -> StepProposal:
        """Propose a step of size ``batch.dt`` from where the batch is; change nothing in place."""

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> DenseOutput:
        """Return the dense output of the step ``proposal`` for the members at positions ``index`` of ``batch``."""


class Controller(Protocol):
    """Decides which steps are accepted, and how long the next ones are."""

    detects_rest: bool  #: whether a member whose loss no longer changes from step to step has come to rest

    def first_step(self, flow: GradientFlow, point: Point, members: Tensor) -> Tensor:
        """Return the first step size of ``members`` (m,), whose flow and point these are, shape (m,)."""

    def init(self, dt: Tensor) -> ControllerState:
        """Return the controller state before the first step, of size ``dt`` (m,)."""

    def judge(
        self, state: ControllerState, batch: Batch, proposal: StepProposal, is_finite: Tensor
    ) -> tuple[Tensor, Tensor, ControllerState]:
        """Return which steps are accepted, the factor by which each dt changes, both (m,), and the next state.

        ``is_finite`` (m,) says which members have finite weights and outputs; the others must be rejected, with a
        factor below 1, and end diverged when their dt falls below the resolution of time.
        """


def per_member(numbers: Tensor, like: Tensor) -> Tensor:
    """Return one number for each member, (m,), in a shape that multiplies ``like`` (m, ...)."""
    return numbers.view(-1, *[1] * (like.ndim - 1))


def norm_per_member(parts: Iterable[Tensor]) -> Tensor:
    """Return each member's norm of all ``parts`` (m, ...) together, (m,)."""
    return torch.stack([part.flatten(1).norm(dim=1) for part in parts]).norm(dim=0)
