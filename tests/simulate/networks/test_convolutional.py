"""The layerwise forms of convolutional networks equal automatic differentiation of torch's own convolution."""

import numpy as np
import pytest
import torch

from simulate import Campaign, Experiment, load_data, run_task
from simulate.networks import ntk
from simulate.networks.convolutional import Convolutional
from simulate.networks.differentiated import Differentiated
from simulate.planning.tasks import Task, campaign_tasks
from simulate.training.status import Status
from theory import Activation, InputError

MEMBERS, POINTS, WIDTH = 2, 5, 4


def images(shape, seed=1, points=POINTS):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(points, int(np.prod(shape)), generator=generator, dtype=torch.float64)


def network(shape, depth, activation="softplus", bias=0.0):
    """A network and weights off their start, so that biases are not zero."""
    net = Convolutional(shape, WIDTH, depth, Activation(activation), bias)
    generator = torch.Generator().manual_seed(4)
    start = net.initial_weights(0, range(MEMBERS))
    return net, [w + 0.3 * torch.randn(w.shape, generator=generator, dtype=w.dtype) for w in start]


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


CASES = [((8, 8, 1), 1, "softplus", 0.0), ((8, 8, 1), 2, "relu", 0.1), ((9, 12, 3), 2, "softplus", 0.1),
         ((28, 28, 1), 4, "softplus", 0.0), ((16, 19, 2), 3, "tanh", 0.1)]  # fmt: skip


@pytest.mark.parametrize(("shape", "depth", "activation", "bias"), CASES)
def test_everything_the_flow_asks_for_is_what_automatic_differentiation_gives(shape, depth, activation, bias):
    net, weights = network(shape, depth, activation, bias)
    x, other = images(shape, 1), images(shape, 2, 3)
    ours, auto = net.linearise(weights, x), Differentiated(net.evaluate, weights, x)
    close(ours.output, auto.output)
    close(net.output(weights, x), auto.output)
    q = torch.randn(MEMBERS, POINTS, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    pulled = ours.pullback(q)
    for a, b in zip(pulled, auto.pullback(q), strict=True):
        close(a, b)
    close(ours.pushforward(pulled), auto.pushforward(pulled))
    for a, b in zip(ours.kernel_layers(), auto.kernel_layers(), strict=True):
        close(a, b)
    cross, cross_auto = net.linearise(weights, other), Differentiated(net.evaluate, weights, other)
    for a, b in zip(ours.kernel_layers(cross), auto.kernel_layers(cross_auto), strict=True):
        close(a, b)
    close(ours.kernel_trace(), auto.kernel_trace())
    for arrived, w, p in zip(ours.add_pullback(weights, q), weights, pulled, strict=True):
        close(arrived, w + p)


def test_members_points_and_blocks_are_parts_of_the_whole(monkeypatch):
    """Blocks of one image and of one channel, tiles of two points: as in one piece."""
    shape = (16, 16, 2)
    net, weights = network(shape, 3, bias=0.1)
    x, q = images(shape), torch.ones(MEMBERS, POINTS, dtype=torch.float64)
    at = net.linearise(weights, x)
    kernel, layers, trace, pulled = at.kernel(), at.kernel_layers(), at.kernel_trace(), at.pullback(q)
    one = torch.tensor([1])
    close(at.select(one).kernel(), kernel[one])
    close(at.select_points(slice(1, 4)).kernel(), kernel[:, 1:4, 1:4])
    monkeypatch.setattr("simulate.networks.convolution._CPU_BLOCK_BYTES", 1)
    monkeypatch.setattr("simulate.networks.layerwise_convolutional._GRADIENT_BYTES", 1)
    monkeypatch.setattr("simulate.networks.layerwise_convolutional._ROWS", 2)
    monkeypatch.setattr("simulate.networks.layerwise_convolutional._TILE", 2)
    again = net.linearise(weights, x)
    close(again.output, at.output)
    close(again.kernel(), kernel)
    close(again.kernel_trace(), trace)
    for a, b in zip([*again.kernel_layers(), *again.pullback(q)], [*layers, *pulled], strict=True):
        close(a, b)
    norm, of_layers = ntk.norms(again)
    close(norm, kernel.norm(dim=(1, 2)))
    close(of_layers, torch.stack([k.norm(dim=(1, 2)) for k in layers], -1))
    other = net.linearise(net.initial_weights(1, range(MEMBERS)), x)
    again.put(one, other.select(one))
    close(again.kernel()[0], kernel[0])
    close(again.kernel()[1], other.kernel()[1])


def test_both_ways_to_a_layers_kernel_agree_and_the_cheaper_is_taken(monkeypatch):
    net, weights = network((16, 16, 2), 3)
    at = net.linearise(weights, images((16, 16, 2)))
    for number in range(3):
        close(at._kernel_by_gradients(number, None), at._kernel_by_patches(number, None))
    taken = []
    for name in ("_kernel_by_gradients", "_kernel_by_patches"):
        monkeypatch.setattr(type(at), name, lambda self, number, other, name=name: taken.append((number, name)))
    at.kernel_layers()
    # 4 channels; positions and columns are 49 and 50, 25 and 100, 4 and 100. The last: 2·4·100 operations for each of
    # 15 pairs, and 3200 for the gradient of each of 5 points, against 15·4²·210. On a single position patches win
    assert taken == [(0, "_kernel_by_gradients"), (1, "_kernel_by_gradients"), (2, "_kernel_by_gradients")]
    taken.clear()
    small, its_weights = network((8, 8, 1), 2)
    small.linearise(its_weights, images((8, 8, 1))).kernel_layers()
    assert taken[-1] == (1, "_kernel_by_patches")


def test_weights_are_those_of_the_published_network():
    net = Convolutional((32, 32, 3), 50, 4, Activation("softplus"))
    assert net.shapes == [(50, 75), (50, 1250), (50, 1250), (50, 1250), (1, 50)]


def test_at_initialisation_outputs_do_not_grow_with_the_width():
    x = images((8, 8, 1))
    x *= 8.0 / x.norm(dim=1, keepdim=True)
    moments = []
    for width in (8, 64):
        net = Convolutional((8, 8, 1), width, 2, Activation("softplus"))
        moments.append(net.output(net.initial_weights(0, range(300)), x).square().mean().item())
    # two estimates of one variance from 300 networks: each has a standard error of about a tenth
    assert moments[0] == pytest.approx(moments[1], rel=0.5)


FIELDS = {
    "name": "test", "dataset": "digits", "n_train": 20, "n_test": 30, "depth": 2, "activation": "softplus",
    "widths": [8], "root_h_alpha": [0.1, 10.0], "seeds": 2, "architecture": "cnn",
}  # fmt: skip


def test_images_that_are_too_small_and_points_that_are_no_images_are_refused():
    for changes, field, problem in (
        ({"depth": 3}, "depth", "smaller than a 5x5 filter after 2 convolutions"),
        ({"pca": 10}, "pca", "principal components are not"),
        ({"dataset": "sphere"}, "architecture", "points of this data set are not"),
    ):
        with pytest.raises(InputError, match=problem) as caught:
            Campaign.from_dict({"name": "test", "experiment": [FIELDS | changes]})
        assert caught.value.field == f"experiment[0].{field}"
        assert caught.value.remedy


def test_images_of_a_file_are_checked_when_it_is_read(tmp_path):
    def archive(shape):
        generator, path = np.random.default_rng(0), tmp_path / f"{len(shape)}-{shape[0]}.npz"
        x = generator.normal(size=(60, *shape))
        y = np.arange(60) % 2
        np.savez(path, x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])
        return Experiment(**(FIELDS | {"dataset": str(path)}))

    assert load_data(archive((9, 7))).image_shape == (9, 7, 1)
    assert load_data(archive((8, 8, 3))).image_shape == (8, 8, 3)
    with pytest.raises(InputError, match="smaller than"):
        load_data(archive((7, 4)))
    with pytest.raises(InputError, match="are not"):
        load_data(archive((64,)))
    for shape in ((3, 32, 32), (1, 28, 28), (4, 16, 12), (2, 8, 8), (3, 32, 5)):
        with pytest.raises(InputError, match="channels last") as caught:
            load_data(archive(shape))
        assert "np.moveaxis(x, 1, -1)" in caught.value.remedy


@pytest.mark.parametrize("shape", [(32, 32, 3), (5, 5, 9), (8, 3, 4), (4, 8, 4)])
def test_images_with_channels_last_are_not_taken_for_others(shape):
    Convolutional.check(shape, 1)


def test_fully_connected_networks_see_no_layout(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(60, 3, 8, 8)), np.arange(60) % 2
    np.savez(tmp_path / "first.npz", x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])
    spec = Experiment(**(FIELDS | {"dataset": str(tmp_path / "first.npz"), "architecture": "fc"}))
    assert load_data(spec).x_train.shape == (20, 192)


def test_networks_train_and_do_not_depend_on_their_neighbours():
    spec = Experiment(**(FIELDS | {"root_h_alpha": [1e-2, 1.0, 1e3]}))
    together = run_task(spec, Task("test", 0, 8, 0, 2), load_data(spec))
    alone = run_task(spec, Task("test", 0, 8, 1, 2), load_data(spec))
    assert (together.status == Status.CONVERGED).all()
    assert (together.kernel_change.diff("root_h_alpha") < 0).all()  # lazier at larger A
    for name in ("kernel_change", "kernel_change_layer", "time_end", "weight_change", "test_output"):
        ours, theirs = together[name].isel(seed=[1]).values, alone[name].values
        np.testing.assert_allclose(ours, theirs, rtol=1e-9 if ours.dtype == np.float64 else 1e-6)


def test_images_of_a_file_can_be_planned_and_trained(tmp_path):
    """The shape of a file's points is not known before it is read, and the choice of the integrator asks for it."""
    rng = np.random.default_rng(0)
    labels = np.tile([1, -1], 10)
    images = {f"x_{part}": rng.uniform(size=(20, 12, 12, 1)) for part in ("train", "test")}
    np.savez(tmp_path / "images.npz", **images, y_train=labels, y_test=labels)
    fields = {
        "name": "own", "dataset": str(tmp_path / "images.npz"), "architecture": "cnn", "depth": 2, "widths": [3],
        "activation": "relu", "root_h_alpha": [1.0], "seeds": 1, "n_train": 8, "n_test": 6,
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "own", "experiment": [fields]})
    (own,), (task,) = campaign.experiment, campaign_tasks(campaign)
    assert own.input_shape is None
    assert (run_task(own, task, load_data(own))["status"] == Status.CONVERGED).all()
