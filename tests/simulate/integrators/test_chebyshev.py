"""Runge-Kutta-Chebyshev: its order, its stability without a matrix, and that it finds the stiffness by itself."""

import numpy as np
import pytest
import torch
from flow_problem import after_equal_steps, batch_at_start, duration, flat, reference, share, small_problem

from simulate.integrators import Chebyshev


@pytest.mark.parametrize("loss", ["logistic", "square"])
def test_the_error_falls_with_order_two(loss):
    end = 2.0
    flow, start = small_problem(loss)
    exact = reference(flow, start, end)
    errors = [
        np.abs(flat(after_equal_steps(flow, start, Chebyshev(), end, count)) - exact).max() for count in (32, 64, 128)
    ]
    # halving the step divides the error by 4, up to the next order's share and the change of the number of stages
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx(2.0, abs=0.35)


def test_a_step_far_beyond_the_limit_of_other_explicit_methods_is_stable():
    """The largest eigenvalue of the flow is lambda_max(Theta) l''/n; Euler and Heun blow up beyond 2/lambda."""
    flow, weights = small_problem("square", alpha=1e4)  # lazy: F obeys a linear equation with the kernel
    stepper = Chebyshev()
    largest = 2 * torch.linalg.eigvalsh(flow(weights).linearisation.kernel())[0, -1].item() / 8
    start = batch_at_start(flow, weights, stepper, duration(200.0 / largest))
    proposal = stepper.step(start)
    before = (start.point.output - flow.y).norm()
    assert (proposal.point.output - flow.y).norm() < before
    assert 18 <= proposal.evaluations.item() <= 18 + 2 + 30  # s² ~ 1.54 · 1.2 · 200, and what the power method took


def test_the_error_estimate_is_the_error_of_the_step():
    flow, weights = small_problem("logistic")
    for dt in (0.4, 0.2):
        start = batch_at_start(flow, weights, Chebyshev(), duration(dt))
        proposal = Chebyshev().step(start)
        exact = [torch.as_tensor(p) for p in np.split(reference(flow, weights, dt), np.cumsum(
            [w.numel() for w in weights])[:-1])]  # fmt: skip
        output = flow([p.reshape(w.shape) for p, w in zip(exact, weights, strict=True)]).output
        ratio = (proposal.error.norm() / (proposal.point.output - output).norm()).item()
        # the estimate is that of two stages' limit of many; for few stages the error constant is within a factor of 3
        assert 0.3 < ratio < 3.0


def test_dense_output_is_of_order_three_between_the_ends():
    flow, weights = small_problem("logistic")
    errors = []
    for dt in (0.4, 0.2):
        stepper = Chebyshev()
        start = batch_at_start(flow, weights, stepper, duration(dt))
        proposal = stepper.step(start)
        inside = stepper.dense_output(start, proposal, torch.tensor([0])).weights_at(share(0.4))
        errors.append(np.abs(flat(inside) - reference(flow, weights, 0.4 * dt)).max())
    assert np.log2(errors[0] / errors[1]) > 2.7


def test_members_with_different_numbers_of_stages_do_not_change_each_other():
    flow, start = small_problem("logistic")
    index = torch.zeros(5, dtype=torch.int64)
    sizes = torch.tensor([3e-2, 300.0, 1e-3, 30.0, 1.0], dtype=torch.float64)
    together = Chebyshev().step(batch_at_start(flow.select(index), [w[index] for w in start], Chebyshev(), sizes))
    counts = together.evaluations.tolist()
    assert counts[1] > counts[3] > counts[2]
    for m in range(5):
        alone = Chebyshev().step(batch_at_start(flow, start, Chebyshev(), sizes[m : m + 1]))
        assert alone.evaluations.item() == counts[m]
        torch.testing.assert_close(together.point.output[m], alone.point.output[0], rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(together.error[m], alone.error[0], rtol=1e-9, atol=1e-11)
