"""The points that a law is fitted to: columns of any table, those derived from them, and the rows that count."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fit.measurements.dialects import read_columns
from fit.models.formula import evaluate, parse_expression
from lazyrich.errors import InputError

_CONDITION = re.compile(r"\s*(?P<name>\w+)\s*(?P<sign><=|>=|<|>|==|!=)\s*(?P<value>\S.*?)\s*")
_COMPARE = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


@dataclass(frozen=True)
class Points:
    """The columns a law needs, of the rows that count."""

    columns: dict[str, NDArray]  #: name -> values, shape (n,); all finite
    response: NDArray  #: shape (n,)
    cluster: NDArray  #: shape (n,): number of the cluster of each point, from 0
    n_rows: int  #: of the table
    left_out: dict[str, int]  #: why -> how many rows

    def __len__(self) -> int:
        return len(self.response)

    @property
    def n_clusters(self) -> int:
        return int(self.cluster.max()) + 1 if len(self) else 0

    def take(self, rows: NDArray) -> Points:
        """Return the points of these rows (indices, possibly repeated, or a mask); clusters keep their numbers."""
        return Points(
            {name: values[rows] for name, values in self.columns.items()},
            self.response[rows], self.cluster[rows], self.n_rows, self.left_out,
        )  # fmt: skip


def read_any_table(path: Path) -> pd.DataFrame:
    """Read a table of text with whatever columns, under the names they have in the file.

    Raises
    ------
    InputError
        If there is no such file, or it is no table.
    """
    if not path.is_file():
        problem = "is a folder" if path.is_dir() else "there is no such file"
        raise InputError("table", str(path), problem, "Give a table of text (.csv, .tsv, .txt)")
    return read_columns(path)[0]


def with_derived(table: pd.DataFrame, derived: Mapping[str, str]) -> pd.DataFrame:
    """Return the table with columns computed from others, in the order given.

    Raises
    ------
    InputError
        If a formula can't be read, or a name is taken.
    """
    for name, formula in derived.items():
        if not name.isidentifier() or name in table:
            problem = "the table has a column of this name" if name in table else "it is no name"
            raise InputError(f"columns.{name}", formula, problem, "Give the new column another name")
        expression = parse_expression(f"columns.{name}", formula, [str(c) for c in table.columns])
        needed = {s.name: _numbers(table, s.name) for s in expression.free_symbols}
        table = table.assign(**{name: np.broadcast_to(evaluate(expression, needed), len(table))})
    return table


def select(
    table: pd.DataFrame,
    response: str,
    variables: Sequence[str],
    where: Sequence[str] = (),
    cluster: str | None = None,
    positive: bool = True,
) -> Points:
    """Return the points of a table: rows that meet every condition and whose values are numbers.

    Parameters
    ----------
    where : sequence of str
        Conditions such as ``loss < 3.4`` or ``run != bad``.
    cluster : str, optional
        A column whose equal values mark points that are not independent (one training run, say).
    positive : bool
        Whether the response must be positive: it is fitted in logarithms.

    Raises
    ------
    InputError
        If a column is missing or a condition can't be read.
    """
    values = {name: _numbers(table, name) for name in (response, *variables)}
    keep = np.ones(len(table), dtype=bool)
    left_out: dict[str, int] = {}

    def leave_out(reason: str, bad: NDArray) -> None:
        count = int(np.sum(keep & bad))
        if count:
            left_out[reason] = count
        keep[bad] = False

    for condition in where:
        leave_out(f"not {condition}", ~_holds(table, condition))
    for name, column in values.items():
        leave_out(f"{name} is no finite number", ~np.isfinite(column))
    if positive:
        leave_out(f"{response} is not positive", ~(values[response] > 0))
    if cluster is not None and cluster not in table:
        raise InputError("cluster", cluster, "there is no such column", f"Use one of {', '.join(map(str, table))}")
    labels = np.arange(len(table)) if cluster is None else pd.factorize(table[cluster].astype(str))[0]
    number = np.unique(labels[keep], return_inverse=True)[1]
    columns = {name: values[name][keep] for name in variables}
    return Points(columns, values[response][keep], number, len(table), left_out)


def _numbers(table: pd.DataFrame, name: str) -> NDArray:
    if name not in table:
        raise InputError("table", name, "there is no such column", f"Use one of {', '.join(map(str, table))}")
    column = pd.to_numeric(table[name], errors="coerce")
    if column.notna().sum() == 0:
        raise InputError("table", name, "there is no number in this column", "Name a column of numbers")
    return column.to_numpy(dtype=float)


def _holds(table: pd.DataFrame, condition: str) -> NDArray:
    read = _CONDITION.fullmatch(condition) if isinstance(condition, str) else None
    if read is None:
        raise InputError("where", condition, "it is no condition", "Write column < number, such as loss < 3.4")
    name, sign, text = read["name"], read["sign"], read["value"]
    if name not in table:
        raise InputError("where", condition, f"there is no column {name!r}", f"Use one of {', '.join(map(str, table))}")
    try:
        bound: float | str = float(text)
    except ValueError:
        bound = text.strip("'\"")
        if sign not in ("==", "!="):
            raise InputError("where", condition, f"{text!r} is no number", "Compare texts by == or !=") from None
    if isinstance(bound, str):
        return np.asarray(_COMPARE[sign](table[name].astype(str).to_numpy(dtype=object), bound), dtype=bool)
    return np.asarray(_COMPARE[sign](pd.to_numeric(table[name], errors="coerce").to_numpy(float), bound), dtype=bool)
