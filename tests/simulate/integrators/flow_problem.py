"""A small gradient flow, and its solution by another method."""

from dataclasses import replace

import numpy as np
import torch
from scipy.integrate import solve_ivp

from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import Batch
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from theory import Activation


def small_problem(loss, depth=2, alpha=0.5):
    """One small softplus network on eight points with alternating labels."""
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(8, 6, generator=generator, dtype=torch.float64)
    y = torch.tensor([1.0, -1.0] * 4, dtype=torch.float64)
    net = FullyConnected(6, 10, depth, Activation("softplus"))
    weights = net.initial_weights(0, [0])
    flow = GradientFlow(
        net, LOSSES[loss], Dense.on_inputs(x), y, torch.tensor([alpha], dtype=torch.float64), net.output(weights, x)
    )
    return flow, weights


def flat(weights):
    """All weights as one vector."""
    return torch.cat([w.flatten() for w in weights]).numpy()


def duration(dt):
    """A step size, of a batch of one."""
    return torch.tensor([dt], dtype=torch.float64)


def reference(flow, weights, end):
    """The weights at time ``end``, by scipy's DOP853 at tight tolerance."""
    shapes = [w.shape for w in weights]
    sizes = np.cumsum([w.numel() for w in weights])[:-1]

    def rate(_, flat):
        point = flow([torch.as_tensor(p).reshape(s) for p, s in zip(np.split(flat, sizes), shapes, strict=True)])
        return torch.cat([g.flatten() for g in point.weight_velocity()]).numpy()

    return solve_ivp(rate, (0, end), flat(weights), method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]


def batch_at_start(flow, weights, stepper, dt):
    """All members before a step of size ``dt`` (m,)."""
    point = flow(weights)
    zeros = torch.zeros(len(flow.alpha), dtype=torch.float64)
    members, steps = torch.arange(len(flow.alpha)), zeros.to(torch.int32)
    return Batch(members, flow, weights, point, zeros, dt, steps, stepper.init(flow, weights, point))


def accept(batch, proposal):
    """The batch after the proposed step."""
    weights, point, state = proposal.weights, proposal.point, proposal.state
    time = batch.time + batch.dt
    return replace(batch, weights=weights, point=point, state=state, time=time, steps=batch.steps + 1)


def after_equal_steps(flow, weights, stepper, end, count):
    """The weights at time ``end`` after ``count`` equal steps of a batch of one."""
    batch = batch_at_start(flow, weights, stepper, duration(end / count))
    for _ in range(count):
        batch = accept(batch, stepper.step(batch))
    return batch.weights


def share(value, members=1):
    """The same share of a step for every member."""
    return torch.full((members,), value, dtype=torch.float64)
