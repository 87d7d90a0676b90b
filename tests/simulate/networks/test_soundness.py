"""What is no function of a network's weights and of one point is refused before it is trained, by its name."""

import math

import numpy as np
import pytest
import torch

from simulate import Architecture, Campaign, Experiment, load_data, register_architecture, run, run_task
from simulate.networks.convolutional import Convolutional
from simulate.networks.fully_connected import FullyConnected
from simulate.networks.soundness import check_architecture, construct
from simulate.planning.tasks import Task
from theory import Activation, InputError

INPUTS, WIDTH = 6, 8


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch):
    monkeypatch.setattr("simulate.networks.registry._registered", {})
    monkeypatch.setattr("simulate.networks.soundness._checked", set())


class Sound(Architecture):
    """One hidden layer, as a user would write it."""

    name = "mine"

    def weight_shapes(self):
        return [(self.width, self.input_dim), (1, self.width)]

    def hidden(self, weights, x):
        return self.sigma(x @ weights[0].mT / math.sqrt(self.input_dim))

    def last(self, weights, a):
        return (a @ weights[1].mT / math.sqrt(self.width)).squeeze(-1)

    def forward(self, weights, x):
        return self.last(weights, self.hidden(weights, x))


def variant(change):
    """The sound one with its hidden activations (members, n, width) changed."""

    class Variant(Sound):
        def forward(self, weights, x):
            return self.last(weights, change(self.hidden(weights, x)))

    return Variant


def returning(change):
    """The sound one with its outputs (members, n) changed."""

    class Variant(Sound):
        def forward(self, weights, x):
            return change(super().forward(weights, x))

    return Variant


def batch_norm_of_one_member(a):
    normalise = torch.nn.functional.batch_norm
    return torch.stack([normalise(member, None, None, training=True) for member in a])


class WrongSlope(torch.autograd.Function):
    """Twice its argument's gradient."""

    @staticmethod
    def forward(z):
        return z.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad

    @staticmethod
    def jvp(ctx, tangent):
        return 2 * tangent

    generate_vmap_rule = True


def counting():
    calls = []

    def change(a):
        calls.append(0)
        return a * (1 + 0.01 * len(calls))

    return change


OTHER_POINTS = [
    lambda a: (a - a.mean(1, keepdim=True)) / (a.var(1, keepdim=True) + 1e-5).sqrt(),
    lambda a: a - a.mean(1, keepdim=True),
    lambda a: a / a.abs().amax(dim=1, keepdim=True),
    lambda a: a.softmax(dim=1),
    lambda a: a.cumsum(dim=1),
    lambda a: a / a.shape[1],
]
CHANCE = [
    lambda a: torch.nn.functional.dropout(a, 0.5),
    lambda a: torch.nn.functional.dropout(a, 0.05),
    lambda a: a + 1e-3 * torch.randn_like(a),
    lambda a: a[:, :, torch.randperm(a.shape[2])].cumsum(-1),
    counting(),
]
SHAPES = [
    lambda f: f.mT,
    lambda f: f.unsqueeze(-1),
    lambda f: f.sum(),
    lambda f: f.sum(0),
    lambda f: f[:, :-1],
]


def check(cls, depth=1):
    check_architecture(construct(cls, INPUTS, WIDTH, depth, Activation("softplus")))


@pytest.mark.parametrize("change", OTHER_POINTS)
def test_outputs_that_depend_on_the_other_points_are_refused(change):
    with pytest.raises(InputError, match="depends on the other points") as caught:
        check(variant(change))
    assert caught.value.field == "architecture"
    assert caught.value.value == "mine"


def test_torchs_batch_normalisation_is_refused():
    """It fails on single points by itself."""
    with pytest.raises(InputError, match=r"mine.*forward fails on a single point .*more than 1 value per channel"):
        check(variant(batch_norm_of_one_member))


@pytest.mark.parametrize("change", CHANCE)
def test_chance_and_states_are_refused(change):
    torch.manual_seed(0)
    with pytest.raises(InputError, match=r"mine.*the same call gives other outputs"):
        check(variant(change))


@pytest.mark.parametrize("change", SHAPES)
def test_other_shapes_are_refused(change):
    with pytest.raises(InputError, match=r"mine.*forward returns shape .*not \(members, n\)"):
        check(returning(change))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda f: f.double() if f.dtype == torch.float32 else f, "float64 for weights and points of torch.float32"),
        (lambda f: f.float(), "float32 for weights and points of torch.float64"),
        (lambda f: f.to(torch.complex128), "complex128"),
        (lambda f: (f, f), "returns tuple, not a tensor"),
        (lambda f: f.numpy(), "returns ndarray, not a tensor"),
        (lambda f: None, "returns NoneType"),
        (lambda f: f * torch.nan, "not finite"),
        (lambda f: f - f.mean(0, keepdim=True), "depends on the other networks"),
        (lambda f: f.detach(), "no gradient"),
        (lambda f: 0 * f, "do not depend on its weights"),
        (lambda f: f.round(), "derivative is not that of its outputs|do not depend"),
        (WrongSlope.apply, "derivative is not that of its outputs"),
        (lambda f: torch.as_tensor(f.detach().numpy()) + 0 * f, "derivative is not|do not depend|fails"),
        (lambda f: f if f.sum() > 0 else f * 1.0, "point by point"),
        (lambda f: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_whatever_else_is_no_function_of_weights_and_points_is_refused(change, problem):
    with pytest.raises(InputError, match=problem) as caught:
        check(returning(change))
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_changed_arguments_are_refused():
    class Forgetful(Sound):
        def forward(self, weights, x):
            with torch.no_grad():
                weights[0].mul_(1.1)
            return super().forward(weights, x)

    with pytest.raises(InputError, match="changes its arguments"):
        check(Forgetful)


@pytest.mark.parametrize("shapes", [[], None, "no", [(3, 4), 5], [(0, 4), (1, 3)], [(3, 4.0), (1, 3)], [(), (1, 3)]])
def test_shapes_of_weights_that_are_none_are_refused(shapes):
    class Shapeless(Sound):
        def weight_shapes(self):
            return shapes

    with pytest.raises(InputError, match=r"mine.*weight_shapes"):
        check(Shapeless)


def test_another_number_of_layers_than_is_said_is_refused():
    with pytest.raises(InputError, match=r"layers\(2\) says 3, and weight_shapes gives 2"):
        check(Sound, depth=2)


def test_a_constructor_that_fails_is_said():
    class Picky(Sound):
        def weight_shapes(self):
            raise RuntimeError("widths must be odd")

    with pytest.raises(InputError, match=r"mine.*constructed \(RuntimeError: widths must be odd\)"):
        check(Picky)


@pytest.mark.parametrize("activation", ["softplus", "relu", "tanh", "relu2"])
def test_sound_ones_pass(activation):
    for cls in (
        Sound,
        variant(lambda a: torch.nn.functional.layer_norm(a, (WIDTH,))),
        variant(lambda a: a.softmax(-1)),
    ):
        check_architecture(construct(cls, INPUTS, WIDTH, 1, Activation(activation)))


@pytest.mark.parametrize("bias", [0.0, 0.3])
@pytest.mark.parametrize(("base", "shape", "depth"), [(FullyConnected, 20, 3), (Convolutional, (9, 9, 2), 2)])
def test_those_of_the_package_would_pass(base, shape, depth, bias):
    class Derived(base):
        """Elsewhere, and so not exempt."""

    check_architecture(construct(Derived, shape, WIDTH, depth, Activation("relu"), bias))


def spec(**changes):
    fields = {"name": "test", "dataset": "sphere", "n_train": 8, "n_test": 6, "depth": 1, "activation": "softplus",
              "widths": (8,), "root_h_alpha": (1.0,), "seeds": 1, "architecture": "mine"}  # fmt: skip
    return Experiment(**(fields | changes))


def test_nothing_is_trained_and_nothing_written_of_one_that_is_not_sound(tmp_path):
    register_architecture(variant(OTHER_POINTS[0]))
    with pytest.raises(InputError, match="depends on the other points"):
        run_task(spec(), Task("test", 0, 8, 0, 1), load_data(spec()))
    campaign = Campaign.from_dict({"name": "c", "experiment": [spec().model_dump(mode="json", exclude_none=True)]})
    with pytest.raises(InputError, match="depends on the other points"):
        run(campaign, tmp_path / "store.zarr", workers=1)
    assert not (tmp_path / "store.zarr").exists()


def test_an_architecture_is_asked_once_a_process(monkeypatch):
    calls = []

    class Watched(Sound):
        name = "watched"

        def forward(self, weights, x):
            calls.append(len(x))
            return super().forward(weights, x)

    network = construct(Watched, INPUTS, WIDTH, 1, Activation("softplus"))
    check_architecture(network)
    count = len(calls)
    assert count > 0
    check_architecture(network)
    assert len(calls) == count
    check_architecture(construct(Watched, INPUTS, WIDTH + 1, 1, Activation("softplus")))
    assert len(calls) > count
    assert np.unique(calls).tolist()[-1] <= 4
