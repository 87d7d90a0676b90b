"""Error control: which steps are accepted, what the next ones are, and that its state is the members' own."""

import pytest
import torch
from flow_problem import batch_at_start, share, small_problem

from simulate.integrators import ErrorControl, Rosenbrock, StepProposal

TOLERANCE = 0.01


def proposal_with(batch, errors):
    """A proposal that ends where the batch is (F = 0), with these errors of every point, (m,)."""
    error = torch.as_tensor(errors, dtype=torch.float64).unsqueeze(-1).expand_as(batch.point.output)
    return StepProposal(batch.weights, batch.point, error, 1)


def members(count, dt=1.0):
    flow, weights = small_problem("softhinge")
    index = torch.zeros(count, dtype=torch.int64)
    return batch_at_start(flow.select(index), [w[index] for w in weights], Rosenbrock(), share(dt, count))


def control(count, **options):
    """F = 0, so that an error of TOLERANCE is the largest that is accepted."""
    return ErrorControl(share(1.0, count), TOLERANCE, **{"order": 2, **options})


def test_an_error_at_the_tolerance_is_accepted_and_one_above_it_rejected():
    batch, controller = members(2), control(2)
    proposal = proposal_with(batch, [TOLERANCE, TOLERANCE * (1 + 1e-12)])
    accepted, factor, state = controller.judge((), batch, proposal, torch.tensor([True, True]))
    assert accepted.tolist() == [True, False]
    assert factor.tolist() == pytest.approx([0.85, 0.85])  # the safety factor alone
    assert state == ()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_step_follows_the_error_with_the_order_of_the_estimate(order):
    """Error ~ dt^order: an error 2^order too large halves dt, one as much too small doubles it."""
    batch, controller = members(2), control(2, order=order)
    proposal = proposal_with(batch, [TOLERANCE * 2.0**order, TOLERANCE / 2.0**order])
    _, factor, _ = controller.judge((), batch, proposal, torch.tensor([True, True]))
    assert factor.tolist() == pytest.approx([0.85 / 2.0, 0.85 * 2.0])


def test_a_step_that_is_not_finite_is_rejected_and_shortened_whatever_its_error():
    batch, controller = members(2), control(2)
    accepted, factor, _ = controller.judge(
        (), batch, proposal_with(batch, [0.0, torch.nan]), torch.tensor([False, False])
    )
    assert not accepted.any()
    assert factor.tolist() == [0.2, 0.2]


def test_the_largest_entry_counts_where_it_is_asked_for():
    batch = members(1)
    error = torch.zeros_like(batch.point.output)
    error[0, 3] = 2 * TOLERANCE  # rms over eight points 0.7 of the tolerance
    proposal = StepProposal(batch.weights, batch.point, error, 1)
    yes = torch.tensor([True])
    assert control(1, norm="rms").judge((), batch, proposal, yes)[0].tolist() == [True]
    assert control(1, norm="max").judge((), batch, proposal, yes)[0].tolist() == [False]


def test_what_is_carried_is_passed_in_and_out_and_nothing_else_changes():
    """Its predictive state is dt and error of each member's last accepted step; the same call, the same answer."""
    batch, controller = members(2, dt=0.5), control(2, predictive=True)
    proposal, yes = proposal_with(batch, [0.5 * TOLERANCE, 2.0 * TOLERANCE]), torch.tensor([True, True])
    state = controller.init(batch.dt)
    assert torch.stack(state).isnan().all()
    first, again = (controller.judge(state, batch, proposal, yes) for _ in range(2))
    torch.testing.assert_close(first, again, rtol=0, atol=0, equal_nan=True)
    assert torch.stack(state).isnan().all()
    dt, error = first[2]
    assert (dt[0], error[0]) == (0.5, pytest.approx(0.5))
    assert dt[1].isnan()  # rejected: nothing is remembered
    assert error[1].isnan()


def test_errors_that_grow_from_step_to_step_shorten_the_next_one_ahead():
    """Errors of 0.25, then 0.5 of the tolerance at the same dt, order 1: the next step is 0.8 of the plain one.

    The predicted factor, 0.25/0.5, is below the bound of 0.8.
    """
    batch, controller = members(1), control(1, order=1, predictive=True)
    yes = torch.tensor([True])
    _, _, state = controller.judge(controller.init(batch.dt), batch, proposal_with(batch, [0.25 * TOLERANCE]), yes)
    _, factor, _ = controller.judge(state, batch, proposal_with(batch, [0.5 * TOLERANCE]), yes)
    assert factor.item() == pytest.approx(0.8 * 0.85 / 0.5)


def test_state_of_members_that_stay_goes_with_them():
    batch, controller = members(3), control(3, predictive=True)
    yes = torch.ones(3, dtype=torch.bool)
    errors = [0.1 * TOLERANCE, 0.2 * TOLERANCE, 0.4 * TOLERANCE]
    _, _, batch.controller_state = controller.judge(controller.init(batch.dt), batch, proposal_with(batch, errors), yes)
    left = batch.select(torch.tensor([2, 0]))
    assert left.controller_state[1].tolist() == pytest.approx([0.4, 0.1])
