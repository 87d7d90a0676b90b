"""The driver of the steps: members are independent, events are landed on, broken members leave alone."""

import pytest
import torch

from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import ErrorControl, KernelFlow, Rosenbrock
from simulate.measure.stop import Stop
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.training.driver import integrate
from simulate.training.status import Status
from theory import Activation

MEMBERS = 3


def problem():
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(10, 6, generator=generator, dtype=torch.float64)
    y = x[:, 0].sign()
    net = FullyConnected(6, 24, 2, Activation("softplus"))
    weights = net.initial_weights(0, range(MEMBERS))
    alpha = torch.tensor([0.03, 0.3, 3.0], dtype=torch.float64)
    return GradientFlow(net, LOSSES["softhinge"], Dense.on_inputs(x), y, alpha, net.output(weights, x)), weights


class Crossing:
    """The first training point's F·y passes a level; ``known`` says whether it tells that it looks at F alone."""

    terminal = False
    tolerance = 1e-3

    def __init__(self, flow, level, *, known=True):
        self.flow, self.level, self.seen, self.looks = flow, level, {}, 0
        self.value_from_output = self.level_reached if known else None

    def level_reached(self, output):
        return output[..., 0] * self.flow.y[0] - self.level

    def value(self, moment):
        self.looks += 1
        return self.level_reached(moment.output)

    def record(self, moment):
        for member, time, output in zip(moment.members, moment.time, moment.output, strict=True):
            assert member.item() not in self.seen
            self.seen[member.item()] = (time.item(), output[0].item() * self.flow.y[0].item())


def run(flow, weights, *events, tolerance=1e-2, method="rosenbrock"):
    left, scale = [], flow.alpha.clamp(max=1.0)
    stepper = KernelFlow(scale, tolerance) if method == "kernel_flow" else Rosenbrock()
    controller = ErrorControl(scale, tolerance, stepper.order)
    options = {"stepper": stepper, "controller": controller, "max_steps": 2000}
    result = integrate(flow, weights, (*events, Stop(flow)), left.append, **options)
    return result, left


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("method", ["rosenbrock", "kernel_flow"])
def test_every_member_lands_on_an_event_once_and_within_its_tolerance(method, known):
    flow, weights = problem()
    crossing = Crossing(flow, 0.7, known=known)
    result, left = run(flow, weights, crossing, method=method)
    assert sorted(crossing.seen) == list(range(MEMBERS))
    for time, margin in crossing.seen.values():
        assert 0.7 <= margin <= 0.7 + crossing.tolerance
        assert 0 < time < result.time_end.max()
    assert (result.status == Status.CONVERGED).all()
    assert sum(len(batch.members) for batch in left) == MEMBERS


def test_what_a_step_expects_of_outputs_saves_looks_and_places_no_event_elsewhere():
    """Long steps of the kernel flow, in which F bends: looks at networks beside those at the ends of steps."""
    found = {}
    for known in (True, False):
        flow, weights = problem()
        crossing = Crossing(flow, 0.7, known=known)
        run(flow, weights, crossing, tolerance=0.3, method="kernel_flow")
        found[known] = crossing
    assert found[True].looks < found[False].looks
    for member in range(MEMBERS):
        assert found[True].seen[member][0] == pytest.approx(found[False].seen[member][0], rel=2e-2)


def test_a_member_that_breaks_leaves_alone():
    flow, weights = problem()
    broken = [w.clone() for w in weights]
    broken[0][1] = torch.nan
    result, _ = run(flow, broken)
    sound, _ = run(*problem())
    assert result.status.tolist() == [Status.CONVERGED, Status.DIVERGED, Status.CONVERGED]
    for member in (0, 2):
        assert result.time_end[member] == pytest.approx(sound.time_end[member].item(), rel=1e-9)


def test_smaller_tolerances_take_more_steps_and_agree_better():
    times, steps = [], []
    for tolerance in (3e-2, 3e-3, 3e-4):
        result, _ = run(*problem(), tolerance=tolerance)
        times.append(result.time_end)
        steps.append(result.steps.sum().item())
    assert steps[0] < steps[1] < steps[2]
    assert (times[1] - times[2]).abs().max() < (times[0] - times[2]).abs().max()
