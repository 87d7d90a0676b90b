"""The campaigns that come with the package: whole, within their budgets, and they run from data to verdicts."""

import math
import os
import re
import tempfile
from pathlib import Path

import pytest
import torch
import xarray as xr
from torch.utils.flop_counter import FlopCounterMode

from fit import assess
from simulate import Campaign, Status, list_presets, run
from simulate.networks.registry import architecture_class
from simulate.planning.integrator_choice import STEPS
from simulate.planning.operations import campaign_operations, gpu_seconds, relative_steps, seconds
from theory import Activation

ROOT = os.environ.get("LAZYRICH_DATA")
ATLAS = Path(__file__).parents[3] / "reports" / "reference" / "atlas"
LAPTOP = [name for name in list_presets() if name.endswith("-laptop")]
FULL = [name.removesuffix("-laptop") for name in LAPTOP]
HOURS = ["amplitude-hour", "regime-map-hour"]


def test_each_figure_has_two_sizes_and_a_line_that_says_what_it_shows():
    assert set(FULL) <= set(list_presets())
    assert set(list_presets()) == {*LAPTOP, *FULL, "quick", "smoke", "atlas", "draws", "largest-rate", *HOURS}
    for name in list_presets():
        campaign = Campaign.from_preset(name)
        assert campaign.name == name
        assert 20 < len(campaign.description) < 120


@pytest.mark.parametrize("name", FULL)
def test_both_sizes_have_experiments_that_can_be_compared(name):
    """The same names, but for what the sizes differ in: numbers of points, of draws, and the widths of one run."""
    full, laptop = (
        {(e.dataset, e.activation, e.bias, e.subtract_initial, e.pca, e.architecture) for e in campaign.experiment}
        for campaign in (Campaign.from_preset(name), Campaign.from_preset(f"{name}-laptop"))
    )
    assert full <= laptop


@pytest.mark.parametrize("name", LAPTOP)
def test_laptop_presets_take_ten_minutes_of_two_cores_by_the_cost_model(name):
    assert seconds(Campaign.from_preset(name), cores=2) <= 600


@pytest.mark.parametrize("name", FULL)
def test_full_presets_take_two_hours_of_one_gpu_at_most_by_the_cost_model(name):
    assert gpu_seconds(Campaign.from_preset(name)) <= 2 * 3600


@pytest.mark.parametrize(("architecture", "shape", "depth"), [("fc", (40,), 3), ("cnn", (28, 28, 1), 4)])
def test_the_cost_model_counts_the_multiplications_that_are_done(architecture, shape, depth):
    cls = architecture_class(architecture)
    network = cls(shape, 6, depth, Activation("relu"))
    weights = network.initial_weights(0, [0])
    x = torch.zeros(3, math.prod(shape), dtype=torch.float64)
    with FlopCounterMode(display=False) as counter:
        network.output(weights, x)
    # the counter counts two operations a multiplication and leaves out means and divisions
    assert counter.get_total_flops() == 2 * 3 * cls.multiplications(shape, 6, depth)


def test_cost_grows_as_the_work_does():
    quick = Campaign.from_preset("quick")
    one = campaign_operations(quick.changed(seeds=1))
    # a batch's calls last as long whatever its size
    assert 8 * one < campaign_operations(quick.changed(seeds=16)) < 16 * one
    assert seconds(quick, cores=1) == 2 * seconds(quick, cores=2)
    assert campaign_operations(quick.changed(n_train=160)) > 2 * campaign_operations(quick)


@pytest.mark.parametrize("experiment", Campaign.from_preset("atlas").experiment, ids=lambda e: e.name)
def test_the_steps_of_each_activation_are_told_within_a_factor_of_two(experiment):
    """But for abs at one hidden layer: it turns back as the sine does, and is fit more easily."""
    with xr.open_dataset(ATLAS / f"{experiment.name}.nc.gz", engine="scipy") as data:
        measured = float(data["steps"].mean())
    told = min(STEPS * relative_steps(experiment.activation, experiment.depth), experiment.max_steps)
    assert (0.25 if experiment.name == "abs-L1" else 0.5) < measured / told < 1.3


def shrunken(name):
    """Two widths, three amplitudes, two seeds, thirty points of one draw: everything else as in the preset."""
    fields = Campaign.from_preset(name).to_dict()
    kept: dict[str, dict] = {}
    for e in fields["experiment"]:
        axis = "root_h_alpha" if "root_h_alpha" in e else "alpha"
        amplitudes = e[axis]
        three = sorted({amplitudes[0], amplitudes[len(amplitudes) // 2], amplitudes[-1]})
        small = e | {axis: three, "widths": [32, 48], "seeds": 2, "n_train": 30, "n_test": 30, "n_kernel": 20}
        small |= {"tolerance": 0.05, "max_steps": 600, "data_seed": 0}
        # draws and numbers of points apart, some are the same
        kept.setdefault(str({k: v for k, v in small.items() if k != "name"}), small)
    return Campaign.from_dict({**fields, "experiment": list(kept.values())})


def check_that_it_runs(name, root=None):
    campaign = shrunken(name)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(campaign, Path(folder, "store.zarr"), workers=1, data_root=root)
        verdicts = assess(Path(folder, "store.zarr"))
    ended = {status for counts in outcome.counts.values() for status in counts}
    assert ended <= {Status.CONVERGED, Status.MAX_STEPS, Status.STALLED}
    assert sum(counts.get(Status.CONVERGED, 0) for counts in outcome.counts.values()) > 0.9 * campaign.size
    assert {v.experiment for v in verdicts} >= {e.name for e in campaign.experiment}


def test_a_shrunken_preset_runs_from_data_to_verdicts():
    check_that_it_runs("directions-laptop")


@pytest.mark.slow
@pytest.mark.skipif(ROOT is None, reason="LAZYRICH_DATA does not name a folder with image data")
@pytest.mark.parametrize("name", [*LAPTOP, *FULL])
def test_shrunken_presets_run_from_data_to_verdicts(name):
    """Run with  pytest -m slow tests/simulate/campaign/test_presets.py."""
    check_that_it_runs(name, ROOT)


def test_the_documented_estimates_are_those_of_the_cost_model():
    page = (Path(__file__).parents[3] / "docs" / "presets.md").read_text(encoding="utf-8")
    for name in (*LAPTOP, *FULL, *HOURS):
        campaign = Campaign.from_preset(name)
        told = gpu_seconds(campaign) if name in FULL else seconds(campaign)
        assert re.search(rf"^\| `{name}` \|.*\| {max(1, round(told / 60))} min \|$", page, re.M), name
