"""Members at an instant: their output is computed once, when it is asked for."""

import torch
from exact_steps import unit_problem

from simulate.training.moment import Moment


def moment(values):
    flow, _ = unit_problem(len(values))
    weights = [torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)]
    return Moment(flow, torch.arange(len(values)), torch.zeros(len(values)), weights)


def test_the_output_is_that_of_the_weights():
    assert moment([0.2, 0.7]).output.tolist() == [[0.2], [0.7]]


def test_a_known_output_is_not_computed_again():
    known = torch.tensor([[5.0]], dtype=torch.float64)
    instant = moment([0.2])
    instant.known_output = known
    assert instant.output is known


def test_selected_members_keep_their_own_weights_and_outputs():
    instant = moment([0.2, 0.7, 0.9])
    instant.output  # noqa: B018 -- computed, so that it is selected too
    part = instant.select(torch.tensor([2, 0]))
    assert part.members.tolist() == [2, 0]
    assert part.known_output.tolist() == [[0.9], [0.2]]
    assert part.weights[0].flatten().tolist() == [0.9, 0.2]
