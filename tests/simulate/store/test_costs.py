"""What finished networks have cost is summed over them, pending ones left out."""

import numpy as np
import pytest
import xarray as xr

from simulate.planning.operations import operations
from simulate.store.costs import cost_of


def test_costs_are_those_of_finished_networks(tiny):
    status = np.ones((2, 2, 3), dtype=int)
    status[0, 0, 0] = 0
    tree = {}
    for experiment in tiny.experiment:
        dims = ("width", experiment.amplitude, "seed")
        tree[experiment.name] = xr.Dataset(
            {
                "status": (dims, status),
                "gradient_evaluations": (dims, np.full(status.shape, 10)),
                "wall_time": (dims, np.full(status.shape, 0.5)),
            }
        )
    cost = cost_of(tiny, xr.DataTree.from_dict(tree))
    assert cost.gradient_evaluations == 2 * 11 * 10
    assert cost.seconds == pytest.approx(2 * 11 * 0.5)
    expected = sum(5 * operations(e, e.widths[0]) + 6 * operations(e, e.widths[1]) for e in tiny.experiment)
    assert cost.flops == pytest.approx(expected)
