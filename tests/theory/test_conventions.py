"""Clocks convert as trajectories do."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from theory import InputError
from theory.conventions import CONVENTIONS, convert_time


@pytest.mark.parametrize("name", ["code", "per neuron", "plain loss"])
def test_clocks_agree_with_trajectories(name):
    """A two-layer tanh network on one datum, followed in its own convention until F = 1/2: the time is the article's,
    converted."""
    h, a = 30, 0.7
    alpha = a / np.sqrt(h)
    start = np.random.default_rng(0).standard_normal(2 * h)

    def output(state):
        w, v = np.split(state, 2)
        return v @ np.tanh(w)

    def gradient(state):
        w, v = np.split(state, 2)
        return np.concatenate([v / np.cosh(w) ** 2, np.tanh(w)])

    # F = scale (f - f0) and the factor in front of the mean loss, whose slope is -1 here
    scale, factor = alpha / np.sqrt(h), 1 / alpha**2
    other = {"code": (a / h, 1 / a), "per neuron": (a / h, h / a), "plain loss": (scale, 1.0)}[name]
    times = []
    for s, f in ((scale, factor), other):
        assert s == pytest.approx(scale)

        def reached(_, w, s=s):
            return s * (output(w) - output(start)) - 0.5

        reached.terminal = True
        found = solve_ivp(
            lambda _, w, s=s, f=f: f * s * gradient(w), (0, 1e6), start, events=reached, rtol=1e-9, atol=1e-9
        )
        times.append(found.t_events[0][0])
    assert convert_time(times[0], h, a, to=name) == pytest.approx(times[1], rel=1e-5)
    assert convert_time(times[1], h, a, to="article", source=name) == pytest.approx(times[0], rel=1e-5)


def test_an_unknown_clock_is_refused():
    with pytest.raises(InputError, match="no such convention"):
        convert_time(1.0, 10, 1.0, to="sundial")
    assert {c.source for c in CONVENTIONS.values()}
