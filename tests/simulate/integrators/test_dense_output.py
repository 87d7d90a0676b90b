"""Dense outputs: through both ends, exact for polynomials of their order."""

import pytest
import torch
from flow_problem import share

from simulate.integrators.dense_output import Hermite, Jump, Line


def polynomial(t, degree):
    """Weights of two members, and their rate, at time ``t``."""
    c = torch.tensor([[[1.0, -2.0]], [[0.5, 3.0]]], dtype=torch.float64)
    return [c + c * t**degree], [degree * c * t ** (degree - 1)]


@pytest.mark.parametrize(("kind", "degree"), [("line", 1), ("hermite", 3)])
def test_polynomials_of_the_order_are_met_exactly(kind, degree):
    (start, first), (end, last) = polynomial(0.0, degree), polynomial(1.0, degree)
    dense = Line(start, end) if kind == "line" else Hermite(start, (first, last), end)
    for s in (0.0, 0.3, 1.0):
        torch.testing.assert_close(dense.weights_at(share(s, 2)), polynomial(s, degree)[0], rtol=1e-14, atol=1e-14)
    one = dense.select(torch.tensor([1])).weights_at(share(0.3))
    torch.testing.assert_close(one[0][0], polynomial(0.3, degree)[0][0][1], rtol=1e-14, atol=1e-14)


def test_a_jump_has_nothing_between_its_ends():
    end, _ = polynomial(1.0, 1)
    jump = Jump(end)
    assert not jump.continuous
    torch.testing.assert_close(jump.weights_at(share(0.3, 2)), end)


def test_outputs_are_predicted_on_a_straight_line_from_end_to_end():
    start, end = torch.zeros((2, 3), dtype=torch.float64), torch.ones((2, 3), dtype=torch.float64)
    shares, outputs = Jump([]).predict_outputs(start, end)
    assert (shares[0] == 0.0).all()
    assert (shares[-1] == 1.0).all()
    assert (shares.diff(dim=0) > 0.0).all()
    torch.testing.assert_close(outputs, shares.unsqueeze(-1).expand_as(outputs))
