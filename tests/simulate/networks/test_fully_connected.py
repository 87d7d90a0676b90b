"""The layerwise tangent kernel and the Jacobian products equal what automatic differentiation gives."""

import pytest
import torch

from simulate.networks.architecture import Architecture
from simulate.networks.differentiated import Differentiated
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
        hidden = net.sigma(hidden @ w[0, :, :-1].T / hidden.shape[1] ** 0.5 + b * w[0, :, -1])
    code = hidden @ weights[-1][0, :, :-1].T / WIDTH + b * weights[-1][0, :, -1]
    torch.testing.assert_close(net.output(weights, x)[0], WIDTH**0.5 * code[:, 0])


def test_the_kernel_of_the_output_bias_is_h_times_what_other_biases_have():
    """THEORY: without the factor 1/h its part of the article's kernel is h B², for every pair of points."""
    net = network("softplus", 1, 0.1)
    with_bias = net.linearise(net.initial_weights(0, [0]), inputs()).kernel_layers()[-1]
    plain = network("softplus", 1)
    without = plain.linearise(plain.initial_weights(0, [0]), inputs()).kernel_layers()[-1]
    torch.testing.assert_close(with_bias - without, torch.full_like(without, WIDTH * 0.01))


@pytest.mark.parametrize("bias", [0.0, 0.1])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("name", ["softplus", "relu"])
def test_the_layerwise_forms_are_those_of_the_forward_function(name, depth, bias):
    net = network(name, depth, bias)
    weights, q = moved(net.initial_weights(0, range(MEMBERS))), torch.ones(MEMBERS, POINTS, dtype=torch.float64)
    ours, automatic = net.linearise(weights, inputs()), Differentiated(net.evaluate, weights, inputs())
    # float64 rounding of sums over a few hundred weights
    tight = {"rtol": 1e-10, "atol": 1e-12}
    torch.testing.assert_close(net.output(weights, inputs()), automatic.output, **tight)
    for a, b in zip(ours.pullback(q), automatic.pullback(q), strict=True):
        torch.testing.assert_close(a, b, **tight)
    for a, b in zip(ours.kernel_layers(), automatic.kernel_layers(), strict=True):
        torch.testing.assert_close(a, b, **tight)


class Residual(FullyConnected):
    """What a user may write on top of it: each hidden layer adds to its input."""

    name = "residual on fc"

    def forward(self, weights, x):
        x = self.sigma(x @ weights[0].mT / self.input_dim**0.5)
        for w in weights[1:-1]:
            x = (x + self.sigma(x @ w.mT / self.width**0.5)) / 2**0.5
        return (x @ weights[-1].mT / self.width**0.5).squeeze(-1)


class PlainResidual(Architecture):
    """The same without the fully connected network below."""

    name = "plain residual"
    weight_shapes = FullyConnected.weight_shapes
    forward = Residual.forward


@pytest.mark.parametrize("depth", [1, 3])
def test_a_class_derived_from_it_is_its_own_forward_function_with_the_activation_itself(depth):
    ours, plain = (cls(INPUTS, WIDTH, depth, Activation("softplus")) for cls in (Residual, PlainResidual))
    z = torch.linspace(-3, 3, 7, dtype=torch.float64)
    expected = Activation("softplus")(z.numpy())
    torch.testing.assert_close(ours.sigma(z), torch.from_numpy(expected))  # c sigma(z), whatever the width
    weights, q = plain.initial_weights(0, range(MEMBERS)), torch.ones(MEMBERS, POINTS, dtype=torch.float64)
    assert torch.equal(ours.output(weights, inputs()), plain.output(weights, inputs()))
    at, at_plain = ours.linearise(weights, inputs()), plain.linearise(weights, inputs())
    assert torch.equal(at.kernel(), at_plain.kernel())
    rates = at.pullback(q)
    for a, b in zip(rates, at_plain.pullback(q), strict=True):
        assert torch.equal(a, b)
    start, on_train, on_test = ours.coordinates(weights, inputs(), inputs(2))
    assert torch.equal(on_train.a, inputs())
    assert torch.equal(ours.output(start, on_test), plain.output(weights, inputs(2)))
    torch.testing.assert_close(
        ours.preactivation_velocity(start, rates, on_train), plain.preactivation_velocity(start, rates, on_train)
    )
    assert ours.size == plain.size
    assert ours.operation_counts(10) == plain.operation_counts(10)
    said = [[c.first_layer_in_span, c.stacked_products, c.stiff] for c in (FullyConnected, Residual, PlainResidual)]
    assert said == [[True, True, False], [False, False, True], [False, False, True]]


class Wider(FullyConnected):
    """No forward function of its own: that of the fully connected network, by hand."""


class Turned(FullyConnected):
    """A forward function of its own, and the output by hand."""

    def forward(self, weights, x):
        return -super().forward(weights, x)

    def output(self, weights, inputs):
        return -super().output(weights, inputs)


class Again(Turned):
    """Derived once more."""


class Mixin:
    """Another activation than the campaign's."""

    def sigma(self, z):
        return z


class Linear(Mixin, FullyConnected):
    """What is compiled of the campaign's activation does not hold."""


def test_forms_by_hand_are_kept_by_derived_classes_of_the_same_forward_function_alone():
    x, softplus = inputs(), Activation("softplus")
    assert Wider.linearise is FullyConnected.linearise
    wider, turned, again, linear = (cls(INPUTS, WIDTH, 2, softplus) for cls in (Wider, Turned, Again, Linear))
    weights = wider.initial_weights(0, range(MEMBERS))
    for net in (turned, again):
        torch.testing.assert_close(net.output(weights, x), -wider.output(weights, x))
        torch.testing.assert_close(net.linearise(weights, x).output, -wider.linearise(weights, x).output)
        torch.testing.assert_close(net.linearise(weights, x).kernel(), wider.linearise(weights, x).kernel())
    a = x / INPUTS**0.5
    for w in weights[:-1]:
        a = a @ w.mT / WIDTH**0.5
    torch.testing.assert_close(linear.output(weights, x), (a @ weights[-1].mT).squeeze(-1))
    torch.testing.assert_close(linear.linearise(weights, x).output, linear.output(weights, x))
