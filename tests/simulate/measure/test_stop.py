"""Training stops where the loss's criterion is met, and nothing is recorded there."""

import pytest
import torch
from exact_steps import unit_problem

from simulate.measure.stop import Stop
from simulate.training.moment import Moment


@pytest.mark.parametrize(("margin", "met"), [(0.5, False), (0.999, False), (1.0, True), (3.0, True)])
def test_the_soft_hinge_stops_at_a_margin_of_one(margin, met):
    flow, weights = unit_problem()
    output = torch.tensor([[margin]], dtype=torch.float64)
    moment = Moment(flow, torch.tensor([0]), torch.zeros(1), [torch.full_like(weights[0], margin)])
    stop = Stop(flow)
    assert (stop.value_from_output(output) >= 0.0).tolist() == [met]
    torch.testing.assert_close(stop.value(moment), stop.value_from_output(output))
    assert stop.terminal
    assert stop.record(moment) is None
