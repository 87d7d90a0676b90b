"""Helpers that steppers share: one number a member, and norms over the parts of a member."""

import torch
from flow_problem import batch_at_start, duration, small_problem

from simulate.integrators.euler import Euler
from simulate.integrators.protocol import norm_per_member, per_member


def test_one_number_a_member_multiplies_tensors_of_any_shape():
    numbers = torch.tensor([2.0, 3.0])
    for shape in ((2,), (2, 4), (2, 4, 5)):
        scaled = per_member(numbers, torch.ones(shape)) * torch.ones(shape)
        assert scaled.shape == shape
        assert (scaled[0] == 2.0).all()
        assert (scaled[1] == 3.0).all()


def test_the_norm_of_a_member_is_over_all_its_parts():
    parts = [torch.tensor([[[3.0]], [[0.0]]]), torch.tensor([[4.0, 0.0], [5.0, 12.0]])]
    assert norm_per_member(parts).tolist() == [5.0, 13.0]


def test_members_of_a_batch_are_selected_with_all_they_carry():
    flow, weights = small_problem("logistic")
    batch = batch_at_start(flow, weights, Euler(), duration(0.1)).select(torch.tensor([0, 0]))
    assert len(batch.members) == len(batch.dt) == len(batch.flow.alpha) == 2
    assert all(len(part) == 2 for part in (*batch.weights, *batch.state, batch.point.output))
