"""How far a trajectory has left the tangent at its start, on networks moved by hand."""

import dataclasses

import pytest
import torch
from test_observers import batch_of

from simulate.measure.tangent import Tangent
from simulate.training.moment import Moment


def moment_after(batch, time):
    """Members a time later along the straight line in weight space."""
    rates = batch.flow(batch.initial_weights()).weight_velocity()
    weights = [w + time * g for w, g in zip(batch.initial_weights(), rates, strict=True)]
    times = torch.full((len(batch),), time, dtype=torch.float64)
    return Moment(batch.flow, torch.arange(len(batch)), times, weights)


def test_the_departure_grows_in_proportion_to_time():
    """Along a straight line F - t F'(0) is of second order in t: relative to t F'(0) of first. Third order is 1 %."""
    batch, _ = batch_of()
    tangent = Tangent(batch)
    early, late = (tangent.departure(moment_after(batch, t)) for t in (1e-4, 2e-4))
    torch.testing.assert_close(late, 2.0 * early, rtol=1e-2, atol=0.0)
    assert (early < 1e-2).all()


def test_a_trajectory_that_does_not_move_is_as_far_off_as_its_tangent_has_gone():
    batch, _ = batch_of()
    still = dataclasses.replace(moment_after(batch, 1.0), weights=batch.initial_weights())
    torch.testing.assert_close(Tangent(batch).departure(still), torch.ones(2, dtype=torch.float64))


def test_with_momentum_the_tangent_starts_from_rest():
    """s(t) = t - tau (1 - exp(-t/tau)): t²/(2 tau) for t << tau, to 1e-3 at t = 3e-3 tau."""
    batch, _ = batch_of(dynamics={"name": "momentum", "tau": 1.0})
    tangent, t = Tangent(batch), 3e-3
    assert tangent.tau.tolist() == pytest.approx([1.0, 1.0])
    elapsed = tangent._elapsed(moment_after(batch, t))
    torch.testing.assert_close(elapsed, torch.full((2,), t**2 / 2, dtype=torch.float64), rtol=1e-3, atol=0.0)
