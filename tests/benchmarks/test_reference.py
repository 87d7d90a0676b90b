"""The small files of reference runs say what the store says, and the table says what they say."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from benchmarks.reference import (
    COLUMNS,
    DIGITS,
    FOLDER,
    LIMIT,
    ROOT,
    STEP,
    kept_files,
    need_outputs,
    small,
    verdict_table,
    write,
)  # fmt: skip
from benchmarks.reference_measures import trajectories_of
from benchmarks.reference_table import BEGIN, END, VERDICTS, read_verdicts, table
from fit import assess
from simulate import Campaign, Experiment, run


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "store.zarr"
    fields = {
        "name": "softplus", "dataset": "digits", "n_train": 20, "n_test": 30, "depth": 1, "activation": "softplus",
        "widths": [64, 128], "root_h_alpha": [1e-3, 1e-2, 1.0, 10.0, 1e3], "seeds": 3, "tolerance": 0.05,
        "checkpoints": [1.0, 10.0],
    }  # fmt: skip
    run(Campaign.from_dict({"name": "t", "experiment": [fields]}), path, workers=1)
    return path


def test_verdicts_of_the_small_file_are_those_of_the_store(store, tmp_path):
    with xr.open_datatree(store, engine="zarr") as tree:
        write(small(tree["softplus"].to_dataset()), tmp_path / "softplus.nc.gz")
    whole, of_file = assess(store), assess(tmp_path / "softplus.nc.gz")
    assert [(v.claim, v.regime, v.variable, v.verdict) for v in of_file] == [
        (v.claim, v.regime, v.variable, v.verdict) for v in whole
    ]
    measured = [v for v in whole if v.estimate is not None]
    assert measured
    for a, b in zip(whole, of_file, strict=True):
        if a.estimate is not None:
            # four decimal digits of values are three of slopes over half a decade and more; outputs to 0.002, which
            # differ by 0.05 from seed to seed, give a standard deviation from ninety of them to 0.1 %
            assert b.estimate == pytest.approx(a.estimate, abs=3e-3), (a.claim, a.quantity)


def test_outputs_are_left_out_where_no_measured_claim_needs_them(store, tmp_path):
    verdicts = assess(store)
    assert need_outputs(verdicts)
    others = [v for v in verdicts if v.claim not in ("fluctuations", "kernel_homogeneity", "ensemble", "lazy_error")]
    assert any(v.estimate is not None for v in others)
    assert not need_outputs(others)
    with xr.open_datatree(store, engine="zarr") as tree:
        write(small(tree["softplus"].to_dataset(), outputs=False), tmp_path / "softplus.nc.gz")
    of_file = {(v.claim, v.regime, v.variable): v for v in assess(tmp_path / "softplus.nc.gz")}
    for v in others:
        if v.claim != "kernel_change_feature":  # of which the outputs are a second opinion
            assert of_file[v.claim, v.regime, v.variable].verdict == v.verdict, v.claim


def test_outputs_are_cut_to_the_limit_and_coordinates_are_not_rounded():
    n = 2 * LIMIT // (4 * 2 * 2 * 5)
    data = xr.Dataset(
        {
            "status": (("width", "root_h_alpha", "seed"), np.ones((2, 2, 5), dtype="int8")),
            "kernel_change": (("width", "root_h_alpha", "seed"), np.ones((2, 2, 5))),
            "test_output": (("width", "root_h_alpha", "seed", "test_point"), np.ones((2, 2, 5, n), dtype="float32")),
        },
        {"width": [8, 16], "root_h_alpha": [1e-4, 2.154434690031884e-4]},
        {"campaign": {"name": "t"}},
    )
    cut = small(data)
    assert cut["test_output"].nbytes <= LIMIT < data["test_output"].nbytes
    assert cut["test_output"].encoding["scale_factor"] == STEP
    assert cut["kernel_change"].dtype == np.float32
    assert cut["root_h_alpha"].dtype == np.float64
    assert cut.attrs["campaign"] == '{"name": "t"}'


def test_digits_are_those_that_are_said(tmp_path):
    grid = ("width", "root_h_alpha", "seed")
    values = np.array([1.0 / 3.0, 2.0e-9, 7.0e8, np.nan, np.inf, 0.0]).reshape(1, 2, 3)
    outputs = np.array([1.2345, -0.4321, 100.4, np.nan, 0.0, -1.0], dtype="float32").reshape(1, 2, 3, 1)
    data = xr.Dataset(
        {
            "status": (grid, np.ones((1, 2, 3), dtype="int8")),
            "kernel_change": (grid, values),
            "test_output": ((*grid, "test_point"), outputs),
        },
        {"width": [8], "root_h_alpha": [1e-4, 1e-2]},
    )
    write(small(data), tmp_path / "one.nc.gz")
    with xr.open_dataset(tmp_path / "one.nc.gz") as again:
        np.testing.assert_allclose(again["kernel_change"], values, rtol=2.0**-DIGITS, atol=0)
        assert float(abs(again["kernel_change"] - values).max()) > 0  # it was rounded
        # outputs are not cut off where they are large: the step grows with the largest
        np.testing.assert_allclose(again["test_output"], outputs, atol=STEP * 4)
    assert len((tmp_path / "one.nc.gz").read_bytes()) < 2000


KEPT = [path.parent.name for path in sorted(FOLDER.glob(f"*/{VERDICTS}"))]
SMALL = ["dynamics-laptop", "variance-laptop"]


def _of(verdict):
    return tuple(verdict[key] for key in ("experiment", "claim", "quantity", "regime", "variable"))


@pytest.mark.parametrize("preset", SMALL)
def test_the_kept_files_give_the_kept_verdicts_again(preset, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    verdict_table(assess(kept_files(preset, FOLDER / preset))).to_csv(tmp_path / VERDICTS, index=False)
    again = {_of(row): row for row in read_verdicts(tmp_path / VERDICTS)}
    # claims of which there were none when the table was written are new, and no contradiction
    for row in read_verdicts(FOLDER / preset / VERDICTS):
        for name in COLUMNS:
            # a fit that iterates ends where its optimiser stops
            expected = pytest.approx(row[name], rel=1e-4, abs=1e-6) if isinstance(row[name], float) else row[name]
            assert again[_of(row)][name] == expected, (row["experiment"], row["claim"], name)


@pytest.mark.parametrize("preset", [name for name in KEPT if name.endswith("-laptop")])
def test_the_kept_runs_are_of_the_presets_as_they_are(preset):
    experiments = {experiment.name: experiment for experiment in Campaign.from_preset(preset).experiment}
    # of an experiment that has not been run there is no file; a file of no experiment is left over
    for path in (FOLDER / preset).glob("*.nc.gz"):
        experiment = experiments[path.name.removesuffix(".nc.gz")]
        with xr.open_dataset(path) as data:
            # what is said of fields that came later is their default
            assert Experiment(**json.loads(data.attrs["experiment"])) == experiment
            assert data["status"].values.min() > 0, "a network was never trained"


def test_the_kept_runs_are_small():
    files = [path for path in FOLDER.rglob("*.nc.gz")] + list(FOLDER.rglob(VERDICTS))
    assert sum(path.stat().st_size for path in files) < 9e6


def test_the_table_is_made_from_the_kept_verdicts():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert page.split(BEGIN)[1].split(END)[0].strip() == table().strip()


def test_a_conclusion_about_other_verdicts_is_refused(tmp_path):
    (tmp_path / "points.toml").write_text(
        '[[point]]\ntitle = "x"\nsection = "s"\nclaim = "c"\npresets = ["p"]\nconclusion = "both hold"\n'
        "tally = {consistent = 2}\n"
    )
    row = {"experiment": "e", "claim": "c", "regime": "lazy", "variable": "width", "predicted": "-1/2",
           "estimate": -0.5, "ci_low": -0.6, "ci_high": -0.4, "verdict": "consistent"}  # fmt: skip
    (tmp_path / "p").mkdir()
    pd.DataFrame([row, row]).to_csv(tmp_path / "p" / VERDICTS)
    assert "[−0.600, −0.400] | consistent |\n" in table(tmp_path)
    pd.DataFrame([row, row | {"verdict": "inconsistent"}]).to_csv(tmp_path / "p" / VERDICTS)
    with pytest.raises(ValueError, match=r"x: the verdicts are .*inconsistent"):
        table(tmp_path)


def test_trajectories_that_differ_are_measured():
    a, t = np.array([1e-4, 1e-3, 1e-2, 1e-1, 1.0]), np.array([0.1, 1.0, 10.0])
    grid = ("width", "root_h_alpha", "seed", "checkpoint")
    # f - f_0 = t, but a tenth more at A = 1e-2; F = A·t
    rms = a[None, :, None, None] * t * np.where(a == 1e-2, 1.1, 1.0)[None, :, None, None] * np.ones((1, 1, 3, 1))
    data = xr.Dataset({"output_rms": (grid, rms)}, {"root_h_alpha": a, "checkpoint": t})
    found = {row.what.split("A = ")[1].split()[0]: row.value for row in trajectories_of(data)}
    assert found["0.01"] == pytest.approx(0.1)
    assert found["0.001"] == pytest.approx(0.0, abs=1e-12)
