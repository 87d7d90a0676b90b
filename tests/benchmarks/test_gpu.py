"""The measurement of a GPU, with tiny sizes on a CPU: whole, stopped, resumed, without torchvision."""

import argparse
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

from benchmarks import gpu
from benchmarks.gpu import LIMITS
from benchmarks.gpu_parts import AGREEMENT, PARTS, Setting, difference
from simulate.training.status import Status


def arguments(out, *others):
    # more time than any machine needs: what is tested is not how fast it is
    return ["--device", "cpu", "--tiny", "--minutes", "600", "--out", str(out), *others]


def command(out, *others):
    return [sys.executable, "-m", "benchmarks.gpu", *arguments(out, *others)]


def _part_in_this_process(options, part, seconds):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    try:
        gpu._run_part(argparse.Namespace(**{**vars(options), "part": part, "seconds": seconds}))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def run_in_this_process(out, *others):
    """Run the program, its parts too: processes of their own would import torch six times. Return what it prints."""
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(io.StringIO()) as printed:
        patched.setattr(gpu, "_in_a_process", _part_in_this_process)
        patched.setattr(sys, "argv", ["gpu", *arguments(out, *others)])
        patched.setitem(sys.modules, "torchvision", None)  # importing it fails
        gpu.main()
    return printed.getvalue()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A whole run: its folder and what it printed."""
    folder = tmp_path_factory.mktemp("gpu")
    return folder, run_in_this_process(folder / "out", "--store", str(folder / "grid.zarr"))


def test_every_part_gives_rows_and_the_table_comes_last(measured):
    folder, printed = measured
    result = json.loads((folder / "out" / "gpu.json").read_text())
    assert list(result) == list(LIMITS) == ["device", "agreement", "gemm", "launches", "throughput", "grid"]
    assert set(PARTS) == set(LIMITS)
    for part, rows in result.items():
        assert rows
        assert not [row for row in rows if "error" in row], part
    for part in LIMITS:
        assert f"\n{part}\n" in printed
    cases = [row for row in result["agreement"] if "ok" in row]
    assert {row["what"] for row in cases} == set(AGREEMENT)
    assert all(row["ok"] for row in cases)  # one machine agrees with itself
    assert all(row["networks_per_s"] > 0 for row in result["throughput"] if "networks" in row)
    launches = result["launches"][0]
    assert launches["launches_per_step"] > launches["waits_per_step"] > 0


def test_the_grid_is_a_store_like_any_other(measured):
    folder, _ = measured
    grid = xr.open_datatree(folder / "grid.zarr", engine="zarr")["main-grid"].to_dataset()
    assert (grid.status != Status.PENDING).all()


def test_run_again_only_what_is_not_finished_is_done(measured):
    """Rows that were measured stay to the byte; of a part that was not finished none are kept from before."""
    folder, _ = measured
    out = folder / "out"
    kept = {part: (out / f"{part}.jsonl").read_bytes() for part in LIMITS if part not in ("device", "grid")}
    (out / "device.jsonl").write_text('{"what": "from before"}\n{"what": "cut sh')
    run_in_this_process(out, "--only", "device", "gemm", "agreement")
    for part, rows in kept.items():
        assert (out / f"{part}.jsonl").read_bytes() == rows
    rows = [json.loads(line) for line in (out / "device.jsonl").read_text().splitlines()]
    assert "from before" not in {row.get("what") for row in rows}
    assert rows[-1] == {"part": "finished"}


def test_a_run_that_is_killed_leaves_its_rows(tmp_path):
    """With its parts in processes of their own."""
    out = tmp_path / "out"
    process = subprocess.Popen(
        command(out, "--only", "device", "agreement"), stdout=subprocess.DEVNULL, start_new_session=True
    )
    while not (out / "agreement.jsonl").is_file() and process.poll() is None:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert json.loads((out / "gpu.json").read_text())["device"][-1] == {"part": "finished"}
    assert json.loads((out / "agreement.jsonl").read_text().splitlines()[0])["what"] == next(iter(AGREEMENT))


def test_a_part_whose_process_fails_says_why_and_the_next_is_run(tmp_path, monkeypatch, capsys):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "Traceback" >&2\necho "RuntimeError: no device in part $4" >&2\nexit 3\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(sys, "argv", ["gpu", *arguments(tmp_path / "out", "--only", "gemm", "throughput")])
    gpu.main()
    result = json.loads((tmp_path / "out" / "gpu.json").read_text())
    for part in ("gemm", "throughput"):
        assert result[part][-1]["error"] == f"exit status 3: RuntimeError: no device in part {part}"
    assert "not finished" in capsys.readouterr().out


def test_a_device_that_torch_does_not_know_ends_a_part():
    with pytest.raises(RuntimeError, match="nosuch"):
        next(PARTS["gemm"](Setting("nosuch", tiny=True, data=None, store="", seconds=1.0)))


def test_time_that_is_over_stops_a_part(tmp_path):
    run = subprocess.run(
        [*command(tmp_path / "out"), "--part", "throughput", "--seconds", "0.01"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0
    last = json.loads((tmp_path / "out" / "throughput.jsonl").read_text().splitlines()[-1])
    assert last["what"] == "stopped by its time limit"


def test_differences_are_relative_to_the_size_of_results():
    one = np.array([3.0, -4.0, np.nan])
    assert difference(one, one) == 0.0
    assert difference(one, np.array([3.0, -4.5, np.nan])) == pytest.approx(0.5 / np.sqrt(12.5))
    assert np.isnan(difference(one, np.array([3.0, np.nan, np.nan])))


def test_without_data_points_are_made_here():
    setting = Setting("cpu", tiny=True, data=None, store="", seconds=1.0)
    assert setting.size(10_000, 60) == 60
    (card,) = [row for row in PARTS["device"](setting) if row["what"] == "card"]
    assert "cpu" in card["value"]
