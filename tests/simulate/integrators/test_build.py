"""Each integrator that a campaign can name is built with the controller that goes with it."""

import pytest
import torch

from simulate import Campaign
from simulate.integrators.build import build, needs_weights
from simulate.integrators.chebyshev import Chebyshev
from simulate.integrators.error_control import ErrorControl
from simulate.integrators.euler import Euler, PublishedRule
from simulate.integrators.every_step import EveryStep
from simulate.integrators.kernel_flow import KernelFlow
from simulate.integrators.minibatch import AdamUpdate, Minibatches, SGDUpdate
from simulate.integrators.momentum import MomentumRosenbrock
from simulate.integrators.rosenbrock import Rosenbrock
from simulate.networks.fully_connected import FullyConnected
from theory import Activation

AMPLITUDES = torch.tensor([0.01, 1.0, 100.0], dtype=torch.float64)


def built(**fields):
    row = {
        "name": "one", "dataset": "sphere", "n_train": 10, "n_test": 10, "depth": 1, "activation": "softplus",
        "widths": [4], "root_h_alpha": [0.01, 1.0, 100.0], "seeds": 1, "tolerance": 1e-2, **fields,
    }  # fmt: skip
    (experiment,) = Campaign.from_dict({"name": "c", "experiment": [row]}).experiment
    network = FullyConnected(10, 4, 1, Activation("softplus"))
    return build(experiment, network, [0], torch.zeros(3, dtype=torch.int64), AMPLITUDES)


@pytest.mark.parametrize(
    ("integrator", "stepper", "controller", "share"),
    [
        ("rosenbrock", Rosenbrock, ErrorControl, 1.0),
        ("chebyshev", Chebyshev, ErrorControl, 0.25),
        ("kernel_flow", KernelFlow, ErrorControl, 3.0),
        ("euler", Euler, PublishedRule, None),
    ],
)
def test_gradient_flow(integrator, stepper, controller, share):
    """Of the campaign's tolerance each takes the share at which all are as far from the exact flow."""
    made, control = built(dynamics={"name": "gradient_flow", "integrator": integrator})
    assert (type(made), type(control)) == (stepper, controller)
    if share is not None:
        assert control.tolerance == pytest.approx(share * 1e-2)
        torch.testing.assert_close(control.natural_scale, 0.3 * torch.tensor([0.01, 1.0, 1.0], dtype=torch.float64))


def test_momentum_is_a_w_method():
    made, control = built(dynamics={"name": "momentum"})
    assert (type(made), type(control)) == (MomentumRosenbrock, ErrorControl)


@pytest.mark.parametrize(
    ("dynamics", "update"),
    [
        ({"name": "sgd", "temperature": 0.01, "batch_size": 4}, SGDUpdate),
        ({"name": "adam", "learning_rate": 0.01, "batch_size": 4}, AdamUpdate),
    ],
)
def test_minibatches_take_every_step(dynamics, update):
    made, control = built(dynamics=dynamics)
    assert (type(made), type(made.update), type(control)) == (Minibatches, update, EveryStep)


def test_which_integrators_look_at_weights():
    names = ("rosenbrock", "chebyshev", "kernel_flow", "momentum", "euler", "sgd", "adam")
    assert [name for name in names if needs_weights(name)] == ["euler", "sgd", "adam"]
