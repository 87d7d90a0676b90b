"""The flow under a fixed kernel: against closed forms and scipy, between its nodes too, and member by member."""

import numpy as np
import pytest
import scipy
import torch

from simulate.function_space import follow
from simulate.losses import LOSSES

N = 12
SQUARE, SOFTHINGE = LOSSES["square"], LOSSES["softhinge"]


def grams(members: int, smallest: float = 1e-3) -> torch.Tensor:
    """Positive matrices with eigenvalues from ``smallest`` to 1."""
    generator = torch.Generator().manual_seed(1)
    q, _ = torch.linalg.qr(torch.randn(members, N, N, generator=generator, dtype=torch.float64))
    return q * torch.logspace(np.log10(smallest), 0.0, N, dtype=torch.float64) @ q.mT


def starts(members: int) -> torch.Tensor:
    return 0.3 * torch.randn(members, N, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def path(gram, margin, loss, duration, tolerance, beyond=None):
    members = len(gram)
    return follow(
        gram,
        margin,
        lambda m: -loss.slope(m),
        loss.largest_curvature,
        torch.full((members,), duration, dtype=torch.float64),
        torch.full((members,), 1e-3, dtype=torch.float64),
        torch.full((members,), tolerance, dtype=torch.float64),
        beyond,
    )


def exact_square(gram, margin, time):
    """dm/dt = 2 G (1 - m)."""
    decay = np.stack([scipy.linalg.expm(-2.0 * t * g.numpy()) for t, g in zip(time, gram, strict=True)])
    return 1.0 - np.einsum("mij,mj->mi", decay, (1.0 - margin).numpy())


@pytest.mark.parametrize("duration", [0.3, 30.0, 3000.0])
def test_the_square_loss_follows_the_exponential_of_the_kernel(duration):
    gram, margin = grams(3), starts(3)
    found = path(gram, margin, SQUARE, duration, 1e-6)
    assert found.margin.numpy() == pytest.approx(exact_square(gram, margin, [duration] * 3), abs=2e-5)
    # margins and the integral that moves the weights belong to each other to rounding
    moved = margin + torch.bmm(gram, found.p[-1].unsqueeze(-1)).squeeze(-1)
    assert found.margin.numpy() == pytest.approx(moved.numpy(), abs=1e-12)


def test_it_is_followed_between_the_nodes_too():
    gram, margin = grams(2), starts(2)
    found = path(gram, margin, SQUARE, 20.0, 1e-6)
    for share in (0.0, 0.11, 0.5, 0.93, 1.0):
        time = share * found.end
        seen = margin + torch.bmm(gram, found.at(time).unsqueeze(-1)).squeeze(-1)
        # the cubic's own error, of order dt^4, is of the size of the method's, of order dt^3, at this tolerance
        assert seen.numpy() == pytest.approx(exact_square(gram, margin, time.tolist()), abs=1e-4)


def test_a_soft_hinge_agrees_with_scipy():
    gram, margin = grams(1), starts(1)
    found = path(gram, margin, SOFTHINGE, 40.0, 1e-6)
    g = gram[0].numpy()

    def rate(_, p):
        return -SOFTHINGE.slope(margin[0] + torch.as_tensor(g @ p)).numpy()

    exact = scipy.integrate.solve_ivp(rate, (0.0, 40.0), np.zeros(N), method="Radau", rtol=1e-10, atol=1e-12).y[:, -1]
    assert found.margin[0].numpy() == pytest.approx(margin[0].numpy() + g @ exact, abs=2e-5)


def test_the_error_follows_the_tolerance():
    gram, margin = grams(3), starts(3)
    exact = exact_square(gram, margin, [30.0] * 3)
    errors = [np.abs(path(gram, margin, SQUARE, 30.0, t).margin.numpy() - exact).max() for t in (1e-3, 1e-5, 1e-7)]
    # an estimate of order 3 of a method of order 2: the global error falls as its power 2/3, by 21 for a factor 100
    assert errors[0] > 10 * errors[1] > 100 * errors[2] > 0


def test_stiffness_costs_stages_and_not_steps():
    margin = starts(1)
    counts = [len(path(s * grams(1), margin, SQUARE, 100.0 / s, 1e-4).time) for s in (1.0, 1e6)]
    assert counts[1] == pytest.approx(counts[0], abs=8)  # the first step has to find its size


def test_members_do_not_depend_on_each_other():
    gram, margin = grams(4), starts(4)
    gram[2] *= 300.0  # another stiffness, other steps, other stages
    together = path(gram, margin, SOFTHINGE, 20.0, 1e-4)
    for i in range(4):
        alone = path(gram[i : i + 1], margin[i : i + 1], SOFTHINGE, 20.0, 1e-4)
        assert alone.margin[0].numpy() == pytest.approx(together.margin[i].numpy(), rel=1e-12, abs=1e-13)
        assert alone.p[-1, 0].numpy() == pytest.approx(together.p[-1, i].numpy(), rel=1e-12, abs=1e-13)


def test_a_member_that_has_come_far_enough_stops_there():
    gram, margin = grams(2), starts(2)
    found = path(gram, margin, SQUARE, 1e5, 1e-4, beyond=lambda m: m.amin(dim=-1) > 0.9)
    assert (found.margin.amin(dim=-1) > 0.9).all()
    assert (found.end < 1e5).all()
    alone = path(gram[:1], margin[:1], SQUARE, found.end[0].item(), 1e-4)
    assert found.margin[0].numpy() == pytest.approx(alone.margin[0].numpy(), abs=1e-3)


def test_one_that_overflows_is_lost_and_the_others_are_not():
    gram, margin = grams(2), starts(2)
    gram[0, 0, 0] = torch.nan
    found = path(gram, margin, SOFTHINGE, 10.0, 1e-4)
    alone = path(gram[1:], margin[1:], SOFTHINGE, 10.0, 1e-4)
    assert not torch.isfinite(found.p[-1, 0]).all()
    assert found.margin[1].numpy() == pytest.approx(alone.margin[0].numpy(), rel=1e-12)
