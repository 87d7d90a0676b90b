"""One proposal of members that take different steps: each member's own step, wherever it stands in the batch."""

import pytest
import torch
from flow_problem import batch_at_start, small_problem

from simulate.integrators import Rosenbrock
from simulate.integrators.joined import Group, join

SIZES = torch.tensor([1e-2, 0.5, 2e-2, 1.0], dtype=torch.float64)


@pytest.fixture
def joined():
    """Members 0 and 2 by one stepper, 3 and 1 by another."""
    flow, start = small_problem("logistic")
    index = torch.zeros(4, dtype=torch.int64)
    batch = batch_at_start(flow.select(index), [w[index] for w in start], Rosenbrock(), SIZES)
    groups = []
    for members, factor in (([0, 2], 1.0), ([3, 1], 0.5)):
        part = batch.select(torch.tensor(members))
        part.dt = factor * part.dt
        groups.append(Group(torch.tensor(members), part, Rosenbrock(), Rosenbrock().step(part)))
    return batch, groups, join(batch, groups)


def test_every_member_has_the_step_of_its_group(joined):
    batch, groups, proposal = joined
    for group in groups:
        part = group.proposal
        for whole, of_group in zip(proposal.weights, part.weights, strict=True):
            torch.testing.assert_close(whole[group.index], of_group, rtol=0, atol=0)
        torch.testing.assert_close(proposal.error[group.index], part.error, rtol=0, atol=0)
        torch.testing.assert_close(proposal.point.output[group.index], part.point.output, rtol=0, atol=0)
    torch.testing.assert_close(batch.point.output[0], batch.point.output[1])  # the start is as it was
    assert not torch.equal(proposal.point.output[0], proposal.point.output[1])


def test_dense_output_is_that_of_each_members_group_in_the_order_asked_for(joined):
    _, groups, proposal = joined
    index = torch.tensor([3, 0, 1])
    shares = torch.tensor([0.3, 0.6, 1.0], dtype=torch.float64)
    weights = proposal.dense_output(index).weights_at(shares)
    chosen = proposal.dense_output(index).select(torch.tensor([2, 1])).weights_at(shares[[2, 1]])
    for row, member in enumerate(index.tolist()):
        group = next(g for g in groups if member in g.index.tolist())
        within = torch.tensor([group.index.tolist().index(member)])
        alone = group.stepper.dense_output(group.batch, group.proposal, within).weights_at(shares[[row]])
        for together, single in zip(weights, alone, strict=True):
            torch.testing.assert_close(together[row], single[0])
    for selected, together in zip(chosen, weights, strict=True):
        torch.testing.assert_close(selected, together[[2, 1]])


def test_predicted_outputs_have_as_many_shares_as_the_finest_part_and_end_at_the_end(joined):
    batch, _, proposal = joined
    dense = proposal.dense_output(torch.arange(4))
    shares, outputs = dense.predict_outputs(batch.point.output, proposal.point.output)
    assert shares.shape == (len(outputs), 4)
    assert (shares.diff(dim=0) >= 0).all()
    torch.testing.assert_close(shares[-1], torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(outputs[-1], proposal.point.output)


def test_members_outside_of_all_groups_have_no_dense_output(joined):
    batch, groups, _ = joined
    (part,) = join(batch, groups[:1]).dense_output(torch.tensor([1, 2])).parts
    assert part[0].tolist() == [1]  # member 2 is at position 1
