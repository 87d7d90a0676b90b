"""An integrator whose member moves one weight at unit speed: times of events are known exactly."""

import torch

from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.frozen_kernel import frozen_flow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import StepProposal
from simulate.integrators.dense_output import Line


def unit_problem(members=1) -> tuple[GradientFlow, list[torch.Tensor]]:
    """F = p, one training point with label 1: the margin is the coefficient."""
    one = torch.ones((members, 1), dtype=torch.float64)
    return frozen_flow(one.unsqueeze(-1), LOSSES["softhinge"], one[0], 0.0 * one)


class UnitSpeed:
    """p(t) = speed t, in steps of dt = 1: F passes a level v at time v/speed."""

    order = 1

    def __init__(self, speed):
        self.speed = torch.as_tensor(speed, dtype=torch.float64)

    def init(self, flow, weights, point):
        return ()

    def step(self, batch):
        weights = [batch.weights[0] + (self.speed[batch.members] * batch.dt).view(-1, 1, 1)]
        point = batch.flow(weights)
        return StepProposal(weights, point, torch.zeros_like(point.output), 1)

    def dense_output(self, batch, proposal, index):
        return Line([batch.weights[0][index]], [proposal.weights[0][index]])


class UnitSteps:
    """Accepts everything; dt stays 1."""

    detects_rest = False

    def first_step(self, flow, point, members):
        return torch.ones_like(flow.alpha)

    def init(self, dt):
        return ()

    def judge(self, state, batch, proposal, is_finite):
        return is_finite, torch.ones_like(batch.dt), state


class Level:
    """F of the only training point passes a level."""

    def __init__(self, level, *, terminal=False, tolerance=1e-9):
        self.level, self.terminal, self.tolerance, self.times = level, terminal, tolerance, {}

    def value_from_output(self, output):
        return output[..., 0] - self.level

    def value(self, moment):
        return self.value_from_output(moment.output)

    def record(self, moment):
        assert len(moment.members), "nothing happened"
        for member, time in zip(moment.members.tolist(), moment.time.tolist(), strict=True):
            assert member not in self.times
            self.times[member] = time
