"""A path of coefficients between its nodes: exact for cubics in time, q by the trapezoidal rule."""

import pytest
import torch

from simulate.integrators.coefficient_path import CoefficientPath

T = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)  # one member, two intervals


def path(p, rate):
    values, rates = p(T).unsqueeze(-1), rate(T).unsqueeze(-1)
    return CoefficientPath.from_nodes(T, values, rates, values, rates, torch.ones(1, 1, dtype=torch.float64) / p(T[-1]))


@pytest.mark.parametrize("share", [0.0, 0.1, 1 / 3, 0.7, 1.0])
def test_coefficients_are_cubic_between_nodes(share):
    cubic = path(lambda t: t**3 - 2 * t, lambda t: 3 * t**2 - 2)
    p, _ = cubic.coefficients_at(torch.tensor([share], dtype=torch.float64))
    t = 3.0 * share
    assert p.item() == pytest.approx(t**3 - 2 * t, abs=1e-12)


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_q_of_one_coefficient_is_half_its_square_over_its_end(share):
    """q = int x dp with x = p/p_end is p²/(2 p_end), which the trapezoidal rule has exactly."""
    line = path(lambda t: 2.0 * t, lambda t: torch.full_like(t, 2.0))
    p, q = line.coefficients_at(torch.tensor([share], dtype=torch.float64))
    assert q.item() == pytest.approx(p.item() ** 2 / (2 * 6.0))


def test_margins_rise_from_the_start_to_the_end():
    shares, margins = path(lambda t: t**2 + 1, lambda t: 2 * t).margins()
    assert (shares[0].item(), shares[-1].item()) == (0.0, 1.0)
    assert (shares.diff(dim=0) > 0).all()
    torch.testing.assert_close(margins[..., 0], (3.0 * shares) ** 2 + 1)
