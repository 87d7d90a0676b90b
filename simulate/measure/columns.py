"""The columns that observers fill: one array a variable, the batch's members first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simulate.measure.variable import Variable


class Columns:
    """Columns of a batch of networks on its device, in the types in which they are stored.

    One is made when it is first asked for, of NaN, or of zeros if it is of integers. ``sizes`` are those of the
    dimensions beyond members.
    """

    def __init__(self, variables: Mapping[str, Variable], members: int, sizes: Mapping[str, int], device: str) -> None:
        self._variables = variables
        self._members = members
        self._sizes = sizes
        self._device = device
        self._columns: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        """Return a column, shape (members, ...)."""
        if name not in self._columns:
            empty = unmeasured_column(self._variables[name], self._members, self._sizes)
            self._columns[name] = torch.as_tensor(empty, device=self._device)
        return self._columns[name]

    def put(self, name: str, index: Any, values: Tensor) -> None:
        """Write ``values`` into a column at an ``index``: members, or members and further positions."""
        column = self[name]
        column[index] = values.to(column.dtype)

    def numpy(self) -> dict[str, np.ndarray]:
        """Return the columns that were filled, in the memory of the host."""
        return {name: column.cpu().numpy() for name, column in self._columns.items()}


def unmeasured_column(variable: Variable, members: int, sizes: Mapping[str, int]) -> np.ndarray:
    """Return a column in which nothing is measured yet: NaN, or zeros if it is of integers."""
    fill = np.nan if variable.dtype.startswith("float") else 0
    return np.full((members, *(sizes[d] for d in variable.dims)), fill, dtype=variable.dtype)
