"""Linearisation by automatic differentiation, of any forward function."""

import pytest
import torch

from simulate.networks.differentiated import Differentiated

MEMBERS, POINTS, INPUTS, WIDTH = 3, 7, 5, 6


def evaluate(weights, x):
    """tanh, with weights that multiply one another: no layerwise form covers it."""
    first, second = weights
    return (torch.tanh(x @ first.mT) * (x @ first.mT * second).cos()).sum(-1)


def points(seed=1):
    return torch.randn(POINTS, INPUTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def vectors(seed=3):
    return torch.randn(MEMBERS, POINTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def start(seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = (MEMBERS, WIDTH, INPUTS), (MEMBERS, 1, WIDTH)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def difference(weights, x, v, step=1e-6):
    """J v by a central difference of f along v."""
    ahead, behind = ([w + sign * step * c for w, c in zip(weights, v, strict=True)] for sign in (1, -1))
    return (evaluate(ahead, x) - evaluate(behind, x)) / (2 * step)


def test_products_with_the_jacobian_are_finite_differences_of_the_output():
    weights, v = start(), start(5)
    at = Differentiated(evaluate, weights, points())
    # a central difference is off by step² = 1e-12 of the third derivative, and by rounding over the step, 1e-10 of f
    torch.testing.assert_close(at.pushforward(v), difference(weights, points(), v), rtol=1e-7, atol=1e-7)
    q = vectors()
    inner = sum((g * c).sum((-2, -1)) for g, c in zip(at.pullback(q), v, strict=True))
    torch.testing.assert_close(inner, (q * at.pushforward(v)).sum(-1))  # <J^T q, v> = <q, J v>


def test_the_kernel_is_the_product_of_both_and_the_sum_of_its_parts():
    at, q = Differentiated(evaluate, start(), points()), vectors()
    theta = at.kernel()
    torch.testing.assert_close(at.pushforward(at.pullback(q)), torch.bmm(theta, q.unsqueeze(-1)).squeeze(-1))
    torch.testing.assert_close(sum(at.kernel_layers()), theta)
    torch.testing.assert_close(at.kernel_trace(), theta.diagonal(dim1=1, dim2=2).sum(-1))


@pytest.mark.parametrize("budget", [1, 700, 2**26])
def test_groups_of_members_and_tiles_of_points_are_parts_of_the_whole(budget, monkeypatch):
    at, other = Differentiated(evaluate, start(), points()), Differentiated(evaluate, start(), points(2))
    theta, cross, trace = at.kernel(), at.kernel_layers(other), at.kernel_trace()
    monkeypatch.setattr("simulate.networks.differentiated._GRADIENT_BYTES", budget)
    torch.testing.assert_close(at.kernel(), theta)
    torch.testing.assert_close(at.kernel_trace(), trace)
    for a, b in zip(at.kernel_layers(other), cross, strict=True):
        torch.testing.assert_close(a, b)
    torch.testing.assert_close(at.select_points(slice(2, 5)).kernel(), theta[:, 2:5, 2:5])
    two = torch.tensor([2, 0])
    torch.testing.assert_close(at.select(two).kernel(), theta[two])


def test_overwriting_members_and_weights_leaves_nothing_of_the_old():
    weights = start()
    at, other = Differentiated(evaluate, weights, points()), Differentiated(evaluate, start(1), points())
    at.pullback(vectors())  # its graph is made
    middle = torch.tensor([1])
    for w in weights:
        w.zero_()  # the caller's tensors are not the linearisation's
    at.put(middle, other.select(middle))
    torch.testing.assert_close(at.output[1], other.output[1])
    for overwritten, expected in zip(at.pullback(vectors()), other.pullback(vectors()), strict=True):
        torch.testing.assert_close(overwritten[1], expected[1])
