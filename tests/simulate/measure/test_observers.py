"""What each observer puts into its columns, on networks whose numbers are known exactly."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from test_engine import INPUTS, N_TEST, WIDTH, N, Points, Reference, experiment, points, task

from simulate.measure.columns import Columns
from simulate.measure.engine import run_task
from simulate.measure.network_batch import Members, NetworkBatch
from simulate.measure.observer import Ending
from simulate.measure.observers.kernel_change import KernelChange
from simulate.measure.observers.predictions import Predictions
from simulate.measure.observers.weight_change import WeightChange
from simulate.measure.schema import variables
from simulate.networks.fully_connected import FullyConnected
from simulate.training.status import Status
from theory import Activation

DEPTH = 2
SIZES = {"layer": DEPTH + 1, "test_point": N_TEST, "arm": 2}


def batch_of(members=2, data=None, **changes):
    """Networks of the seeds 0, 1, ... at A = 1, not trained."""
    spec = experiment(depth=DEPTH, seeds=members, **changes)
    which = Members(WIDTH, np.zeros(members, dtype=int), np.arange(members))
    batch = NetworkBatch.draw(spec, data or points(), which, torch.float64, "cpu")
    return batch, Columns(variables(spec), members, SIZES, "cpu")


def ending(batch, weights=None, test_output=None):
    members = torch.arange(len(batch))
    weights = weights or batch.initial_weights()
    output = torch.zeros(len(batch), N, dtype=torch.float64)
    if test_output is None:
        test_output = torch.zeros(len(batch), N_TEST, dtype=torch.float64)
    return Ending(members, weights, output, test_output)


def kernels(seed, weights_of):
    """The summands Theta^l on the test points, (n_test, n_test) each, as J J^T by automatic differentiation."""
    network = FullyConnected(INPUTS, WIDTH, DEPTH, Activation("softplus"))
    x = torch.as_tensor(points().x_test)
    weights = [w[0] for w in weights_of(network.initial_weights(0, [seed]))]
    parts = []
    for layer in range(len(weights)):

        def output(w, layer=layer):
            moved = [w if i == layer else v for i, v in enumerate(weights)]
            return network.evaluate([v.unsqueeze(0) for v in moved], x)[0]

        jacobian = torch.autograd.functional.jacobian(output, weights[layer]).flatten(1)
        parts.append(jacobian @ jacobian.T)
    return parts


def test_the_kernel_change_of_a_layer_is_over_the_layers_own_norm():
    """The last matrix alone is doubled: its own part of the kernel stays, the others' become four times as large."""
    batch, columns = batch_of()
    observer = KernelChange(batch, columns)
    observer.start()
    weights = batch.initial_weights()
    weights[-1] = 2.0 * weights[-1]
    observer.end(ending(batch, weights))
    change = columns["kernel_change_layer"]
    # Theta^l of l < L is quadratic in the last matrix, Theta^L does not contain it: exact up to rounding
    torch.testing.assert_close(change[:, :-1], torch.full_like(change[:, :-1], 3.0), rtol=1e-12, atol=0.0)
    assert change[:, -1].tolist() == [0.0, 0.0]
    for seed in range(2):
        before, after = (
            kernels(seed, lambda w, s=scale: [*w[:-1], s * w[-1]]) for scale in (1.0, 2.0)
        )  # fmt: skip
        own = [((b - a).norm() / a.norm()).item() for a, b in zip(before, after, strict=True)]
        over_total = [((b - a).norm() / sum(before).norm()).item() for a, b in zip(before, after, strict=True)]
        assert change[seed].tolist() == pytest.approx(own, rel=1e-10, abs=1e-12)
        assert change[seed, 0].item() != pytest.approx(over_total[0], rel=0.1)
        total = ((sum(after) - sum(before)).norm() / sum(before).norm()).item()
        assert columns["kernel_change"][seed].item() == pytest.approx(total, rel=1e-10)
        norm = sum(before).norm().item() / N_TEST
        assert columns["kernel_norm_initial"][seed].item() == pytest.approx(norm, rel=1e-12)


def test_an_output_of_zero_counts_as_wrong():
    """F·y <= 0, not < 0: of four outputs one is right, one is zero, one is wrong, one is zero."""
    data = points()
    four = Points(data.x_train, data.y_train, data.x_test[:4], np.array([1.0, 1.0, 1.0, -1.0]))
    batch, _ = batch_of(1, four, n_test=4, n_kernel=4)
    columns = Columns(variables(batch.experiment), 1, SIZES | {"test_point": 4}, "cpu")
    output = torch.tensor([[0.5, 0.0, -0.5, 0.0]], dtype=torch.float64)
    Predictions(batch, columns).end(ending(batch, test_output=output))
    assert columns["test_error"].tolist() == [0.75]
    assert columns["test_output"].tolist() == output.tolist()


def test_the_error_of_a_network_without_finite_outputs_is_not_known():
    batch, columns = batch_of(2)
    output = torch.ones(2, N_TEST, dtype=torch.float64)
    output[0, 3] = torch.nan
    Predictions(batch, columns).end(ending(batch, test_output=output))
    assert columns["test_error"].isnan().tolist() == [True, False]


def test_weight_changes_are_frobenius_norms_whatever_the_coordinates_of_the_first_layer(monkeypatch):
    measured = []
    for span in (True, False):
        monkeypatch.setattr("simulate.networks.first_layer.span_is_cheaper", lambda *_, span=span: span)
        result = run_task(experiment(depth=DEPTH, seeds=1), task(), points()).isel(width=0, root_h_alpha=0, seed=0)
        measured.append(result.weight_change.values)
    # the coordinates change the last bits of every step
    np.testing.assert_allclose(measured[0], measured[1], rtol=1e-6)
    batch, columns = batch_of()
    observer = WeightChange(batch, columns)
    observer.start()
    moved = [w + 0.5 for w in batch.initial_weights()]
    observer.end(ending(batch, moved))
    drawn = FullyConnected(INPUTS, WIDTH, DEPTH, Activation("softplus")).initial_weights(0, [0, 1])
    for layer, weights in enumerate(drawn):
        expected = weights.flatten(1).norm(dim=1)
        torch.testing.assert_close(columns["weight_norm"][:, layer], expected, rtol=1e-14, atol=0.0)
    # every entry of the hidden matrix by a half: h entries a side
    assert columns["weight_change"][:, 1].tolist() == pytest.approx([0.5 * WIDTH] * 2, rel=1e-14)


@pytest.mark.parametrize("subtract", [True, False])
def test_the_output_at_the_end_of_linear_dynamics_contains_f0_where_it_is_kept(subtract):
    """rms F(t1) with F = alpha f where f_0 is kept, by explicit integration to t1; F(t1) - F(0) is another number."""
    a = 3.0
    spec, data = experiment(root_h_alpha=(a,), subtract_initial=subtract), points()
    measured = run_task(spec, task(), data).isel(width=0, root_h_alpha=0, seed=0)
    exact = Reference(spec, data, a)
    flat = torch.cat([w.flatten() for w in exact.start]).numpy()
    time = measured.time_linear.item()
    solution = solve_ivp(exact.rate, (0, time), flat, method="DOP853", rtol=1e-10, atol=1e-12)
    exact.end = exact.weights(solution.y[:, -1])
    output = exact.output()
    # integration error at the default tolerance
    assert measured.output_rms_linear.item() == pytest.approx(np.sqrt(np.mean(output**2)), rel=0.02)
    if not subtract:
        start = exact.alpha * exact.net.output(exact.start, exact.test)[0].numpy()
        growth = np.sqrt(np.mean((output - start) ** 2))
        assert abs(measured.output_rms_linear.item() / growth - 1.0) > 0.1


def test_adam_has_no_end_of_linear_dynamics():
    spec = experiment(dynamics={"name": "adam", "batch_size": 4}, max_steps=20, seeds=1)
    result = run_task(spec, task(), points())
    assert np.isnan(result.time_linear).all()
    assert np.isfinite(result.train_margin).all()


def test_times_come_in_their_order():
    spec = experiment(depth=2, root_h_alpha=(1e-2,), seeds=3, checkpoints=(0.1, 1.0, 1e5))
    result = run_task(spec, task(0, 3), points()).isel(width=0, root_h_alpha=0)
    assert (result.status == Status.CONVERGED).all()
    assert (result.time_linear <= result.time_half).all()
    assert (result.time_half <= result.time_end).all()
    np.testing.assert_allclose(result.time.isel(checkpoint=0), 0.1 * 1e-2, rtol=1e-12)
    assert np.isnan(result.time.isel(checkpoint=2)).all()  # after the stop
