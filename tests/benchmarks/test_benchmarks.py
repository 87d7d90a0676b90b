"""The benchmarks' own arithmetic: operations that are said to be done, and the page made from the results."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.__main__ import names
from benchmarks.scaling import INPUTS, operations
from benchmarks.tables import page
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from theory import Activation


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("networks", [1, 4])
def test_operations_are_those_of_the_products_that_torch_counts(depth, networks):
    n, width = 24, 32
    x = torch.randn(n, INPUTS, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = torch.sign(x[:, 0])
    network = FullyConnected(INPUTS, width, depth, Activation("softplus"))
    weights, inputs = network.initial_weights(0, range(networks)), Dense.on_inputs(x)
    alpha = torch.ones(networks, dtype=torch.float64)
    flow = GradientFlow(network, LOSSES["softhinge"], inputs, y, alpha, network.output(weights, inputs))
    said = operations(n, width, depth, networks)
    with FlopCounterMode(display=False) as counter:
        point = flow(weights)
        point.weight_velocity()
    assert counter.get_total_flops() == said["gradient"]
    point.linearisation.kernel()  # from now on inner products of inputs are known
    with FlopCounterMode(display=False) as counter:
        point.linearisation.kernel()
    # kernels may be made by tiles and by symmetry, which takes less
    assert 0.5 * said["kernel"] <= counter.get_total_flops() <= said["kernel"]


def test_the_page_is_the_one_that_the_results_give():
    assert Path("docs/benchmarks.md").read_text(encoding="utf-8") == page()


def test_every_benchmark_has_a_name():
    assert {"integrators", "scaling", "paper_grid", "replication", "calibration"} <= set(names())
