"""One experiment's measurements as labelled arrays, whatever source they were read from.

An experiment's networks are indexed by (width, amplitude, seed), and ``root_h_alpha`` is known for every (width,
amplitude), whether the campaign was laid out in A = sqrt(h)·alpha or in alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.measurements.description import checked_description, checked_name
from lazyrich import html
from lazyrich.errors import InputError
from simulate.training.status import Status

NETWORK = ("width", "amplitude", "seed")
#: what a campaign's amplitudes are given in
AXES = ("root_h_alpha", "alpha")
#: Amplitudes are the same if their logarithms are as close as this: tables round alpha to a few digits.
SAME_AMPLITUDE = 1e-3
#: of one experiment: a number of each has to fit into memory
MOST_NETWORKS = 10**8


@dataclass(frozen=True, eq=False)
class Measurements:
    """One experiment's measurements, read lazily.

    Parameters
    ----------
    data : xarray.Dataset
        Dimensions width, root_h_alpha or alpha, seed, and what `simulate.measure.schema.VARIABLES` adds. Dimensionless,
        times in the article convention.
    name : str
    store : str, optional
        Where it came from.

    Raises
    ------
    InputError
        If a dimension is missing or unlabelled, the name is no line of text, or a field of the description has a
        wrong type.
    """

    data: xr.Dataset
    name: str
    store: str | None = None
    description: dict[str, Any] = field(default_factory=dict)
    guesses: tuple[str, ...] = ()  #: what was guessed of the source's format: clauses

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checked_name(self.name, self.store or "experiment"))
        object.__setattr__(self, "description", checked_description(self.description, self.name))
        for axis in ("width", "seed"):
            if axis not in self.data.dims:
                raise InputError(
                    "store", self.store or self.name, f"experiment {self.name!r} has no dimension {axis!r}",
                    "Give a store written by simulate, or a table with the columns width, root_h_alpha and seed",
                )  # fmt: skip
        if not any(axis in self.data.dims for axis in AXES):
            raise InputError(
                "store", self.store or self.name, f"experiment {self.name!r} has neither root_h_alpha nor alpha",
                "Give a store written by simulate, or a table with the columns width, root_h_alpha and seed",
            )  # fmt: skip
        if self.size > MOST_NETWORKS:
            problem = f"experiment {self.name!r} has a grid of {self.size:,} networks"
            raise InputError("store", self.store or self.name, problem, f"Give {MOST_NETWORKS:,} or fewer")
        for axis in ("width", self._axis):
            labels = self.data[axis].values
            if axis not in self.data.coords or not np.all(np.isfinite(labels) & (labels > 0)):
                raise InputError(axis, self.name, "its values are not all positive numbers", f"Label every {axis}")

    def __repr__(self) -> str:
        grid = "; ".join(f"{name} {values}" for name, values in self._description()[:-1])
        return f"<Measurements {self.name}: {grid}>"

    def _repr_html_(self) -> str:
        return html.table(self._description(), caption=f"Measurements {self.name}")

    def _description(self) -> list[tuple[str, str]]:
        """Return what the grid is, and what was measured, without reading the latter."""
        rows = [("activation", self.activation or "unknown"), ("depth", str(self.depth or "unknown"))]
        for axis in ("width", self._axis):
            labels = self.data[axis].values.astype(float)
            rows.append((axis, f"{len(labels)} from {labels.min():g} to {labels.max():g}"))
        rows += [("seeds", str(self.n_seeds)), ("source", self.store or "in memory")]
        return [*rows, ("variables", ", ".join(sorted(map(str, self.data.data_vars))))]

    @property
    def _axis(self) -> str:
        return next(axis for axis in AXES if axis in self.data.dims)

    @property
    def on_common_amplitudes(self) -> bool:
        """Whether all widths were measured at the same values of A."""
        return self._axis == "root_h_alpha"

    @property
    def activation(self) -> str | None:
        """The activation's name or expression."""
        return self.description.get("activation")

    @property
    def depth(self) -> int | None:
        """The number of hidden layers."""
        return self.description.get("depth")

    @property
    def widths(self) -> NDArray:
        """Widths in ascending order, shape (width,)."""
        return self._sorted["width"].values.astype(float)

    @property
    def n_seeds(self) -> int:
        """How many seeds there are at each width and amplitude."""
        return self.data.sizes["seed"]

    @property
    def size(self) -> int:
        """How many networks the grid has."""
        return math.prod(self.data.sizes[axis] for axis in ("width", self._axis, "seed"))

    @cached_property
    def _read(self) -> dict[tuple[str, str], xr.DataArray]:
        """What `network` has read: a store of 100,000 networks is read once."""
        return {}

    @cached_property
    def _sorted(self) -> xr.Dataset:
        axes = ["width", self._axis]
        # a store's order is ascending: chunks are then read whole, not point by point
        ascending = all(self.data.indexes[axis].is_monotonic_increasing for axis in axes)
        return (self.data if ascending else self.data.sortby(axes)).rename({self._axis: "amplitude"})

    @cached_property
    def root_h_alpha(self) -> xr.DataArray:
        """A of every cell, (width, amplitude), increasing along the amplitudes."""
        amplitude = self._sorted["amplitude"].values.astype(float)
        scale = np.ones(len(self.widths)) if self.on_common_amplitudes else np.sqrt(self.widths)
        return xr.DataArray(scale[:, None] * amplitude, {"width": self.widths}, NETWORK[:2], "root_h_alpha")

    @property
    def alpha(self) -> xr.DataArray:
        """The output scale alpha = A/sqrt(h) of every cell, (width, amplitude)."""
        return self.root_h_alpha / np.sqrt(self.root_h_alpha["width"])

    @cached_property
    def status(self) -> xr.DataArray:
        """`simulate.Status` of every network, (width, amplitude, seed); all converged if not recorded."""
        if "status" not in self.data:
            shape = [self._sorted.sizes[axis] for axis in NETWORK]
            return self._labelled(np.full(shape, Status.CONVERGED, dtype=np.int8))
        values = self._sorted["status"].transpose(*NETWORK).values
        return self._labelled(np.where(np.isfinite(values), values, Status.PENDING).astype(np.int8))

    @cached_property
    def converged(self) -> xr.DataArray:
        """Which networks were trained to the end, (width, amplitude, seed)."""
        return self.status == Status.CONVERGED

    def _labelled(self, values: NDArray, *further: str) -> xr.DataArray:
        """Label one number for each network, (width, amplitude, seed, further dimensions)."""
        coordinates = {"width": self.widths, "seed": self._sorted["seed"].values}
        return xr.DataArray(values, coordinates, (*NETWORK, *further))

    def __contains__(self, variable: str) -> bool:
        return variable in self.data.variables and variable not in self.data.dims

    def within(self, low: float, high: float) -> Measurements:
        """Return the same measurements at the widths from ``low`` to ``high`` only."""
        labels = self.data["width"].values
        keep = (labels >= low) & (labels <= high)
        return self if keep.all() else replace(self, data=self.data.isel(width=keep))

    def is_one_number(self, variable: str) -> bool:
        """Whether a variable of the source (or a derived quantity) is a number per network, or per layer of one."""
        if variable not in self.data:
            return True
        values = self.data[variable]
        return values.dtype.kind in "iufb" and set(values.dims) <= {"width", self._axis, "seed", "layer"}

    @property
    def arms(self) -> tuple[str, ...]:
        """What was trained: the network, and frozen kernels beside it."""
        return tuple(map(str, self.data["arm"].values)) if "arm" in self.data.coords else ("network",)

    def common(self, variable: str) -> xr.DataArray:
        """Return a variable that is the same for all networks, such as the labels of the test points."""
        return self.data[variable].astype(float)

    def outputs(self, width: int) -> xr.DataArray:
        """Return the predictors F of the ``width``-th width, (amplitude, seed, test_point), NaN if not converged.

        One width at a time: the predictors of 100,000 networks need not fit into memory.
        """
        # a slice is read by the decoder in Rust; a single index is not, and takes six times as long
        of_width = self._sorted["test_output"].isel(width=slice(width, width + 1))
        values: NDArray = of_width.transpose("width", "amplitude", "seed", "test_point").values[0]
        converged = self.converged.values[width]
        if not converged.all():
            values = np.where(converged[..., None], values, np.float32(np.nan))
        return xr.DataArray(values, {"seed": self._sorted["seed"].values}, (*NETWORK[1:], "test_point"))

    def network(self, variable: str, arm: str = "network") -> xr.DataArray:
        """Return one number per network, (width, amplitude, seed), NaN where training did not converge.

        A variable with a dimension ``layer`` is summed over it in quadrature: ||W - W(0)|| of all matrices together.
        """
        if (variable, arm) in self._read:
            return self._read[variable, arm]
        values: xr.DataArray = self._sorted[variable]
        if "arm" in values.dims:
            values = values.sel(arm=arm, drop=True) if "arm" in values.coords else values.isel(arm=0)
        absent = [axis for axis in NETWORK if axis not in values.dims]
        if absent:  # the same for all networks along an axis
            values = values.expand_dims({axis: self._sorted.sizes[axis] for axis in absent})
        layers = ["layer"] if "layer" in values.dims else []
        numbers = values.transpose(*NETWORK, *layers).values.astype(float)
        if layers:
            numbers = np.sqrt((numbers**2).sum(axis=-1))
        numbers = np.where(self.converged.values, numbers, np.nan)
        numbers.flags.writeable = False  # it is handed out again
        result = self._labelled(numbers)
        self._read[variable, arm] = result
        return result

    def before_training(self, variable: str) -> xr.DataArray:
        """Return one number per network, (width, amplitude, seed), however its training ended."""
        return self._labelled(self._sorted[variable].transpose(*NETWORK).values.astype(float))

    @cached_property
    def initial_velocities(self) -> xr.DataArray:
        """rms dz/dt of the hidden layers at the first checkpoint, (width, amplitude, seed, layer)."""
        values = self._sorted["preactivation_velocity"].astype(float)
        values = values.isel(checkpoint=0, layer=slice(None, -1)).transpose(*NETWORK, "layer")
        return self._labelled(np.where(self.converged.values[..., None], values.values, np.nan), "layer")

    @cached_property
    def deviations(self) -> xr.DataArray:
        """Mean over test points of (F - mean over seeds of F)², (width, amplitude, seed); NaN if not converged."""
        return self._squares_of_outputs[0]

    @property
    def output_rms(self) -> xr.DataArray:
        """Root of the mean over test points of F² at the stop, (width, amplitude, seed); NaN if not converged."""
        return self._squares_of_outputs[1] ** 0.5

    @cached_property
    def _squares_of_outputs(self) -> tuple[xr.DataArray, xr.DataArray]:
        """Means over test points of (F - mean over seeds of F)² and of F², in one reading of the outputs."""
        converged = self.converged.values
        deviations, squares = (np.full(converged.shape, np.nan) for _ in range(2))
        for i in range(len(self.widths)):
            output = self.outputs(i).values
            for j, seeds in enumerate(converged[i]):
                if seeds.any():
                    predictor = output[j, seeds].astype(float)
                    squares[i, j, seeds] = np.einsum("st,st->s", predictor, predictor) / predictor.shape[1]
                    if len(predictor) > 1:
                        predictor -= predictor.mean(axis=0)
                        deviations[i, j, seeds] = np.einsum("st,st->s", predictor, predictor) / predictor.shape[1]
        return self._labelled(deviations), self._labelled(squares)

    def left_out(self, cells: xr.DataArray, quantity: str | None = None) -> dict[str, int]:
        """Count the networks in ``cells``, (width, amplitude), that can't be used, by reason.

        They did not converge or, with a ``quantity`` whose logarithm is taken, have no positive value of it.
        """
        endings = self.status.values[cells.values]
        counts = {status.sentence: int((endings == status).sum()) for status in Status if status != Status.CONVERGED}
        if quantity is not None and quantity in self and self.is_one_number(quantity):
            values = self.network(quantity).values[cells.values][endings == Status.CONVERGED]
            counts |= {
                f"it has no value of {quantity}": int(np.isnan(values).sum()),
                f"its {quantity} is 0": int((values == 0).sum()),
                f"its {quantity} is negative": int((values < 0).sum()),
                f"its {quantity} is infinite": int((values == np.inf).sum()),
            }
        return {reason: count for reason, count in counts.items() if count}
