"""What theory expects of each module of a measured model, and the exponents a, b, c that it follows from.

A module's output moves by its own step (`theory.coordinate_check.own_step_power`), which its rate, its input and the
gradient at its output give, or by what it passes on of its input's change, whichever is larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from fit.audit.power_of_size import plain_power
from theory.coordinate_check import own_step_power


@dataclass(frozen=True)
class ExpectedScaling:
    """Powers of the size, and exponents; None where a module has no weights or theory no expectation."""

    own_step: float | None = None  #: of the change that the module's own step makes
    total: float | None = None  #: of the change of its output
    a: float | None = None  #: its output is size^-a times its weights on its input
    b: float | None = None  #: the spread of its initial weights goes as size^-b
    c: float | None = None  #: its learning rate goes as size^-c


def expected_scaling(data: xr.Dataset, module: str, step: int) -> ExpectedScaling:
    """Return what theory expects of a module after ``step`` steps.

    Parameters
    ----------
    data : xarray.Dataset
        See `simulate.audit.coordinates.coordinates`.
    """
    optimizer = data.attrs["optimizer"]
    measured = data.sel(module=module, step=step)

    def power(quantity: str) -> float | None:
        return plain_power(measured[quantity])

    input_change, rate, spread = power("input_change"), power("rate"), power("spread")
    if rate is None:  # no parameters of its own: it passes on what it gets
        return ExpectedScaling(total=input_change)
    is_matrix = bool((measured["fan_in"] > 1).all())
    wide_inputs = (power("fan_in") or 0.0) > 0.5
    multiplier = 0.0
    if spread is not None and is_matrix and bool(measured["multiplier"].isnull().any()):
        # the output at the start is the multiplier times W x, a sum with random signs unless W is tied to others
        random_sum = measured["spread"] * measured["input"].fillna(1.0) * np.sqrt(measured["fan_in"])
        multiplier = -(plain_power(measured["initial"] / random_sum) or 0.0)
    own_step, backward = None, power("backward")
    if optimizer == "adam" or (optimizer == "sgd" and backward is not None):
        own_step = own_step_power(
            optimizer,
            rate=-rate,
            multiplier=multiplier,
            backward=backward or 0.0,
            inputs=power("input") or 0.0,
            wide_inputs=wide_inputs,
        )
    passed_on = input_change
    if input_change is not None and spread is not None and is_matrix:
        # the change of a readout's input follows the readout's weights: its terms add coherently
        is_readout = (power("fan_out") or 0.0) < 0.5
        terms = (1.0 if is_readout else 0.5) if wide_inputs else 0.0
        passed_on = input_change + terms + spread - multiplier
    total = own_step if own_step is None or passed_on is None else max(own_step, passed_on)
    return ExpectedScaling(
        own_step=own_step,
        total=total,
        a=multiplier if is_matrix else None,
        b=None if spread is None else -spread,
        c=-rate,
    )
