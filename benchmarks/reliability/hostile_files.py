"""Files that no reader expects, each with the commands that meet it: pipes, devices, zip bombs, tables without measure.

A reader that knows its bounds refuses each before it has read, waited or allocated much.
"""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5netcdf
import h5py
import numpy as np

_CAMPAIGN = """name = "n"
[[experiment]]
name = "e"
dataset = "{}"
n_train = 4
n_test = 6
depth = 1
activation = "relu"
widths = [3]
root_h_alpha = [0.1]
seeds = 1
"""
_AUDIT = "-m fit.audit {} --before {} --after after.pt --data {} --out {}"
_GOOD_AUDIT = {"model": "model.py:make", "before": "before.pt", "data": "probe.npz", "out": "audit"}


def _audit(**changed: str) -> str:
    files = _GOOD_AUDIT | changed
    return _AUDIT.format(files["model"], files["before"], files["data"], files["out"])


def _endless_devices(place: Path) -> None:
    for kind in _KINDS:
        os.symlink("/dev/zero", place / f"zero.{kind}")


def _pipe(name: str) -> Callable[[Path], None]:
    return lambda place: os.mkfifo(place / name)


def _campaign_of(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    def both(place: Path) -> None:
        make(place)
        (place / "of.toml").write_text(_CAMPAIGN.format(name), encoding="utf-8")

    return both


def _npy_header(shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return header.getvalue()


def _npz_bomb(names: tuple[str, ...], file: str = "bomb.npz") -> Callable[[Path], None]:
    """An npz of some megabytes whose arrays are 4 GB of zeros each."""

    def make(place: Path) -> None:
        rows = 500_000
        with zipfile.ZipFile(place / file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in names:
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    member.write(_npy_header((rows, 1000)))
                    zeros = bytes(8000 * 5000)
                    for _ in range(rows // 5000):
                        member.write(zeros)

    return make


def _npz_that_lies(place: Path) -> None:
    """An npz whose header promises an array of 8 exabytes."""
    with zipfile.ZipFile(place / "lies.npz", "w") as archive:
        for name in ("x_train", "y_train", "x_test", "y_test", "inputs"):
            archive.writestr(f"{name}.npy", _npy_header((10**15, 1000)))


def _many_columns(place: Path) -> None:
    names = ["width", "root_h_alpha", "seed", "kernel_change", "activation", "depth", *(f"c{i}" for i in range(10_000))]
    rows = [",".join(["64", f"{10.0**-i}", "0", "1", "relu", "1", *["0"] * 10_000]) for i in range(4)]
    (place / "columns.csv").write_text("\n".join([",".join(names), *rows]), encoding="utf-8")


def _large_tables(place: Path) -> None:
    """Tables of 60 MB: one line (packed or not), row, column, value or name, or a quotation that is left open."""
    head = "width,root_h_alpha,seed,kernel_change\n"
    contents = {
        "line.csv": "width," * 10_000_000, "row.csv": head + "64," * 20_000_000,
        "column.csv": "width\n" + "64\n" * 20_000_000, "value.csv": head + "64,0.1,0," + "1" * 60_000_000,
        "name.csv": "x" * 60_000_000 + "\n1\n",
        "quotation.csv": head + '64,0.1,0,"' + "64,0.1,0,1\n" * 5_000_000,
    }  # fmt: skip
    for name, content in contents.items():
        (place / name).write_text(content, encoding="utf-8")
    (place / "line.csv.gz").write_bytes(gzip.compress(contents["line.csv"].encode()))


def _gzip_bomb(name: str, gigabytes: int) -> Callable[[Path], None]:
    def make(place: Path) -> None:
        with gzip.open(place / name, "wb", compresslevel=1) as file:
            file.write(b"width,root_h_alpha,seed,kernel_change\n")
            for _ in range(gigabytes * 50):
                file.write(b"64,0.1,0,1\n" * 2_000_000)

    return make


def _netcdf_that_lies(place: Path) -> None:
    """A netCDF-4 file of some kilobytes with a variable of 8 terabytes, none of which was written."""
    with h5netcdf.File(place / "lies.nc", "w") as file:
        file.dimensions = {"width": 10_000, "root_h_alpha": 10_000, "seed": 10_000}
        file.create_variable("kernel_change", tuple(file.dimensions), "f8", chunks=(1, 100, 10_000))


def _many_variables(place: Path) -> None:
    with h5netcdf.File(place / "variables.nc", "w") as file:
        file.dimensions = {"width": 2}
        for number in range(10_000):
            file.create_variable(f"v{number}", ("width",), "f8")


def _most_variables(place: Path) -> None:
    with h5py.File(place / "most.nc", "w", libver="latest") as file:
        for number in range(100_000):
            file.create_dataset(f"v{number}", data=0.0)


def _weights_bomb(place: Path) -> None:
    """Weights of the model, packed, of which one holds 5 GB beside its numbers."""
    with (
        zipfile.ZipFile(place / "before.pt") as good,
        zipfile.ZipFile(place / "bomb.pt", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name in good.namelist():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(good.read(name))
                if name.endswith("data/0"):
                    for _ in range(100):
                        member.write(bytes(50_000_000))


_LARGE_TABLES = ("line.csv", "line.csv.gz", "row.csv", "column.csv", "value.csv", "name.csv", "quotation.csv")
_KINDS = ("npz", "toml", "csv", "nc", "txt", "zarr", "pt", "py")
_NAMES = ("x_train", "y_train", "x_test", "y_test")
_OF = "-m simulate of.toml --out new.zarr --workers 1"
_DRY = "-m simulate of.toml --out new.zarr --dry-run"

#: what makes the files in a folder, and the command lines that meet them
FILES: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "a pipe for an npz": (_campaign_of("pipe.npz", _pipe("pipe.npz")), [_OF, _DRY, _audit(data="pipe.npz")]),
    "a pipe for a campaign": (_pipe("pipe.toml"), ["-m simulate pipe.toml --out new.zarr"]),
    "a pipe for a table": (_pipe("pipe.csv"), ["-m fit.report pipe.csv --out out"]),
    "a pipe for a netCDF file": (_pipe("pipe.nc"), ["-m fit.report pipe.nc --out out"]),
    "a pipe for predictions": (_pipe("pipe.toml"), ["-m fit.report store.zarr --predictions pipe.toml --out out"]),
    "a pipe for a store": (
        _pipe("pipe.zarr"),
        [
            "-m simulate status pipe.zarr", "-m simulate verify pipe.zarr", "-m simulate repair pipe.zarr",
            "-m simulate export pipe.zarr new.csv", "-m fit.report pipe.zarr --out out",
            "-m simulate good.toml --out pipe.zarr", "-m simulate unlock pipe.zarr",
            "-m simulate reproduce pipe.zarr --network experiment=e,width=3,root_h_alpha=0.1,seed=0",
        ],
    ),
    "a pipe for what is written": (
        _pipe("pipe"),
        ["-m fit.report store.zarr --out pipe", "-m simulate export store.zarr pipe", _audit(out="pipe")],
    ),
    "a pipe for weights": (_pipe("pipe.pt"), [_audit(before="pipe.pt")]),
    "a pipe for a model": (_pipe("pipe.py"), [_audit(model="pipe.py:make")]),
    "a device without an end": (
        _campaign_of("zero.npz", _endless_devices),
        [
            _OF, "-m simulate zero.toml", "-m fit.report zero.csv --out out", "-m fit.report zero.nc --out out",
            "-m fit.report zero.txt --out out", "-m fit.report store.zarr --predictions zero.toml --out out",
            "-m simulate status zero.zarr", _audit(before="zero.pt"), _audit(data="zero.npz"),
            _audit(model="zero.py:make"),
        ],
    ),
    "an npz that unpacks to 16 GB": (_campaign_of("bomb.npz", _npz_bomb(_NAMES)), [_OF]),
    "points that unpack to 4 GB": (_npz_bomb(("inputs",)), [_audit(data="bomb.npz")]),
    "an npz that promises 8 exabytes": (_campaign_of("lies.npz", _npz_that_lies), [_OF, _audit(data="lies.npz")]),
    "a table that unpacks to 3 GB": (_gzip_bomb("bomb.csv.gz", 3), ["-m fit.report bomb.csv.gz --out out"]),
    "a netCDF file that promises 8 TB": (_netcdf_that_lies, ["-m fit.report lies.nc --out out"]),
    "weights that unpack to 5 GB": (_weights_bomb, [_audit(before="bomb.pt")]),
    "a table of ten thousand columns": (_many_columns, ["-m fit.report columns.csv --out out"]),
    "a netCDF file of ten thousand variables": (_many_variables, ["-m fit.report variables.nc --out out"]),
    "a netCDF file of a hundred thousand variables": (_most_variables, ["-m fit.report most.nc --out out"]),
    "tables of 60 MB": (_large_tables, [f"-m fit.report {name} --out out" for name in _LARGE_TABLES]),
}  # fmt: skip
