"""The layerwise tangent kernel and the Jacobian products equal what automatic differentiation gives."""

import pytest
import torch

from simulate.networks.first_layer import Dense, PointSet, Span
from simulate.networks.fully_connected import FullyConnected
from theory import Activation

MEMBERS, POINTS, INPUTS, WIDTH = 3, 7, 5, 11


def network(name, depth, bias=0.0):
    return FullyConnected(INPUTS, WIDTH, depth, Activation(name), bias)


def inputs(seed=1):
    return torch.randn(POINTS, INPUTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def jacobian(net, weights, x):
    """d f / d W_l of one network by reverse-mode differentiation of the forward pass alone."""
    return torch.func.jacrev(
        lambda *w: net.output([v.unsqueeze(0) for v in w], x).squeeze(0), tuple(range(len(weights)))
    )(*weights)


def moved(weights):
    """Weights off their start, so that biases are not zero."""
    generator = torch.Generator().manual_seed(4)
    return [w + 0.3 * torch.randn(w.shape, generator=generator, dtype=w.dtype) for w in weights]


@pytest.mark.parametrize("bias", [0.0, 0.1])
@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("name", ["softplus", "relu", "tanh", "gelu", "z*erf(z)"])
def test_each_layers_kernel_is_the_gram_matrix_of_autograd_jacobians(name, depth, bias):
    net = network(name, depth, bias)
    weights = moved(net.initial_weights(0, range(MEMBERS)))
    x, other = inputs(1), inputs(2)
    at, at_other = net.linearise(weights, x), net.linearise(weights, other)
    same, cross = at.kernel_layers(), at.kernel_layers(at_other)
    total = at.kernel()
    for m in range(MEMBERS):
        own = [w[m] for w in weights]
        rows = [j.reshape(POINTS, -1) for j in jacobian(net, own, x)]
        columns = [j.reshape(POINTS, -1) for j in jacobian(net, own, other)]
        for layer in range(depth + 1):
            # float64 rounding of sums over a few hundred weights
            torch.testing.assert_close(same[layer][m], rows[layer] @ rows[layer].T, rtol=1e-10, atol=1e-12)
            torch.testing.assert_close(cross[layer][m], rows[layer] @ columns[layer].T, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(total[m], sum(r @ r.T for r in rows), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(at.kernel_trace(), total.diagonal(dim1=1, dim2=2).sum(-1), rtol=1e-12, atol=0)


@pytest.mark.parametrize("bias", [0.0, 0.1])
@pytest.mark.parametrize("depth", [1, 3])
def test_pullback_and_pushforward_are_the_two_products_with_the_jacobian(depth, bias):
    net = network("softplus", depth, bias)
    weights = moved(net.initial_weights(0, range(MEMBERS)))
    at = net.linearise(weights, inputs())
    q = torch.randn(MEMBERS, POINTS, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    pulled = at.pullback(q)
    for m in range(MEMBERS):
        for layer, j in enumerate(jacobian(net, [w[m] for w in weights], inputs())):
            torch.testing.assert_close(pulled[layer][m], torch.tensordot(q[m], j, 1), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(at.pushforward(pulled), (at.kernel() @ q.unsqueeze(-1)).squeeze(-1))
    for arrived, w, p in zip(at.add_pullback(weights, q), weights, pulled, strict=True):
        torch.testing.assert_close(arrived, w + p)


@pytest.mark.parametrize("bias", [0.0, 0.1])
@pytest.mark.parametrize("depth", [1, 3])
def test_coefficients_on_the_training_inputs_move_the_network_as_its_weights_do(depth, bias):
    net, x, x_test = network("softplus", depth, bias), inputs(1), inputs(2)
    start = net.initial_weights(0, range(MEMBERS))
    points, points_test = PointSet.of(x, bias), PointSet.of(x_test, bias)
    train, test = (Span.of(own, points, start[0]) for own in (points, points_test))
    weights, spanned = start, [torch.zeros_like(train.offset), *start[1:]]
    for seed in range(3):
        q = torch.randn(MEMBERS, POINTS, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        at, at_span = net.linearise(weights, x), net.linearise(spanned, train)
        torch.testing.assert_close(at_span.output, at.output)
        torch.testing.assert_close(at_span.kernel(), at.kernel())
        torch.testing.assert_close(at_span.pushforward(at_span.pullback(q)), at.pushforward(at.pullback(q)))
        for moved, w, p in zip(at_span.add_pullback(spanned, q), spanned, at_span.pullback(q), strict=True):
            torch.testing.assert_close(moved, w + p)
        weights, spanned = at.add_pullback(weights, q), at_span.add_pullback(spanned, q)
    torch.testing.assert_close(net.output(spanned, test), net.output(weights, x_test))
    torch.testing.assert_close(net.output(spanned, test.select_points(slice(3))), net.output(weights, x_test[:3]))
    assert test.select_points(slice(3)).own.whole.gram.shape == (3, 3)  # not of points that have no kernel
    torch.testing.assert_close(train.norm(spanned[0]), Dense.of(x, bias).norm(weights[0] - start[0]))
    rows, columns = slice(2), slice(2, None)
    parts = at_span.select_points(rows), at_span.select_points(columns)  # training inputs, whose products are known
    torch.testing.assert_close(sum(parts[0].kernel_parts(parts[1])), at.kernel()[:, rows, columns])
    of_parts = parts[1].select_points(slice(1)), at_span.select_points(slice(2, 3))
    torch.testing.assert_close(sum(parts[0].kernel_parts(of_parts[0])), sum(parts[0].kernel_parts(of_parts[1])))
    of_test, of_test_dense = net.linearise(spanned, test), net.linearise(weights, x_test)
    cross = of_test.kernel_parts(at_span.select_points(columns))
    torch.testing.assert_close(sum(cross), sum(of_test_dense.kernel_parts(at.select_points(columns))))
    torch.testing.assert_close(of_test.select_points(rows).kernel(), of_test_dense.kernel()[:, rows, rows])
    one = torch.tensor([1])
    torch.testing.assert_close(
        net.output([w[one] for w in spanned], test.select(one)), net.output([w[one] for w in weights], x_test)
    )


def test_initial_weights_depend_on_the_seed_and_the_shape_of_the_network_alone():
    relu, tanh = network("relu", 2), network("tanh", 2)
    for a, b in zip(relu.initial_weights(0, [4, 5]), tanh.initial_weights(0, [5]), strict=True):
        assert torch.equal(a[1], b[0])  # another activation, another batch, the same seed
        assert not torch.equal(a[0], a[1])
    assert not torch.equal(relu.initial_weights(0, [4])[0], relu.initial_weights(1, [4])[0])
    wider = FullyConnected(INPUTS, WIDTH + 1, 2, Activation("relu"))
    assert not torch.equal(wider.initial_weights(0, [4])[0][:, :WIDTH], relu.initial_weights(0, [4])[0])


def test_at_initialisation_the_output_is_of_order_one_at_every_width():
    """Article convention: f(w_0) has variance E[sigma²] = 1 on the sphere, whatever the width."""
    x = inputs()
    x *= INPUTS**0.5 / x.norm(dim=1, keepdim=True)
    for width in (16, 256):
        net = FullyConnected(INPUTS, width, 2, Activation("softplus"))
        second_moment = net.output(net.initial_weights(0, range(400)), x).square().mean()
        # 400 nearly Gaussian networks of 7 correlated points: standard error of the variance about 0.06
        assert second_moment.item() == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_bias_is_that_of_the_published_code_read_in_the_articles_convention(depth):
    """There z = W x/sqrt(fan-in) + B b, and f_code = W x/h + B b: f = sqrt(h) f_code; b starts at zero."""
    b, net = 0.1, network("softplus", depth, 0.1)
    plain, start = network("softplus", depth), net.initial_weights(0, [3])
    for w, expected in zip(start, plain.initial_weights(0, [3]), strict=True):
        assert torch.equal(w[..., :-1], expected)  # the same draw as without a bias
        assert (w[..., -1] == 0).all()
    x, weights = inputs(), moved(start)
    hidden = x
    for w in weights[:-1]:
        hidden = net.activation.value(hidden @ w[0, :, :-1].T / hidden.shape[1] ** 0.5 + b * w[0, :, -1])
        hidden = hidden * WIDTH**0.5  # `activation` is sigma/sqrt(h)
    code = hidden @ weights[-1][0, :, :-1].T / WIDTH + b * weights[-1][0, :, -1]
    torch.testing.assert_close(net.output(weights, x)[0], WIDTH**0.5 * code[:, 0])


def test_the_kernel_of_the_output_bias_is_h_times_what_other_biases_have():
    """THEORY: without the factor 1/h its part of the article's kernel is h B², for every pair of points."""
    net = network("softplus", 1, 0.1)
    with_bias = net.linearise(net.initial_weights(0, [0]), inputs()).kernel_layers()[-1]
    plain = network("softplus", 1)
    without = plain.linearise(plain.initial_weights(0, [0]), inputs()).kernel_layers()[-1]
    torch.testing.assert_close(with_bias - without, torch.full_like(without, WIDTH * 0.01))
