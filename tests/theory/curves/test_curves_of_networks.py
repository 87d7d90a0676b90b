"""Trained networks beside the curves: nothing is fitted."""

import numpy as np
import pytest

from simulate import Campaign, load_data, run_task
from simulate.planning.tasks import campaign_tasks
from theory.curves import deep_linear_curve, mean_field_curve


@pytest.mark.parametrize(("activation", "depth"), [("softplus", 1), ("relu", 1), ("linear", 2)])
def test_wide_networks_follow_the_curves(activation, depth):
    """Kernel change and times of trained networks of 1,024 neurons, within a few percent; nothing was fitted."""
    fields = {
        "name": "wide", "dataset": "digits", "n_train": 12, "n_test": 8, "depth": depth, "activation": activation,
        "widths": [1024] if depth == 1 else [512], "root_h_alpha": [0.01, 1.0], "seeds": 6,
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "wide", "experiment": [fields]})
    experiment, (task,) = campaign.experiment[0], campaign_tasks(campaign)
    data = load_data(experiment, None)
    networks = run_task(experiment, task, data, device="cpu")
    on_data = data.x_train, data.y_train, [0.01, 1.0], data.x_test
    curve = mean_field_curve(activation, *on_data) if depth == 1 else deep_linear_curve(depth, *on_data)
    for name in ("kernel_change", "time_half"):
        measured = networks[name].mean("seed").values[0]
        spread = networks[name].std("seed").values[0] / np.sqrt(6)
        expected = getattr(curve, name)
        assert np.all(np.abs(measured - expected) < 4 * spread + 0.03 * expected), (name, measured, expected)
