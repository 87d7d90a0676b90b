"""Members that wait for a place: the results of all at once, in fewer steps than batches that drain."""

import pytest
import torch

from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import Chebyshev, ErrorControl, KernelFlow, Rosenbrock
from simulate.integrators.momentum import MomentumRosenbrock
from simulate.measure.stop import Stop
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.training.driver import integrate
from simulate.training.save_at import SaveAt
from simulate.training.status import Status
from theory import Activation

MEMBERS = 9


class HalfLoss:
    """An event on the way, and what was recorded of it."""

    terminal, tolerance = False, 2e-3

    def __init__(self, flow):
        self.flow, self.times = flow, torch.full((MEMBERS,), torch.nan, dtype=torch.float64)
        self.value_from_output = None

    def value(self, moment):
        return 0.5 - self.flow.mean_loss(moment.output)

    def record(self, moment):
        assert self.times[moment.members].isnan().all()
        self.times[moment.members] = moment.time


class Counted:
    """A stepper that counts its steps, and the members that take them."""

    def __init__(self, stepper):
        self.stepper, self.order, self.steps, self.most = stepper, stepper.order, 0, 0
        self.init, self.dense_output = stepper.init, stepper.dense_output

    def step(self, batch):
        self.steps += 1
        self.most = max(self.most, len(batch.members))
        return self.stepper.step(batch)


STEPPERS = {
    "kernel_flow": lambda scale: KernelFlow(scale, 1e-2),
    "rosenbrock": lambda scale: Rosenbrock(),
    "chebyshev": lambda scale: Chebyshev(),
    "momentum": lambda scale: MomentumRosenbrock(0.1 * scale),
}


def trained(method, at_once, members=slice(None)):
    """Amplitudes from 0.01 to 100, which take different numbers of steps."""
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(12, 6, generator=generator, dtype=torch.float64)
    net = FullyConnected(6, 24, 2, Activation("softplus"))
    weights = [w[members] for w in net.initial_weights(0, range(MEMBERS))]
    alpha = torch.logspace(-2, 2, MEMBERS, dtype=torch.float64)[members] / 24**0.5
    inputs = Dense.on_inputs(x)
    flow = GradientFlow(net, LOSSES["softhinge"], inputs, x[:, 0].sign(), alpha, net.output(weights, inputs))
    scale = (alpha * 24**0.5).clamp(max=1.0)
    stepper, half, ends, saved = Counted(STEPPERS[method](scale)), HalfLoss(flow), {}, {}
    times = scale.unsqueeze(-1) * torch.tensor([0.1, 0.3, 1.0], dtype=torch.float64)

    def save(moment, rows):
        saved.update(zip(zip(moment.members.tolist(), rows.tolist(), strict=True), moment.output, strict=True))

    result = integrate(
        flow,
        lambda chosen: [w[chosen] for w in weights],
        [half, Stop(flow)],
        lambda moment: ends.update(zip(moment.members.tolist(), moment.output, strict=True)),
        stepper=stepper,
        controller=ErrorControl(scale, 1e-2, stepper.order, predictive=method == "kernel_flow"),
        max_steps=5000,
        at_once=at_once,
        save_at=SaveAt(times, save),
    )
    return result, half, ends, saved, stepper


@pytest.mark.parametrize("method", list(STEPPERS))
def test_waiting_changes_no_results(method):
    """To rounding: a member is multiplied with others beside it than before."""
    (whole, half, ends, saved, _), (result, half_after, ends_after, saved_after, _) = (
        trained(method, at_once) for at_once in (None, 4)
    )
    assert (result.status == Status.CONVERGED).all()
    for name in ("time_end", "steps", "evaluations"):
        torch.testing.assert_close(getattr(result, name), getattr(whole, name), rtol=1e-9, atol=0.0)
    torch.testing.assert_close(half_after.times[:MEMBERS], half.times, rtol=1e-9, atol=0.0)
    for after, before in ((ends_after, ends), (saved_after, saved)):
        assert sorted(after) == sorted(before)
        for key, output in before.items():
            torch.testing.assert_close(after[key], output, rtol=1e-9, atol=1e-9)


def test_places_are_kept_filled():
    """Nine members in three places take fewer steps than three batches that drain, and never more are in flight."""
    stepper = trained("kernel_flow", 3)[-1]
    drained = [trained("kernel_flow", None, slice(start, start + 3))[-1].steps for start in (0, 3, 6)]
    assert stepper.most == 3
    assert stepper.steps < sum(drained)


def test_with_one_place_members_are_trained_one_after_the_other():
    """The next one begins when the last one has ended, and none is lost."""
    result, _, ends, _, stepper = trained("rosenbrock", 1)
    assert stepper.most == 1
    assert sorted(ends) == list(range(MEMBERS))
    assert (result.status == Status.CONVERGED).all()
