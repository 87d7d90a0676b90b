"""A step seen between its ends."""

import torch
from exact_steps import unit_problem

from simulate.integrators.dense_output import Jump, Line
from simulate.training.accepted_step import AcceptedStep


def step_of(kind):
    """Two members that go from 0 to 1 and from 0 to 2, in steps of 1 and 4 that begin at 10."""
    flow, weights = unit_problem(2)
    end = [torch.tensor([1.0, 2.0], dtype=torch.float64).view(-1, 1, 1)]
    dense_output = Line(weights, end) if kind == "line" else Jump(end)
    outputs = torch.zeros(2, 1, dtype=torch.float64), end[0].squeeze(-1)
    time, dt = torch.full((2,), 10.0, dtype=torch.float64), torch.tensor([1.0, 4.0], dtype=torch.float64)
    return AcceptedStep(flow, torch.arange(2), time, dt, outputs, dense_output)


SHARES = torch.tensor([0.25, 0.5], dtype=torch.float64)


def test_members_are_where_their_shares_of_the_step_say():
    moment = step_of("line").moment_at(SHARES)
    assert moment.time.tolist() == [10.25, 12.0]
    assert moment.output.tolist() == [[0.25], [1.0]]


def test_a_step_with_nothing_between_its_ends_is_seen_at_its_end():
    moment = step_of("jump").moment_at(SHARES)
    assert moment.time.tolist() == [11.0, 14.0]
    assert moment.output.tolist() == [[1.0], [2.0]]


def test_members_can_be_taken_out():
    part = step_of("line").select(torch.tensor([1]))
    assert part.members.tolist() == [1]
    assert part.moment_at(SHARES[1:]).output.tolist() == [[1.0]]
