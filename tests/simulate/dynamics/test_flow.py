"""The gradient flow of a batch: its force, its velocity, and what is finite."""

import pytest
import torch
from flow_problem import small_problem

from simulate.dynamics.flow import finite, rms


def test_weights_move_down_the_gradient_of_the_mean_loss_over_alpha_squared():
    """dw/dt = -grad alpha^-2 mean l(F y), by automatic differentiation of the network's forward function."""
    flow, weights = small_problem("logistic", alpha=0.5)
    leaves = [w + 0.1 for w in weights]
    for w in leaves:
        w.requires_grad_()
    predictor = flow.alpha * (flow.network.output(leaves, flow.inputs) - flow.output_initial)
    loss = flow.loss.value(predictor * flow.y).mean() / 0.5**2
    expected = [-g for g in torch.autograd.grad(loss, leaves)]
    point = flow([w.detach() for w in leaves])
    torch.testing.assert_close(point.weight_velocity(), expected, rtol=1e-12, atol=1e-12)
    assert flow.mean_loss(point.output).item() == pytest.approx(0.5**2 * loss.item())


def test_the_predictor_is_zero_at_the_start_and_members_are_selected_with_their_alpha():
    flow, weights = small_problem("softhinge")
    assert (flow(weights).output == 0.0).all()
    flow.alpha, index = torch.tensor([2.0], dtype=torch.float64), torch.zeros(3, dtype=torch.int64)
    many = flow.select(index)
    assert many.alpha.tolist() == [2.0, 2.0, 2.0]
    point = many([w[index] + 0.1 for w in weights])
    torch.testing.assert_close(point.select(torch.tensor([1])).output, flow([w + 0.1 for w in weights]).output)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_member_is_finite_only_if_every_entry_of_every_tensor_is(bad, place):
    tensors = [torch.zeros(3, 4), torch.zeros(3, 2, 5), torch.zeros(3, 1, 1)]
    assert finite(*tensors).tolist() == [True, True, True]
    tensors[place][1].view(-1)[-1] = bad
    assert finite(*tensors).tolist() == [True, False, True]


def test_infinities_that_would_cancel_are_not_finite():
    tensor = torch.zeros(2, 3)
    tensor[0, 0], tensor[0, 2] = torch.inf, -torch.inf
    assert finite(tensor).tolist() == [False, True]


def test_rms_is_over_the_last_axis():
    assert rms(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist() == pytest.approx([(25 / 2) ** 0.5, 0.0])
