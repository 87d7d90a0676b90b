"""Doors of data: tables, netCDF files, npz files."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from benchmarks.reliability import nonsense
from benchmarks.reliability.doors.door import JSON, Door, Enter
from fit.measurements.reading import measurements
from simulate import Experiment, load_data

_WIDTHS = st.integers(1, 5000)
_SIZES = st.floats(1e-9, 1e9)
_CELLS = st.one_of(
    st.sampled_from(["", "1", "2", "64", "0.1", "1e-3", "nan", "inf", "-1", "x", "1e400", '"', "a;b", "0x1", " 3 "]),
    st.text(max_size=5),
    st.floats().map(str),
)
_COLUMNS = st.one_of(
    st.sampled_from(
        ["width", "root_h_alpha", "alpha", "seed", "kernel_change", "status", "experiment", "activation", "depth",
         "test_error", "Width ", "layer", "converged"]
    ),
    st.text(max_size=6),
)  # fmt: skip


@st.composite
def _tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file's ending and its content: a good table, most of the time harmed."""
    columns = ["width", draw(st.sampled_from(["root_h_alpha", "alpha"])), "seed", "kernel_change"]
    widths, amplitudes = (draw(st.lists(values, min_size=1, max_size=3, unique=True)) for values in (_WIDTHS, _SIZES))
    rows = [[str(h), repr(a), s, f"{0.1 + int(s) / 100}"] for h in widths for a in amplitudes for s in ("0", "1")]
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        match draw(st.sampled_from(["cell", "column", "name", "row", "drop"])):
            case "cell":
                row = draw(st.sampled_from(rows))
                row[draw(st.integers(0, len(row) - 1))] = draw(_CELLS)
            case "column":
                columns.append(draw(_COLUMNS))
                for row in rows:
                    row.append(draw(_CELLS))
            case "name":
                columns[draw(st.integers(0, len(columns) - 1))] = draw(_COLUMNS)
            case "row":
                rows.append(draw(st.lists(_CELLS, max_size=6)) or ["1"])
            case "drop":
                del columns[draw(st.integers(0, len(columns) - 1))]
    separator = draw(st.sampled_from([",", ",", ";", "\t", " "]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "latin-1"]))
    text = "\n".join(separator.join(line) for line in [columns, *rows]) + "\n"
    data = text.encode(encoding, errors="replace")
    if draw(st.integers(0, 9)) == 0:
        data = data[: draw(st.integers(0, len(data)))] + draw(st.binary(max_size=20))
    return draw(st.sampled_from([".csv", ".csv", ".CSV", ".tsv", ".txt", ".csv.gz"])), data


def _table_door(folder: Path) -> Enter:
    def enter(drawn: tuple[str, bytes]) -> None:
        _table_command(drawn, folder)
        _use(measurements(folder / f"t{drawn[0]}"))

    return enter


def _table_command(drawn: tuple[str, bytes], folder: Path) -> tuple[str, ...]:
    (folder / f"t{drawn[0]}").write_bytes(drawn[1])
    return "report", f"t{drawn[0]}", "--out", "out"


def _use(experiments: list[Any]) -> None:
    """What a report does first."""
    for one in experiments:
        assert one.converged.shape == one.status.shape
        assert one.depth is None or one.depth >= 1
        assert repr(one)
        for name in filter(one.is_one_number, one.data.data_vars):
            assert one.network(name).shape[:3] == one.status.shape


_ATTRIBUTES = ("experiment", "depth", "activation", "architecture", "normalise", "bias", "dataset", "x")


@st.composite
def _netcdfs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Attributes of a file, changes of its variables, and how much of it is left."""
    good = {"depth": st.integers(1, 5), "activation": st.sampled_from(["relu", "tanh"]), "normalise": st.booleans()}
    attributes = {name: draw(values) for name, values in good.items() if draw(st.booleans())}
    if draw(st.booleans()):
        attributes |= draw(st.dictionaries(st.sampled_from([*_ATTRIBUTES]), JSON, max_size=3))
    change = draw(
        st.sampled_from(["", "", "", "drop seed", "rename width", "text", "one dimension", "twice", "negative"])
    )
    return attributes, {"change": change}, draw(st.sampled_from([-1] * 9 + [0, 100, 400]))


def _netcdf_door(folder: Path) -> Enter:
    def enter(drawn: tuple[dict[str, Any], dict[str, Any], int]) -> None:
        _netcdf_command(drawn, folder)
        if (folder / "d.nc").exists():
            _use(measurements(folder / "d.nc"))

    return enter


def _netcdf_command(drawn: tuple[dict[str, Any], dict[str, Any], int], folder: Path) -> tuple[str, ...]:
    attributes, changes, left = drawn
    axes = {"width": [8, 16], "root_h_alpha": [0.1, 1.0], "seed": [0, 1]}
    numbers = np.arange(8.0).reshape(2, 2, 2)
    data = xr.Dataset({"kernel_change": (tuple(axes), numbers), "status": (tuple(axes), numbers)}, axes)
    match changes["change"]:
        case "drop seed":
            data = data.isel(seed=0, drop=True)
        case "rename width":
            data = data.rename(width="h")
        case "text":
            data["kernel_change"] = data["kernel_change"].astype(str)
        case "one dimension":
            data = data.stack(row=[*axes]).reset_index("row")
        case "twice":
            data = data.assign_coords(width=[8, 8])
        case "negative":
            data = data.assign_coords(width=[-8, 0])
    for name, value in attributes.items():
        try:
            data.attrs[name] = json.dumps(value) if isinstance(value, dict | list | bool | None) else value
            data.to_netcdf(engine="scipy")
        except (TypeError, ValueError, OverflowError, UnicodeError, AttributeError, KeyError):
            del data.attrs[name]  # what netCDF can't hold comes in by another door
    (folder / "d.nc").unlink(missing_ok=True)
    with suppress(TypeError, ValueError, KeyError, UnicodeError, AttributeError):
        content = bytes(data.to_netcdf(engine="scipy"))
        (folder / "d.nc").write_bytes(content if left < 0 else content[:left])
    return "report", "d.nc", "--out", "out"


_NPZ_ARRAYS = st.one_of(
    st.builds(
        lambda shape, dtype, low: (shape, dtype, low),
        st.lists(st.integers(0, 5), max_size=4).map(tuple),
        st.sampled_from(["float64", "float32", "int64", "uint8", "bool", "complex64", "U3", "float16"]),
        st.sampled_from([-1, 0, 1, 7]),
    )
)


@st.composite
def _npzs(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """Arrays by name (shape, type, smallest value), and how many bytes of the file are left."""
    points, dimension = draw(st.integers(4, 20)), draw(st.integers(1, 6))
    labels, numbers = (draw(st.sampled_from(kinds)) for kinds in (["int64", "bool", "float64"], ["float32", "uint8"]))
    arrays = {
        "x_train": ((points, dimension), numbers, draw(st.integers(0, 9))),
        "y_train": ((points,), labels, draw(st.integers(0, 4))),
        "x_test": ((8, dimension), "float64", 0), "y_test": ((8,), labels, draw(st.integers(0, 4))),
    }  # fmt: skip
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        name = draw(st.sampled_from([*arrays, "other"]))
        if draw(st.booleans()):
            arrays[name] = draw(_NPZ_ARRAYS)
        elif name in arrays and len(arrays) > 1:
            del arrays[name]
    return arrays, draw(st.sampled_from([-1] * 9 + [0, 50, 500]))


def _npz_door(folder: Path) -> Enter:
    def enter(drawn: tuple[dict[str, Any], int]) -> None:
        _npz_command(drawn, folder)
        load_data(Experiment.model_validate({**_NPZ_EXPERIMENT, "dataset": str(folder / "d.npz")}))

    return enter


_NPZ_EXPERIMENT = {
    "name": "e", "n_train": 2, "n_test": 2, "depth": 1, "activation": "relu", "widths": [3], "root_h_alpha": [1.0],
    "seeds": 1, "max_steps": 20,
}  # fmt: skip


def _npz_command(drawn: tuple[dict[str, Any], int], folder: Path) -> tuple[str, ...]:
    arrays, left = drawn
    generator = np.random.default_rng(0)
    made = {name: generator.integers(low, low + 3, shape).astype(dtype) for name, (shape, dtype, low) in arrays.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **made)
    content = buffer.getvalue()
    (folder / "d.npz").write_bytes(content if left < 0 else content[:left])
    experiment = {**_NPZ_EXPERIMENT, "dataset": str(folder / "d.npz")}
    (folder / "npz.toml").write_text(f'name = "n"\nexperiment = {nonsense.toml([experiment])}\n', encoding="utf-8")
    return "simulate", "npz.toml", "--out", "new.zarr"


DOORS = {
    "tables": Door(_tables(), _table_door, _table_command, 4),
    "netCDF": Door(_netcdfs(), _netcdf_door, _netcdf_command, 2),
    "npz": Door(_npzs(), _npz_door, _npz_command, 3),
}
