"""``python -m fit.report``: from a preset or a store to a page, resumable, on 80 columns, and refusing clearly."""

import functools
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from synthetic_campaign import experiment
from typer.testing import CliRunner

from fit.report.campaigns import campaign_for, in_size_of_store, seeds_for
from fit.report.command import app
from lazyrich.command_line import app as lazyrich_app
from simulate import Campaign, Status, Store, load_data, run, run_task
from theory import InputError


def report(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The smoke preset, run and reported on once."""
    folder = tmp_path_factory.mktemp("smoke")
    done = report("--preset", "smoke", "--out", folder, "--workers", 1)
    assert done.exit_code == 0, done.output
    (folder / "told.txt").write_text(done.stdout)
    return folder


def test_a_preset_is_simulated_and_reported_on(folder):
    for name in ("report.html", "report.md", "verdicts.json", "store.zarr"):
        assert (folder / name).exists()
    told = (folder / "told.txt").read_text()
    assert "Kernel change" in told
    assert "report.html" in told
    assert all(len(line) <= 80 for line in told.splitlines() if "report.html" not in line)


def test_again_it_reports_without_simulating(folder, monkeypatch):
    monkeypatch.setattr("simulate.running.runner.in_processes", lambda *_: pytest.fail("simulated again"))
    before = (folder / "report.html").read_bytes()
    assert report("--preset", "smoke", "--out", folder, "--quiet").exit_code == 0
    assert (folder / "report.html").read_bytes() == before


def test_a_store_is_reported_on_and_json_goes_to_stdout_alone(folder, tmp_path):
    done = report(folder / "store.zarr", "--out", tmp_path / "again", "--json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert rows == json.loads((tmp_path / "again" / "verdicts.json").read_text())
    assert {r["experiment"] for r in rows} >= {"softplus-L1", "relu-L2"}


@pytest.mark.parametrize("shape", ["grid", "table"])
def test_netcdf_files_of_others_are_reported_on(tmp_path, shape):
    """Width, alpha and seed, two quantities and two attributes: what they hold gets its verdicts, the rest is told."""
    alphas, amplitudes = 10.0 ** np.arange(-6, 3.1, 0.5), 10.0 ** np.arange(-4, 4.1, 0.5)
    parts = []
    for h in (64, 128, 256):  # a grid has alpha in common, the table A
        a = np.sqrt(h) * alphas if shape == "grid" else amplitudes
        one = experiment("mine", 1, (h,), seeds=8, root_h_alpha=tuple(a), seed=h)[["kernel_change", "time_linear"]]
        parts.append(one.rename(root_h_alpha="alpha").assign_coords(alpha=np.float32(a / np.sqrt(h))))
    if shape == "grid":
        plain = xr.concat(parts, "width", join="override")
    else:
        plain = pd.concat([one.to_dataframe().reset_index() for one in parts], ignore_index=True).to_xarray()
    plain.attrs = {"activation": "softplus", "depth": 1}
    plain.to_netcdf(tmp_path / "mine.nc", engine="scipy")
    done = report(tmp_path / "mine.nc", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    rows = {(r["claim"], r["variable"]): r for r in json.loads(done.stdout)}
    assert rows["kernel_change_feature", "root_h_alpha"]["verdict"] == "consistent"
    assert rows["linear_time", "root_h_alpha"]["verdict"] == "consistent"
    for claim in ("weight_change_feature", "fluctuations", "final_kernel"):
        (absent,) = {r["reason"] for (name, _), r in rows.items() if name == claim}
        assert absent.startswith("Not measured: the source does not hold ")
    assert rows["crossover", "width"]["n_widths"] == 3
    if shape == "table":
        assert rows["collapse", "width"]["n_widths"] == 3  # at common values of A, found from alpha and the width
    assert "mine" in (tmp_path / "out" / "report.html").read_text()


def test_tables_of_others_are_reported_on(tmp_path):
    data = experiment(name="mine", depth=1)
    frame = data.drop_vars(["weight_change", "test_output", "status"]).to_dataframe().reset_index()
    frame.assign(experiment="mine", activation="softplus", depth=1).to_csv(tmp_path / "mine.csv", index=False)
    done = report(tmp_path / "mine.csv", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    verdicts = {(r["claim"], r["variable"]): r["verdict"] for r in json.loads(done.stdout)}
    assert verdicts["kernel_change_feature", "root_h_alpha"] == "consistent"


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = report("--dry-run")
    assert done.exit_code == 0
    assert "quick: " in done.stdout
    assert "2,770 networks" in done.stdout
    assert "within a factor of two" in done.stdout
    assert "GiB" in done.stdout
    assert not any(tmp_path.iterdir())


def test_a_dry_run_in_json_is_for_scripts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = json.loads(report("--dry-run", "--preset", "smoke", "--workers", 2, "--json").stdout)
    assert (told["campaign"], told["networks"], told["workers"]) == ("smoke", 168, 2)
    assert told["seconds"] > 0
    assert sum(told["experiments"].values()) == 168


def test_an_activation_of_ones_own_replaces_that_of_the_preset():
    campaign = campaign_for("smoke", "z*sigmoid(2*z)", 3, 7, alone=True)
    (only,) = campaign.experiment
    assert (only.activation, only.depth, only.base_seed) == ("z*sigmoid(2*z)", 3, 7)
    assert campaign.name.startswith("smoke-")
    assert "/" not in campaign.name
    with pytest.raises(InputError):
        campaign_for("smoke", None, 0, None)


def test_a_new_activation_is_put_beside_the_familiar_ones():
    campaign = campaign_for("quick", "z*sigmoid(2*z)", 3, None)
    assert [e.activation for e in campaign.experiment] == ["z*sigmoid(2*z)"] * 2 + ["relu", "softplus", "tanh"]
    assert {e.depth for e in campaign.experiment} == {3}
    own, across, *others = campaign.experiment
    assert all(e.size < own.size and e.dataset == own.dataset for e in others)
    # the preset has three widths at this depth: enough for powers of A, not for powers of h
    assert len(own.widths) == 3
    assert len(across.widths) == 5
    assert min(across.amplitudes) <= 1e-2
    assert max(across.amplitudes) >= 50 * max(across.widths) ** 0.5
    # at depth 1 it has seven
    assert [e.activation for e in campaign_for("quick", "relu(z)", 1, None).experiment] == ["relu(z)"] * 2 + [
        "softplus",
        "tanh",
    ]


def test_larger_machines_train_more_seeds_for_the_laws_in_h_and_a_run_keeps_the_size_it_began_with(tmp_path):
    assert [seeds_for(n, "cpu") for n in (1, 2, 4, 8, 64)] == [16, 16, 32, 64, 64]
    assert seeds_for(1, "cuda:0") == 64
    sized = functools.partial(campaign_for, "quick", "z*sigmoid(2*z)", 3, None)
    small, large = sized(seeds=16), sized(seeds=64)
    assert max(e.seeds for e in large.experiment) == 64
    path = tmp_path / "store.zarr"
    assert in_size_of_store(path, large, sized) == large
    Store.create(path, small, {e.name: load_data(e) for e in small.experiment}, "cpu")
    assert in_size_of_store(path, large, sized) == small


def test_networks_that_diverge_end_with_exit_code_3_and_a_report(tmp_path):
    campaign = Campaign.from_preset("smoke")

    def failing(experiment, task, data, *, device):
        result = run_task(experiment, task, data, device=device)
        result["status"].values[..., 0] = Status.DIVERGED
        return result

    out = run(campaign, tmp_path / "store.zarr", workers=1, compute=failing)
    assert out.failed_numerics > 0
    done = report("--preset", "smoke", "--out", tmp_path, "--quiet")
    assert done.exit_code == 3
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--preset", "nosuch"], "no such preset"),
        (["--activation", "nosuch"], "nosuch"),
        (["--activation", "exp(z**2)"], "second moment"),
        (["--depth", "0"], "hidden layer"),
        (["nosuch.zarr"], "no such"),
        (["nosuch.csv"], "nosuch.csv"),
        (["nosuch.xls"], "nosuch.xls"),
        (["nosuch.zarr", "--preset", "smoke"], "a store is given"),
        (["--preset", "smoke", "--out", "/proc/report"], "can't be written"),
        (["--preset", "smoke", "--device", "warp"], "Use one that this machine has: cpu"),
        (["--preset", "smoke", "--device", "warp", "--dry-run"], "Use one that this machine has: cpu"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = report(*arguments)
    assert result.exit_code == 2, (result.output, result.exception)
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    assert told in lines[0]
    assert result.stdout == ""


def test_damaged_tables_and_stores_are_refused_by_name(folder, tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    assert "a.csv" in report(tmp_path / "a.csv", "--out", tmp_path / "o").stderr
    (tmp_path / "b.nc").write_bytes(b"\x00nonsense")
    assert "b.nc" in report(tmp_path / "b.nc", "--out", tmp_path / "o").stderr
    twice = report(folder / "store.zarr", folder / "store.zarr", "--out", tmp_path / "o")
    assert twice.exit_code == 2
    assert "is also in" in twice.stderr


def test_the_console_script_completes_commands_options_and_presets():
    def completed(line):
        words = {"_LAZYRICH_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        return CliRunner().invoke(lazyrich_app(), [], prog_name="lazyrich", env=words).stdout.split()

    assert {"theory", "simulate", "report"} <= set(completed("lazyrich "))
    assert "--activation" in completed("lazyrich report --act")
    assert {"quick", "smoke", "atlas"} <= set(completed("lazyrich report --preset "))


def test_lazyrich_has_the_same_commands():
    told = CliRunner().invoke(lazyrich_app(), ["--help"]).stdout
    for name in ("theory", "simulate", "report"):
        assert name in told
    assert CliRunner().invoke(lazyrich_app(), ["simulate", "--list-presets"]).exit_code == 0
