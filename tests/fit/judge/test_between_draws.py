"""How far powers scatter between draws of the training points is stated, and decides nothing."""

import json

import numpy as np
import pytest
import xarray as xr

from fit import assess


def draw_of(number, variables, coordinates, **fields):
    data = xr.Dataset(variables, coordinates)
    described = {"name": f"relu-draw{number}", "activation": "relu", "depth": 2, "data_seed": number}
    data.attrs["experiment"] = json.dumps(described | fields)
    return data


def test_powers_say_how_far_they_scatter_between_draws():
    rng = np.random.default_rng(3)
    a = 10.0 ** np.arange(-4, -1.9, 0.5)
    powers = [-1.30, -1.33, -1.36]
    experiments = []
    for number, power in enumerate(powers):
        noise = 1 + 0.001 * rng.standard_normal((1, len(a), 6))
        change = a[None, :, None] ** power * noise
        experiments.append(draw_of(
            number, {"kernel_change": (("width", "root_h_alpha", "seed"), change)},
            {"width": [64], "root_h_alpha": a, "seed": np.arange(6)},
        ))  # fmt: skip
    rows = [v for v in assess(experiments) if v.claim == "kernel_change_feature"]
    assert len(rows) == 3
    for verdict in rows:
        assert verdict.between_draws["draws"] == 3
        # what noise of 0.1 % adds is below 1e-3
        assert verdict.between_draws["standard_deviation"] == pytest.approx(np.std(powers, ddof=1), abs=2e-3)
        assert verdict.between_draws["standard_error"] < 0.01
        assert "between 3 draws of the training points the estimate scatters" in verdict.reason
    assert all(v.between_draws == {} for v in assess(experiments[:2]))
