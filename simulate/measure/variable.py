"""What a variable of a store is: its dimensions, its type, its meaning. Everything is dimensionless."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """One variable of a store.

    Attributes
    ----------
    long_name : str
        What it is, in words.
    dims : tuple of str
        Dimensions beyond the grid's (width, root_h_alpha or alpha, seed): "layer", "test_point", "checkpoint", "arm".
    dtype : str
        As it is stored. Where nothing is known there is NaN, in integers zero.
    reproducible : bool
        Whether another run of the same campaign must give the same numbers.
    """

    long_name: str
    dims: tuple[str, ...] = ()
    dtype: str = "float64"
    reproducible: bool = True
