"""Convolutional networks: their shapes, which images they take, and how they train."""

import numpy as np
import pytest
from cnn_problem import images

from simulate import Campaign, Experiment, load_data, run_task
from simulate.networks.convolutional import Convolutional
from simulate.planning.tasks import Task, campaign_tasks
from simulate.training.status import Status
from theory import Activation, InputError


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
