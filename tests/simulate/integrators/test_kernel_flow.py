"""Explicit and stiff steps in one batch: each member takes the step that suits it, whatever the others take."""

import torch
from flow_problem import after_equal_steps, batch_at_start, duration, small_problem

from simulate.integrators import KernelFlow


def stepper(members=1, tolerance=1e-4):
    return KernelFlow(torch.full((members,), 0.3, dtype=torch.float64), tolerance)


def test_members_do_not_change_each_other():
    """Four networks of one batch at steps from far below to far beyond stiffness, against each alone."""
    flow, start = small_problem("logistic")
    index = torch.zeros(4, dtype=torch.int64)
    together, weights = flow.select(index), [w[index] for w in start]
    sizes = torch.tensor([1e-3, 30.0, 1e-2, 300.0], dtype=torch.float64)
    proposal = stepper(4).step(batch_at_start(together, weights, stepper(4), sizes))
    for m in range(4):
        alone = stepper().step(batch_at_start(flow, start, stepper(), sizes[m : m + 1]))
        torch.testing.assert_close(proposal.point.output[m], alone.point.output[0], rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(proposal.error[m], alone.error[0], rtol=1e-9, atol=1e-11)


def test_a_step_whose_forces_turn_is_done_again_with_its_kernel_and_no_other_is():
    """Far below the margin of the soft hinge curvature says nothing; where the first force leads, it is known."""
    flow, start = small_problem("softhinge", alpha=1e5)
    index = torch.zeros(3, dtype=torch.int64)
    together, weights = flow.select(index), [w[index] for w in start]
    sizes = torch.tensor([1e-3, 60.0, 2e-3], dtype=torch.float64)
    method = stepper(3, tolerance=1e-4)
    proposal = method.step(batch_at_start(together, weights, method, sizes))
    assert proposal.evaluations.tolist() == [2, 3, 2]
    assert proposal.state[0].tolist() == [1e-3, torch.inf, 2e-3]
    index, share = torch.tensor([2, 1, 0]), torch.tensor([0.5, 0.7, 1.0], dtype=torch.float64)
    whole = batch_at_start(together, weights, method, sizes)
    between = method.dense_output(whole, proposal, index)
    for k in range(3):
        own = method.dense_output(whole, proposal, index[[k]]).weights_at(share[[k]])
        chosen = between.select(torch.tensor([2, k])).weights_at(share[[2, k]])
        for w_together, w_own, w_chosen in zip(between.weights_at(share), own, chosen, strict=True):
            torch.testing.assert_close(w_together[k], w_own[0])
            torch.testing.assert_close(w_chosen[1], w_own[0])
    torch.testing.assert_close([w[2] for w in between.weights_at(share)], [w[0] for w in proposal.weights])
    ends = whole.point.output[index], proposal.point.output[index]
    shares, outputs = between.predict_outputs(*ends)
    for k in range(3):
        own, seen = method.dense_output(whole, proposal, index[[k]]).predict_outputs(*(end[[k]] for end in ends))
        torch.testing.assert_close(shares[: len(own), k], own[:, 0])
        torch.testing.assert_close(outputs[: len(own), k], seen[:, 0])
        assert (shares[len(own) :, k] == 1.0).all()
    for m in range(3):
        method = stepper(tolerance=1e-4)
        alone = method.step(batch_at_start(flow, start, method, sizes[m : m + 1]))
        torch.testing.assert_close(proposal.point.output[m], alone.point.output[0], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(proposal.error[m], alone.error[0], rtol=1e-7, atol=1e-9)
    often = after_equal_steps(flow, start, stepper(tolerance=1e-4), 60.0, 60)
    torch.testing.assert_close(proposal.point.output[1], flow(often).output[0], rtol=0, atol=2e-3)


def test_a_member_that_breaks_spoils_its_own_step_alone():
    flow, start = small_problem("logistic")
    index = torch.zeros(2, dtype=torch.int64)
    weights = [w[index].clone() for w in start]
    weights[1][1] = torch.nan
    proposal = stepper(2).step(
        batch_at_start(flow.select(index), weights, stepper(2), torch.full((2,), 5.0, dtype=torch.float64))
    )
    alone = stepper().step(batch_at_start(flow, start, stepper(), duration(5.0)))
    torch.testing.assert_close(proposal.point.output[0], alone.point.output[0], rtol=1e-11, atol=1e-11)
    assert proposal.point.output[1].isnan().all()
