"""The first layer in the span of the training inputs is the first layer."""

import math

import pytest
import torch

from simulate.networks.first_layer import Dense, PointRange, PointSet, Span, first_layers, span_is_cheaper
from simulate.networks.fully_connected import FullyConnected
from theory import Activation

MEMBERS, POINTS, INPUTS, WIDTH = 3, 7, 5, 11


def network(name, depth, bias=0.0):
    return FullyConnected(INPUTS, WIDTH, depth, Activation(name), bias)


def inputs(seed=1):
    return torch.randn(POINTS, INPUTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("bias", [0.0, 0.1])
@pytest.mark.parametrize("depth", [1, 3])
def test_coefficients_on_the_training_inputs_move_the_network_as_its_weights_do(depth, bias):
    net, x, x_test = network("softplus", depth, bias), inputs(1), inputs(2)
    start = net.initial_weights(0, range(MEMBERS))
    points, points_test = PointSet.from_inputs(x, bias), PointSet.from_inputs(x_test, bias)
    train, test = (Span.from_initial_weights(own, points, start[0]) for own in (points, points_test))
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
    assert test.select_points(slice(3)).points.point_set.gram.shape == (3, 3)  # not of points that have no kernel
    torch.testing.assert_close(train.norm(spanned[0]), Dense.on_inputs(x, bias).norm(weights[0] - start[0]))
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


@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_inputs_are_over_sqrt_d_and_a_bias_is_one_more(bias):
    a = PointSet.from_inputs(inputs(), bias).a
    torch.testing.assert_close(a[:, :INPUTS], inputs() / math.sqrt(INPUTS))
    assert a.shape == (POINTS, INPUTS + (bias > 0))
    assert (a[:, INPUTS:] == bias).all()


@pytest.mark.parametrize("largest", [1, 100])
def test_inner_products_of_ranges_do_not_depend_on_whether_they_are_kept(largest, monkeypatch):
    monkeypatch.setattr("simulate.networks.first_layer.MAX_GRAM_POINTS", largest)
    points = PointRange.all_points(PointSet.from_inputs(inputs()))
    whole = points.a @ points.a.mT
    left, right = points.subrange(slice(1, 4)), points.subrange(slice(2, None)).subrange(slice(1, 3))
    torch.testing.assert_close(left.inner(right), whole[1:4, 3:5])
    index = torch.tensor([5, 0])
    torch.testing.assert_close(left.inner(points.select_points(index)), whole[1:4][:, index])


def test_the_coordinates_with_fewer_operations_are_chosen_unless_weights_are_asked_for():
    assert span_is_cheaper(9, 5)
    assert not span_is_cheaper(10, 5)
    weights = network("relu", 2).initial_weights(0, range(MEMBERS))
    start, *both = first_layers(weights, inputs(1), inputs(2))
    assert [type(layer) for layer in both] == [Span, Span]
    assert start[0].shape == (MEMBERS, POINTS, WIDTH)
    assert not start[0].any()
    start, *both = first_layers(weights, inputs(1), inputs(2), dense=True)
    assert [type(layer) for layer in both] == [Dense, Dense]
    assert start is weights
