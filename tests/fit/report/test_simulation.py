"""What a report without a store simulates."""

from pathlib import Path

import pytest

from fit.report.campaigns import ACROSS_SEEDS
from fit.report.simulation import Simulation, simulation_for
from simulate import Campaign

OPTIONS = {"alone": False, "out": None, "device": "cpu", "workers": 2, "threads": 1}


def test_the_store_lies_beside_the_report():
    plain = simulation_for("smoke", None, None, None, **OPTIONS)
    assert plain.store == Path("reports", "smoke", "store.zarr")
    assert plain.campaign == Campaign.from_preset("smoke")
    elsewhere = simulation_for("smoke", None, None, None, **OPTIONS | {"out": Path("there")})
    assert elsewhere.store == Path("there", "store.zarr")


@pytest.mark.parametrize(("workers", "seeds"), list(zip((2, 4, 8), ACROSS_SEEDS, strict=True)))
def test_a_new_activation_has_as_many_seeds_for_the_laws_in_h_as_the_machine_trains(workers, seeds):
    campaign = simulation_for("quick", "gelu", None, None, **OPTIONS | {"workers": workers}).campaign
    (across_widths,) = [e for e in campaign.experiment if e.name == "gelu-L3-widths"]
    assert across_widths.seeds == seeds
    assert campaign.name == "quick-gelu"


def test_what_is_said_of_a_plan_is_for_the_processes_that_would_run(monkeypatch):
    said = []
    monkeypatch.setattr("simulate.running.dry_run.plan", lambda campaign, workers, device: (campaign, workers, device))
    monkeypatch.setattr("simulate.console.show_plan", lambda *plan, as_json: said.append((*plan, as_json)))
    campaign = Campaign.from_preset("smoke")
    Simulation(campaign, Path("s.zarr"), "cpu", 3, 1).print_plan(as_json=True)
    assert said == [(campaign, (campaign, 3, "cpu"), True)]
