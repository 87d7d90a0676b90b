"""``fit.report STORE --plan``: on 80 columns, with a campaign that extends the store."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from fit.report.command import app
from fit.report.plan import FILE
from simulate import Campaign, Store, run

FIELDS = {
    "name": "relu-L1", "dataset": "digits", "n_train": 20, "n_test": 30, "depth": 1, "activation": "relu",
    "widths": [8, 16], "root_h_alpha": [1e-3, 1e-2, 1.0, 10.0, 100.0], "seeds": 3, "tolerance": 0.05,
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("plan") / "small.zarr"
    run(Campaign.from_dict({"name": "small", "experiment": [FIELDS]}), path, workers=1)
    return path


def report(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_a_plan_is_said_on_80_columns_and_its_campaign_extends_the_store(store, tmp_path):
    done = report(store, "--plan", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if str(tmp_path) not in line)
    for words in ("What would decide it", "What no addition decides", "--extend --out", "seeds (now 3)"):
        assert words in done.stdout
    assert not (tmp_path / "report.html").exists()
    larger = Campaign.from_toml(tmp_path / FILE)
    (before,), (after,) = Store.open(store).campaign.experiment, larger.experiment
    assert after.seeds >= 5
    assert set(before.widths) < set(after.widths)
    assert larger.size > Store.open(store).campaign.size
    # the widest and most of the seeds are left out here, which takes minutes: the store takes a part as it takes all
    copy = shutil.copytree(store, tmp_path / "copy.zarr")
    part = larger.changed(widths=after.widths[:3], seeds=4)
    outcome = run(part, copy, workers=1, grow=True)
    assert outcome.store.campaign == part


def test_the_plan_as_json(store, tmp_path):
    done = report(store, "--plan", "--json", "--out", tmp_path)
    rows = json.loads(done.stdout)
    assert {row["claim"] for row in rows["laws"]} >= {"crossover"}
    assert all(bool(row["options"]) != bool(row["impossible_because"]) for row in rows["laws"])
    (campaign,) = rows["campaigns"]
    assert campaign["networks_added"] > 0


def test_without_a_store_there_is_nothing_to_plan_from():
    done = report("--plan")
    assert done.exit_code == 2
    assert "--plan" in done.output
