r"""The largest rate at which gradient descent with constant steps still trains a network.

A step of rate eta moves the weights by eta·dw/dt, the flow of the article convention (the loss alpha^-2 mean l(F·y)). A
rate is stable if, from the initial weights, no output overshoots and the mean loss comes below 1/2 and stays there:
through the last third of as many steps as take `SPAN` half times of the flow, and `MORE_STEPS` at least. Beyond the
largest stable rate the steps overshoot along the sharpest direction. It is bracketed by factors and then bisected, for
each network by itself.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.networks.linearisation import Weights

#: Half times of the flow that gradient descent is followed for: training is all but over by then.
SPAN = 4.0
MORE_STEPS = 60
#: A network that takes more steps than this at a rate is given up.
MOST_STEPS = 100_000
#: The rate is bracketed by this factor, and then bisected so many times: 4^(1/32), 4 %.
FACTOR = 4.0
BISECTIONS = 5
_MOST_FACTORS = 40
_COMPACT_EVERY = 16
#: Stable descent towards ±1 does not overshoot 2; beyond this the kernel may give way, and descent go on elsewhere.
LARGEST_OUTPUT = 3.0


def largest_stable_rate(flow: GradientFlow, initial: Weights, time_half: Tensor) -> Tensor:
    """Return the largest stable rate in time of the flow, shape (members,); NaN where there is none.

    Parameters
    ----------
    flow : GradientFlow
    initial : Weights
        Of every member.
    time_half : Tensor
        The flow's half time of every member (members,); NaN for one that is not to be measured.
    """
    members = torch.nonzero(torch.isfinite(time_half) & (time_half > 0)).squeeze(-1)
    rate = torch.full_like(time_half, torch.nan)
    if not len(members):
        return rate
    flow, initial, time_half = flow.select(members), [w[members] for w in initial], time_half[members]
    # half of what the trace of the initial kernel allows
    start = len(flow.y) / (2.0 * flow(initial).linearisation.kernel_trace()).to(time_half.dtype)
    low, high = _bracket(flow, initial, time_half, start)
    for _ in range(BISECTIONS):
        middle = (low * high).sqrt()
        stable = is_stable(flow, initial, time_half, middle)
        low, high = torch.where(stable, middle, low), torch.where(stable, high, middle)
    rate[members] = (low * high).sqrt()
    return rate


def _bracket(flow: GradientFlow, initial: Weights, time_half: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Return a stable rate and one ``FACTOR`` larger that is not, of every member; NaN if none was met."""
    rate, stable_at_start = start.clone(), is_stable(flow, initial, time_half, start)
    low = torch.where(stable_at_start, start, torch.nan)
    searching = torch.ones_like(stable_at_start)
    for _ in range(_MOST_FACTORS):
        rate = torch.where(stable_at_start, rate * FACTOR, rate / FACTOR)
        index = torch.nonzero(searching).squeeze(-1)
        stable = torch.zeros_like(searching)
        stable[index] = is_stable(flow.select(index), [w[index] for w in initial], time_half[index], rate[index])
        # going up, the last stable rate is the lower end; going down, the first one is
        low = torch.where(searching & stable, rate, low)
        searching &= stable == stable_at_start
        if not searching.any():
            break
    low = torch.where(searching, torch.nan, low)
    return low, low * FACTOR


def is_stable(flow: GradientFlow, initial: Weights, time_half: Tensor, rate: Tensor) -> Tensor:
    """Return which members gradient descent of these rates (members,) trains, (members,)."""
    steps = (SPAN * time_half / rate).ceil() + MORE_STEPS
    kept_from = steps - (steps / 3).floor()
    stable = torch.zeros_like(rate, dtype=torch.bool)
    members = torch.nonzero(steps <= MOST_STEPS).squeeze(-1)
    flow, weights = flow.select(members), [w[members] for w in initial]
    steps, kept_from, rate = steps[members], kept_from[members], rate[members]
    going = torch.ones_like(steps, dtype=torch.bool)
    for step in range(int(steps.max()) + 1 if len(members) else 0):
        point = flow(weights)
        loss = flow.mean_loss(point.output)
        # what is not a number is not below anything
        going &= (point.output.abs().amax(dim=-1) < LARGEST_OUTPUT) & ((loss < 0.5) | (step < kept_from))
        arrived = going & (step >= steps)
        stable[members[arrived]] = True
        going &= ~arrived
        if step % _COMPACT_EVERY == 0 or not going.any():
            index = torch.nonzero(going).squeeze(-1)
            if not len(index):
                break
            if len(index) < len(going):
                flow, weights, point = flow.select(index), [w[index] for w in weights], point.select(index)
                members, steps, kept_from, rate, going = (v[index] for v in (members, steps, kept_from, rate, going))
        velocity = point.weight_velocity()
        for w, v in zip(weights, velocity, strict=True):
            w += rate.to(w.dtype).reshape(-1, *[1] * (w.ndim - 1)) * v
    return stable
