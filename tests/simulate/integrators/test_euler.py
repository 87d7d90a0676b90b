"""The published integrator: the same steps as the code it was taken from, one network at a time or many."""

import math

import torch
from flow_problem import small_problem

from simulate.integrators import Euler, PublishedRule
from simulate.measure.stop import Stop
from simulate.training.driver import integrate
from simulate.training.status import Status


def published(flow, weights):
    """The loop of feature_lazy's dynamics.py (branch article), for one network: time and evaluations to the stop."""
    norm = lambda v: math.sqrt(sum(w.square().sum().item() for w in v))  # noqa: E731
    point = flow(weights)
    gradient = point.weight_velocity()
    dt, time, evaluations = flow.alpha.item() / math.sqrt(flow.network.width), 0.0, 1
    while True:
        proposal = [w + dt * g for w, g in zip(weights, gradient, strict=True)]
        arrived = flow(proposal)
        new = arrived.weight_velocity()
        evaluations += 1
        dout = (arrived.output - point.output).abs().max().item()
        change = norm([a - b for a, b in zip(new, gradient, strict=True)]) ** 2
        dgrad = change / (norm(gradient) * norm(new))
        if dout < 0.1 and dgrad < 1e-4:
            weights, point, gradient, time = proposal, arrived, new, time + dt
            if (point.output * flow.y).min() >= 1:
                return time, evaluations
            if dout < 0.05 and dgrad < 0.5e-4:
                dt *= 1.1
        else:
            dt /= 10


def test_every_network_of_a_batch_takes_the_published_steps():
    problems = [small_problem("softhinge", alpha=alpha) for alpha in (1e-2, 0.5, 30.0)]
    flow, weights = problems[0]
    together = flow.select(torch.zeros(3, dtype=torch.int64))
    together.alpha = torch.cat([one.alpha for one, _ in problems])
    result = integrate(
        together,
        [w.repeat(3, 1, 1) for w in weights],
        [Stop(together)],
        lambda _: None,
        stepper=Euler(),
        controller=PublishedRule(),
        max_steps=20_000,
    )
    assert (result.status == Status.CONVERGED).all()
    for m, (one, start) in enumerate(problems):
        time, evaluations = published(one, start)
        assert result.evaluations[m].item() == evaluations
        # the stop is located within the last step here, and at its end there
        assert result.time_end[m].item() <= time * (1 + 1e-12)
        assert result.time_end[m].item() > 0.95 * time
