"""Variables are counted from a file's header, whatever its format."""

import gzip

import h5py
import numpy as np
import pytest
import xarray as xr

from fit.measurements.netcdf_header import count_variables, is_hdf5

FORMATS = {
    "netCDF-4": ("h5netcdf", "NETCDF4"),
    "classic": ("scipy", "NETCDF3_CLASSIC"),
    "64": ("scipy", "NETCDF3_64BIT"),
}


@pytest.mark.parametrize(("engine", "format"), FORMATS.values(), ids=FORMATS)
def test_variables_are_counted_beside_dimensions_and_attributes(tmp_path, engine, format):
    path = tmp_path / "a.nc"
    attributes = {"name": "three", "numbers": np.array([1.0, 2.0, 3.0]), "number": np.int16(7)}
    data = xr.Dataset({f"v{number}": (("row", "column"), np.zeros((2, 3))) for number in range(5)}, attrs=attributes)
    data.to_netcdf(path, engine=engine, format=format)
    assert is_hdf5(path) == (engine == "h5netcdf")
    # HDF5 holds dimensions without values as variables too
    assert count_variables(path, 100) == 5 + 2 * is_hdf5(path)
    assert count_variables(path, 3) == 4
    if not is_hdf5(path):
        packed = tmp_path / "a.nc.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        assert count_variables(packed, 100) == 5


def test_groups_count_and_what_is_cut_or_of_another_format_has_none(tmp_path):
    with h5py.File(tmp_path / "groups.nc", "w") as file:
        for number in range(10):
            file.create_group(f"g{number}").create_dataset("v", data=0.0)
    assert count_variables(tmp_path / "groups.nc", 100) == 20
    assert count_variables(tmp_path / "groups.nc", 8) == 9
    for name, content in (
        ("cut.nc", b"CDF\x01\0\0"),
        ("text.nc", b"width,seed"),
        ("lies.nc", b"CDF\x01" + b"\xff" * 16),
    ):
        (tmp_path / name).write_bytes(content)
        assert count_variables(tmp_path / name, 100) == 0
