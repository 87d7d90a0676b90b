"""The controller of discrete dynamics."""

import torch
from flow_problem import batch_at_start, share, small_problem

from simulate.integrators import Rosenbrock, StepProposal
from simulate.integrators.every_step import EveryStep


def test_every_finite_step_is_accepted_at_its_own_size_and_others_end():
    flow, weights = small_problem("softhinge")
    index = torch.zeros(2, dtype=torch.int64)
    batch = batch_at_start(flow.select(index), [w[index] for w in weights], Rosenbrock(), share(0.1, 2))
    proposal = StepProposal(batch.weights, batch.point, torch.full_like(batch.point.output, 1e9), 1)
    accepted, factor, state = EveryStep(batch.dt).judge((), batch, proposal, torch.tensor([True, False]))
    assert accepted.tolist() == [True, False]
    assert factor.tolist() == [1.0, 0.0]
    assert state == ()
