"""A given network in the lazy regime: its signals, and what linearised dynamics say of its kernel."""

import itertools

import numpy as np
import pytest
from clouds import cloud

from simulate import Campaign, load_data, run_task
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.tasks import campaign_tasks
from theory import Activation, InputError
from theory.curves import first_order_kernel_change
from theory.curves.lazy_network import FrozenKernel, signals


def random_weights(*sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((b, a)) for a, b in itertools.pairwise(sizes)]


def outputs(phi, weights, x):
    z = x
    for w in weights[:-1]:
        z = phi(z @ w.T / np.sqrt(w.shape[1]))
    return (z @ weights[-1].T / np.sqrt(weights[-1].shape[1]))[:, 0]


def test_pulled_back_forces_are_the_gradients_of_the_outputs():
    """Against differences of step 1e-6: rounding leaves 1e-9."""
    phi, (x, _) = Activation("softplus"), cloud(3, 4)
    weights, q = random_weights(4, 5, 6, 1), np.array([0.3, -1.0, 0.7])
    pulled = signals(phi, weights, x).pull_back(q)
    direction = random_weights(4, 5, 6, 1, seed=1)
    ahead, behind = (
        outputs(phi, [w + sign * 1e-6 * v for w, v in zip(weights, direction, strict=True)], x) for sign in (1, -1)
    )
    along = sum(np.sum(g * v) for g, v in zip(pulled, direction, strict=True))
    assert along == pytest.approx(q @ (ahead - behind) / 2e-6, rel=1e-7)


def test_the_kernel_is_the_inner_product_of_gradients():
    phi, (x, _) = Activation("tanh"), cloud(3, 4)
    at = signals(phi, random_weights(4, 5, 6, 1), x)
    gradients = [np.concatenate([g.ravel() for g in at.pull_back(row)]) for row in np.eye(3)]
    np.testing.assert_allclose(at.kernel(at), np.inner(gradients, gradients), rtol=1e-12)


def test_a_frozen_kernel_moves_outputs_by_the_sum_of_all_forces():
    theta = np.array([[2.0, 0.5], [0.5, 1.0]])
    frozen = FrozenKernel(theta)
    start = frozen.start()
    end = frozen.move(start, [(start, np.array([1.0, 0.0])), (start, np.array([0.5, 2.0]))])
    np.testing.assert_array_equal(frozen.output(end), theta @ [1.5, 2.0])


@pytest.mark.parametrize("sizes", [(4, 5, 2), (3, 5, 1)])
def test_weights_lead_from_the_inputs_to_one_output(sizes):
    x, y = cloud(3, 4)
    with pytest.raises(InputError, match="chain"):
        first_order_kernel_change("relu", random_weights(*sizes), x, y, 1e4)


@pytest.mark.parametrize("depth", [1, 2])
def test_the_first_order_change_is_that_of_each_single_network(depth):
    """Network by network, at A = 1e4, within 2 %: from the linearised dynamics alone."""
    fields = {
        "name": "lazy", "dataset": "digits", "n_train": 12, "n_test": 8, "depth": depth, "activation": "softplus",
        "widths": [64], "root_h_alpha": [1e4], "seeds": 3, "tolerance": 1e-3,
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "lazy", "experiment": [fields]})
    experiment, (task,) = campaign.experiment[0], campaign_tasks(campaign)
    data = load_data(experiment, None)
    networks = run_task(experiment, task, data, device="cpu")
    for seed in range(3):
        weights = initial_weights(experiment, seed, data.x_train.shape[1])
        predicted = first_order_kernel_change("softplus", weights, data.x_train, data.y_train, 1e4, data.x_test)
        assert networks["kernel_change"].values[0, 0, seed] == pytest.approx(predicted[0], rel=0.02)


def initial_weights(experiment, seed, dimension):
    network = FullyConnected(dimension, experiment.widths[0], experiment.depth, Activation(experiment.activation))
    drawn = network.initial_weights(experiment.base_seed, [seed])
    return [w[0].numpy().reshape(-1, w.shape[-1]) for w in drawn]
