"""Compile an activation's expression to torch: the same tree as in theory, with torch's operations."""

from __future__ import annotations

import sympy
import torch
from torch import Tensor

from theory import functions
from theory.activation import Activation
from theory.evaluation import Table, compiled


def _power(base: Tensor, exponent: sympy.Expr) -> Tensor:
    if exponent == 2:
        return base * base
    if exponent == sympy.Rational(1, 2):
        return base.sqrt()
    return base.pow(int(exponent) if exponent.is_Integer else float(exponent))


def _sign(x: Tensor) -> Tensor:
    return torch.where(x > 0, 1.0, -1.0).to(x.dtype)


def _select(c: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    # two Python numbers alone would give a tensor of torch's default dtype
    return torch.where(c > 0, torch.as_tensor(a, dtype=c.dtype, device=c.device), b)


#: numbers stay Python floats, so they take the dtype and the device of what they meet
TORCH: Table = {
    float: float,
    sympy.Pow: _power,
    sympy.exp: torch.exp,
    sympy.log: torch.log,
    sympy.sin: torch.sin,
    sympy.cos: torch.cos,
    sympy.tanh: torch.tanh,
    sympy.atan: torch.atan,
    sympy.asinh: torch.asinh,
    sympy.sinh: torch.sinh,
    sympy.cosh: torch.cosh,
    sympy.erf: torch.special.erf,
    sympy.erfc: torch.special.erfc,
    functions.step: lambda x: (x > 0).to(x.dtype),
    functions.signum: _sign,
    functions.absolute: torch.abs,
    functions.relu: lambda x: x.clamp_min(0.0),
    functions.select: _select,
    functions.logistic: torch.sigmoid,
    functions.softplus: lambda x: torch.nn.functional.softplus(x, threshold=40.0),  # exp(-40) is below rounding
}


class TorchActivation:
    """scale·sigma and scale·sigma' of an `Activation`, elementwise on tensors of any shape, floating dtype and device.

    Layers that need sigma(z)/sqrt(h) have the factor inside, which is one pass over the tensor less.
    """

    def __init__(self, activation: Activation, scale: float = 1.0) -> None:
        self.activation = activation
        factor = scale * activation.normalisation
        c = sympy.Float(factor, 17) if factor != 1.0 else sympy.S.One
        sigma, slope = c * activation.expression, c * activation.derivative  # numbers merge into one factor
        self._value = compiled((sigma,), TORCH)
        self._slope = compiled((slope,), TORCH)
        self._both = compiled((sigma, slope), TORCH)

    def value(self, z: Tensor) -> Tensor:
        """Return scale·sigma(z)."""
        return _filled(self._value(z)[0], z)

    def slope(self, z: Tensor) -> Tensor:
        """Return scale·sigma'(z); at a kink one of the two one-sided slopes."""
        return _filled(self._slope(z)[0], z)

    def value_and_slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return both in new tensors (that the caller may overwrite); what they share is computed once."""
        value, slope = self._both(z)
        return _filled(value, z), _filled(slope, z)


def _filled(result: Tensor | float, z: Tensor) -> Tensor:
    """A new tensor in any case: constants are spread, and ``z`` itself is not handed out."""
    if not isinstance(result, Tensor):
        return torch.full_like(z, result)
    return z.clone() if result is z else result


def compile_activation(activation: Activation, scale: float = 1.0) -> TorchActivation:
    """Return ``activation`` as functions of tensors, including its normalisation, times ``scale``."""
    return TorchActivation(activation, scale)
