"""The small files of reference runs say what the store says, and the table says what they say."""

import json

import numpy as np
import pytest
import xarray as xr

from benchmarks.reference import FOLDER, LIMIT, ROOT, kept, small
from benchmarks.reference_measures import trajectories_of
from benchmarks.reference_table import BEGIN, END, table
from fit import assess
from simulate import Campaign, run


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
        small(tree["softplus"].to_dataset()).to_netcdf(tmp_path / "softplus.nc", engine="scipy")
    whole, few = assess(store), assess(tmp_path / "softplus.nc")
    assert [(v.claim, v.regime, v.variable, v.verdict) for v in few] == [
        (v.claim, v.regime, v.variable, v.verdict) for v in whole
    ]
    measured = [v for v in whole if v.estimate is not None]
    assert measured
    for a, b in zip(whole, few, strict=True):
        if a.estimate is not None:
            # seven digits are kept of values; slopes over a decade and more keep five of them
            assert b.estimate == pytest.approx(a.estimate, abs=1e-5)


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
    assert cut["kernel_change"].dtype == np.float32
    assert cut["root_h_alpha"].dtype == np.float64
    assert cut.attrs["campaign"] == '{"name": "t"}'


KEPT = [path.parent.name for path in sorted(FOLDER.glob("*/verdicts.json"))]
SMALL = ["dynamics-laptop", "variance-laptop"]


def _of(verdict):
    return tuple(verdict[key] for key in ("experiment", "claim", "quantity", "regime", "variable"))


@pytest.mark.parametrize("preset", [name for name in SMALL if name in KEPT])
def test_the_kept_files_give_the_kept_verdicts_again(preset, monkeypatch):
    monkeypatch.chdir(ROOT)
    again = {_of(v): v for v in (v.to_json() for v in assess(kept(preset, FOLDER / preset)))}
    # claims and fields of which there were none when the report was made are new, and no contradiction
    for theirs in json.loads((FOLDER / preset / "verdicts.json").read_text(encoding="utf-8")):
        ours = again[_of(theirs)]
        # a fit that iterates ends where its optimiser stops; tail probabilities magnify that
        numbers = {name for name, value in theirs.items() if isinstance(value, float)} | {"sensitivity", "reason"}
        same = theirs.keys() - numbers
        assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
        for name in numbers - {"sensitivity", "reason", "p_value"}:
            assert ours[name] == pytest.approx(theirs[name], rel=1e-4, abs=1e-6), (
                theirs["experiment"],
                theirs["claim"],
            )


@pytest.mark.parametrize("preset", [name for name in KEPT if name.endswith("-laptop")])
def test_the_kept_runs_are_of_the_presets_as_they_are(preset):
    experiments = {experiment.name: experiment for experiment in Campaign.from_preset(preset).experiment}
    # of an experiment that has not been run there is no file; a file of no experiment is left over
    for path in (FOLDER / preset).glob("*.nc"):
        experiment = experiments[path.stem]
        with xr.open_dataset(path) as data:
            assert json.loads(data.attrs["experiment"]) == experiment.model_dump(mode="json", exclude_none=True)
            assert data["status"].values.min() > 0, "a network was never trained"


def test_the_kept_runs_are_small():
    for preset in KEPT:
        files = [p for p in (FOLDER / preset).rglob("*") if p.is_file() and "store.zarr" not in p.parts]
        assert sum(path.stat().st_size for path in files) < 12e6, preset


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
    (tmp_path / "p" / "verdicts.json").write_text(json.dumps([row, row]))
    assert "[−0.600, −0.400] | consistent |\n" in table(tmp_path)
    (tmp_path / "p" / "verdicts.json").write_text(json.dumps([row, row | {"verdict": "inconsistent"}]))
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
