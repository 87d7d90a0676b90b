"""The article's wide residual network: its layers, its variance at initialisation, its derivatives, its training."""

import math

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from simulate import Experiment, Status, load_data, run_task
from simulate.networks.wide_resnet import WideResidual
from simulate.planning.tasks import Task
from theory import Activation, InputError


def images(shape, n=3, seed=0):
    x = torch.randn(n, math.prod(shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x * math.sqrt(math.prod(shape)) / x.norm(dim=1, keepdim=True)


def test_layers_are_those_of_the_published_network():
    """Widening factor 2: a first convolution, 3 stages of 4 blocks with two each, 3 shortcuts, a last layer."""
    net = WideResidual((32, 32, 3), 32, 28, Activation("softplus"))
    assert len(net.shapes) == WideResidual.layers(28) == 29
    assert net.shapes[0] == (16, 27)
    assert net.shapes[1:4] == [(32, 144), (32, 288), (32, 16)]  # two convolutions, the shortcut
    assert [shape for shape in net.shapes if shape[1] < 130] == [(16, 27), (32, 16), (64, 32), (128, 64), (1, 128)]
    assert net.shapes[-2] == (128, 1152)
    with_bias = WideResidual((32, 32, 3), 32, 28, Activation("softplus"), 1.0)
    assert all(a[1] + 1 == b[1] for a, b in zip(net.shapes, with_bias.shapes, strict=True))


@pytest.mark.parametrize("depth", [1, 4, 9, 11, 27, 29])
def test_depths_without_three_equal_stages_are_refused(depth):
    with pytest.raises(InputError, match="6n"):
        WideResidual.check((8, 8, 1), depth)


def test_multiplications_are_those_that_are_done():
    shape, width, depth = (9, 8, 2), 4, 16
    net = WideResidual(shape, width, depth, Activation("relu"))
    with FlopCounterMode(display=False) as counter:
        net.output(net.initial_weights(0, [0]), images(shape))
    last_layer = 4 * width  # a matrix times a vector, which the counter leaves out
    assert counter.get_total_flops() == 2 * 3 * (net.multiplications(shape, width, depth) - last_layer)


class Unmixed(WideResidual):
    """x + block(x), as blocks would add without an angle."""

    name = "unmixed"

    def forward(self, weights, x):
        self.mixing_angle = math.pi / 4
        scale = math.sqrt(2.0)  # cos = sin = 1/sqrt(2): times sqrt(2) is a plain sum, block by block
        blocks = (self.depth - 4) // 2
        return super().forward(weights, x) * scale**blocks


def test_outputs_stay_of_order_one_with_depth():
    """ReLU is homogeneous: plain sums are the mixed network times sqrt(2) a block, and grow as 2^(blocks/2).

    On 16x16 images the zeros at the border take a part of each convolution's variance: in the last stage of 4x4, where
    half of all rows and columns are at the border, a convolution keeps 69 %, a block (1 + 0.69²)/2 = 74 %, and four
    blocks 30 %: of order one, and no growth.
    """
    shape = (16, 16, 1)
    moments = {}
    for depth in (10, 16, 28):
        net = WideResidual(shape, 8, depth, Activation("relu"))
        moments[depth] = net.output(net.initial_weights(0, range(40)), images(shape)).square().mean().item()
    # 40 networks of three images: a standard error of a fifth each
    for moment in moments.values():
        assert 0.05 < moment < 2.0
    assert moments[28] < 1.7 * moments[10]
    unmixed = Unmixed(shape, 8, 28, Activation("relu"))
    grown = unmixed.output(unmixed.initial_weights(0, range(40)), images(shape)).square().mean().item()
    assert grown > 50 * moments[28]


def test_a_blocks_variance_is_kept_where_no_zeros_are_added():
    """In the middle of large images: cos² of the stream's and sin² of the branch's, which are both 1."""
    shape, width = (24, 24, 2), 24
    net = WideResidual(shape, width, 10, Activation("relu"))
    streams = []
    original = net.sigma
    net.sigma = lambda z: streams.append(z) or original(z)
    net.output(net.initial_weights(0, range(12)), images(shape, 4))
    # of each network: the stream before each of three blocks, the branch in each, the stream at the end
    variance = [z[:, :, z.shape[2] // 2, z.shape[3] // 2].square().mean().item() for z in streams]
    by_argument = np.array(variance).reshape(12, 7).mean(axis=0)
    # four images, 12 networks, 16 to 96 channels: below a tenth each, and a little is lost at the images' border
    np.testing.assert_allclose(by_argument, 1.0, atol=0.3)


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_the_kernel_is_that_of_finite_differences(bias):
    shape, step = (6, 5, 1), 1e-6
    net, x = WideResidual(shape, 2, 10, Activation("softplus"), bias), images(shape, 3)
    weights = net.initial_weights(0, [0])
    linearisation = net.linearise(weights, x)
    theta = linearisation.kernel()[0]
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        v = [torch.randn(w.shape, generator=generator, dtype=w.dtype) for w in weights]
        ahead, behind = ([w + s * step * c for w, c in zip(weights, v, strict=True)] for s in (1, -1))
        difference = (net.output(ahead, x) - net.output(behind, x)) / (2 * step)
        # softplus with beta = 5 through 10 layers: third derivatives of 1e4 times step² = 1e-12
        torch.testing.assert_close(linearisation.pushforward(v), difference, rtol=1e-5, atol=1e-6)
    # Theta = J J^T, with J^T by backward passes
    points = torch.eye(3, dtype=torch.float64)
    rows = [torch.cat([g.flatten() for g in linearisation.pullback(e.unsqueeze(0))]) for e in points]
    jacobian = torch.stack(rows)
    torch.testing.assert_close(theta, jacobian @ jacobian.T)


def test_it_trains_and_is_lazier_at_larger_amplitude():
    spec = Experiment(
        name="test", dataset="digits", architecture="wide_resnet", depth=10, widths=[4], n_train=10, n_test=10,
        activation="softplus", root_h_alpha=[0.1, 100.0], seeds=1, tolerance=0.05, bias=1.0,
    )  # fmt: skip
    result = run_task(spec, Task("test", 0, 4, 0, 1), load_data(spec))
    assert (result.status == Status.CONVERGED).all()
    change = result.kernel_change.values.ravel()
    assert change[1] < 0.1 * change[0]
    assert np.isfinite(result.kernel_change_layer).all()
    assert result.sizes["layer"] == 11
