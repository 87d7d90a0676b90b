"""The largest stable rate of gradient descent: known in the lazy limit, a power of A where weights grow."""

import numpy as np
import pytest
import torch
from test_engine import experiment, points, task

from simulate.measure.engine import run_task
from simulate.measure.network_batch import Members, NetworkBatch
from simulate.measure.schema import variables
from simulate.measure.stable_rate import is_stable, largest_stable_rate


def measured(amplitudes, seeds=4, **changes):
    spec = experiment(loss="square", largest_rate=True, root_h_alpha=amplitudes, seeds=seeds, **changes)
    return run_task(spec, task(0, seeds), points())["largest_stable_rate"].isel(width=0)


def test_of_a_frozen_kernel_it_is_that_of_a_quadratic():
    """eta* = n/lambda_max for the square loss, whose l'' is 2: to the bisection's 4 % and as slow a growth."""
    rates = measured((1e5,))
    batch = NetworkBatch.draw(
        experiment(loss="square", seeds=4), points(), Members(24, np.zeros(4, int), np.arange(4)), torch.float64, "cpu"
    )
    kernel = batch.flow(batch.initial_weights()).linearisation.kernel()
    exact = len(batch.flow.y) / torch.linalg.eigvalsh(kernel)[:, -1]
    np.testing.assert_allclose(rates.values.ravel(), exact.numpy(), rtol=0.06)


@pytest.mark.parametrize(("activation", "depth", "power"), [("gelu", 2, 4 / 3)])
def test_where_weights_grow_it_falls_with_the_kernel(activation, depth, power):
    """A^(2-2/D) over two decades, two seeds: 4 % at each end is 0.02, the kernel's correction below 0.1."""
    rates = measured((1e-4, 1e-2), 2, activation=activation, depth=depth)
    logs = np.log(rates.transpose("seed", "root_h_alpha").values)
    slopes = (logs[:, 1] - logs[:, 0]) / np.log(1e2)
    assert slopes.mean() == pytest.approx(power, abs=0.15)


def test_every_network_has_its_own_rate_whatever_is_trained_beside_it():
    both = measured((1e-2, 1e2))
    for amplitude in (1e-2, 1e2):
        beside = both.isel(root_h_alpha=int(amplitude > 1))
        np.testing.assert_allclose(measured((amplitude,)).values.ravel(), beside.values.ravel(), rtol=1e-6)


def test_smaller_rates_are_stable_and_larger_ones_are_not():
    batch = NetworkBatch.draw(
        experiment(loss="square", seeds=2), points(), Members(24, np.zeros(2, int), np.arange(2)), torch.float64, "cpu"
    )
    half = torch.full((2,), 3.0, dtype=torch.float64)
    initial = batch.initial_weights()
    rate = largest_stable_rate(batch.flow, initial, half)
    assert is_stable(batch.flow, initial, half, 0.5 * rate).all()
    assert not is_stable(batch.flow, initial, half, 2.0 * rate).any()
    unknown = largest_stable_rate(batch.flow, initial, torch.tensor([torch.nan, 3.0], dtype=torch.float64))
    assert unknown.isnan().tolist() == [True, False]


def test_it_is_measured_where_it_is_asked_for_only():
    assert "largest_stable_rate" not in variables(experiment())
    assert "largest_stable_rate" in variables(experiment(loss="square", largest_rate=True))
    with pytest.raises(ValueError, match="square"):
        experiment(largest_rate=True)
    with pytest.raises(ValueError, match="gradient flow"):
        experiment(loss="square", largest_rate=True, dynamics={"name": "adam", "batch_size": 4})
