"""``python -m simulate``: what it prints, how it ends, and that bad input gets one sentence."""

import csv
import json
import re

import pytest
import xarray as xr
from typer.testing import CliRunner

from simulate import Campaign, Store
from simulate.command import app
from simulate.planning.operations import operations


def simulate(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def refused(result):
    """The one message of a command that ended as bad input."""
    assert result.exit_code == 2, (result.output, result.exception)
    assert "Traceback" not in result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_presets_are_listed():
    listed = simulate("--list-presets").stdout
    for preset in ("quick", "smoke", "regimes-laptop"):
        assert re.search(rf"^{preset} +[\d,]+  \w", listed, re.M)
    assert max(map(len, listed.splitlines())) <= 80


def test_a_campaign_is_run_by_default_and_status_tells_how_it_ended(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(
        'name = "c"\n[[experiment]]\nname = "e"\ndataset = "digits"\nn_train = 10\nn_test = 10\ndepth = 1\n'
        'activation = "tanh"\nwidths = [8]\nroot_h_alpha = [10.0]\nseeds = 2\ntolerance = 0.05\n'
    )
    ran = simulate(file, "--out", tmp_path / "s")
    assert ran.exit_code == 0, ran.output
    assert "2 networks" in ran.stderr
    told = simulate("status", tmp_path / "s").stdout.splitlines()
    assert told[0] == "campaign c: 2 networks"
    assert re.match(r"  made with lazyrich 0\..*, torch 2\..*, on cpu, commit ", told[1])
    assert told[2] == "  e: 2 converged"
    assert re.match(r"  cost: \d+ gradients, \d\.\de\+\d\d operations, \d+ s of workers' time, in 1 run$", told[3])
    assert f"{2 * operations(Campaign.from_toml(file).experiment[0], 8):.1e} operations" in told[3]
    assert simulate("verify", tmp_path / "s").exit_code == 0


SMALL = (
    'name = "c"\n[[experiment]]\nname = "e"\ndataset = "digits"\nn_train = 10\nn_test = 10\ndepth = 1\n'
    'activation = "tanh"\nwidths = [8]\nroot_h_alpha = [0.1, 10.0]\nseeds = 2\ntolerance = 0.05\n'
)


def test_a_dry_run_writes_nothing_and_json_is_all_there_is_on_standard_output(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(SMALL)
    told = simulate(file, "--out", tmp_path / "s", "--dry-run")
    assert told.exit_code == 0
    assert "4 networks in 1 task\n" in told.stdout
    assert "A = 0.1..10" in told.stdout
    assert not (tmp_path / "s").exists()
    planned = json.loads(simulate(file, "--dry-run", "--json").stdout)
    assert (planned["networks"], planned["tasks"]) == (4, 1)
    ran = json.loads(simulate(file, "--out", tmp_path / "s", "--json").stdout)
    assert ran["experiments"] == {"e": {"converged": 4}}
    assert json.loads(simulate("status", tmp_path / "s", "--json").stdout)["experiments"] == ran["experiments"]


def test_without_a_terminal_progress_is_lines_that_say_where_it_is(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(SMALL)
    told = simulate(file, "--out", tmp_path / "s", "--threads", 2).stderr
    assert "4 of 4 networks, 0 not fitted" in told
    assert "e, h = 8, A = 0.1 to 10" in told
    assert simulate(file, "--out", tmp_path / "t", "--quiet").output == ""


def test_verify_finds_damage_and_repair_mends_it(store_path):
    chunk = store_path / "one" / "weight_change" / "c" / "0" / "0" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[::-1])
    found = simulate("verify", store_path)
    assert found.exit_code == 4
    assert "one/weight_change/c/0/0/0/0 can't be decoded" in found.stdout
    assert "h = 8, seeds 0-2" in found.stdout
    mended = simulate("repair", store_path, "--workers", 1)
    assert mended.exit_code == 0, mended.output
    assert simulate("verify", store_path).exit_code == 0


def test_export_to_a_table_has_a_row_for_each_network(store_path, tmp_path):
    assert simulate("export", store_path, tmp_path / "t.csv").exit_code == 0
    with open(tmp_path / "t.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    data = Store.open(store_path).tree()["two"].to_dataset()
    row = next(
        r for r in rows if (r["experiment"], r["width"], r["root_h_alpha"], r["seed"]) == ("two", "16", "10.0", "2")
    )
    one = data.sel(width=16, root_h_alpha=10.0, seed=2)
    assert float(row["kernel_change"]) == float(one["kernel_change"])
    assert float(row["weight_change"]) == pytest.approx(float((one["weight_change"] ** 2).sum() ** 0.5), rel=1e-12)


def test_the_file_to_export_to_is_an_argument_or_an_option(store_path, tmp_path):
    assert simulate("export", store_path, "--out", tmp_path / "t.csv").exit_code == 0
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 25
    assert "file is not given: an export goes to one." in refused(simulate("export", store_path))
    assert "the file a.csv is named too" in refused(simulate("export", store_path, "a.csv", "--out", "b.csv"))


def test_export_to_netcdf_keeps_every_number(store_path, tmp_path):
    done = simulate("export", store_path, tmp_path / "t.nc")
    assert done.exit_code == 0
    assert "t.nc: 24 networks of 2 experiments, " in done.stdout
    for name in ("one", "two"):
        written = xr.load_dataset(tmp_path / "t.nc", group=name, engine="h5netcdf")
        xr.testing.assert_equal(written, Store.open(store_path).tree()[name].to_dataset().load())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nosuch.toml"], "can't be read"),
        (["--preset", "nosuch"], "no such preset"),
        (["--preset", "smoke", "nosuch.toml"], "the campaign nosuch.toml is given too"),
        (["--preset", "smoke", "--device", "warp"], "Use one that this machine has: cpu"),
        (["--preset", "smoke", "--device", "mps"], "Use one that this machine has: cpu"),
        (["--preset", "smoke", "--device", "cuda:77"], "torch can't use it"),
        (["--preset", "smoke", "--threads", str(10**20)], "no machine has so many threads"),
        (["--preset", "smoke", "--workers", "0"], "at least one process"),
        (["--preset", "smoke", "--threads", "0"], "at least one thread"),
        (["--preset", "smoke", "--out", "/proc/store"], "can't be written"),
        (["status", "nosuch"], "no such store"),
        (["verify", "nosuch"], "no such store"),
        (["repair", "nosuch"], "no such store"),
        (["export", "nosuch", "a.csv"], "no such store"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused(simulate(*arguments))
    assert told in message
    assert message.startswith("error: ")
    assert not any(tmp_path.iterdir())


def test_export_to_an_unknown_format_or_place_is_refused(store_path, tmp_path):
    assert "End it in .csv or .nc" in refused(simulate("export", store_path, tmp_path / "t.xls"))
    assert "can't be written" in refused(simulate("export", store_path, tmp_path / "none" / "t.csv"))
    chunk = store_path / "one" / "kernel_change" / "c" / "0" / "0" / "0"
    chunk.write_bytes(b"")
    ended = simulate("export", store_path, tmp_path / "t.csv")
    assert ended.exit_code == 4
    assert f"simulate verify {store_path}" in ended.stderr


def test_a_store_in_use_ends_with_exit_code_5(tiny, store_path):
    with Store.open(store_path).lock():
        ended = simulate("repair", store_path)
    assert ended.exit_code == 5
    assert "another run" in ended.stderr


def test_a_network_is_reproduced_from_what_its_store_says(store_path):
    """Alone in its batch: smooth activations to 1e-9, kinked ones within the integrator's tolerance."""
    for network in ("experiment=one,width=16,root_h_alpha=0.1,seed=2", "experiment=two,width=8,root_h_alpha=10,seed=0"):
        ended = simulate("reproduce", store_path, "--network", network)
        assert ended.exit_code == 0, ended.output
        assert "the network is reproduced" in ended.stdout
    assert "allowed 1.0e-09" in simulate("reproduce", store_path, "--network", network.replace("two", "one")).stdout


def test_a_network_that_is_not_as_stored_is_told(store_path):
    store = Store.open(store_path)
    task = next(t for t in store.tasks() if (t.experiment, t.width) == ("one", 8))
    data = store.tree()["one"].to_dataset().isel(width=[0]).load()
    data["kernel_change"] *= 1 + 1e-7
    store.mark_pending(task)  # what is finished is not written over
    store.write(task, data)
    ended = simulate("reproduce", store_path, "--network", "experiment=one,width=8,root_h_alpha=0.1,seed=1")
    assert ended.exit_code == 4
    assert re.search(r"kernel_change +differs: 1\.0e-07", ended.stdout)
    assert "1 of" in ended.stdout


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("nonsense", "not key=value"),
        ("width=8,root_h_alpha=0.1,seed=1", "no such experiment"),
        ("experiment=one,width=8,seed=1", "needs width, root_h_alpha, seed"),
        ("experiment=one,width=9,root_h_alpha=0.1,seed=1", "no width = 9"),
        ("experiment=one,width=8,root_h_alpha=0.2,seed=1", "no root_h_alpha = 0.2"),
        ("experiment=one,width=8,root_h_alpha=x,seed=1", "not a number"),
    ],
)
def test_a_network_that_is_not_in_the_store_is_refused(store_path, network, told):
    assert told in refused(simulate("reproduce", store_path, "--network", network))
