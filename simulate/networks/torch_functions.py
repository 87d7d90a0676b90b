"""Torch functions as activations: ``module:function``, imported by name wherever networks are trained.

What theory says of one is found numerically from its values and from autograd's derivative (`theory.black_box`).
Networks are trained with the function itself. A checksum of the module's file goes into the campaign, so that going on
with a store, or computing it on other machines, notices another function.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lazyrich.errors import InputError
from simulate.networks.torch_activation import TORCH
from theory import black_box
from theory.activation import Activation
from theory.activation_properties import clear_cached_properties

_REMEDY = "Write an elementwise function of a floating torch tensor, module:function, in a module that can be imported"


@dataclass(frozen=True)
class TorchFunction:
    """A function that has been loaded, with the SHA-256 of its module's file."""

    name: str
    sha256: str


_loaded: dict[str, TorchFunction] = {}


def register_activation(name: str) -> TorchFunction:
    """Import ``module:function`` and let it be used as an activation of this name.

    Parameters
    ----------
    name : str
        The module is looked for where Python looks, and in the working directory. The function takes and returns a
        floating tensor of any shape, elementwise; autograd differentiates it.

    Returns
    -------
    TorchFunction

    Raises
    ------
    InputError
        If it can't be imported, is not elementwise, changes shape or dtype, has no derivative by autograd or a wrong
        one; or if theory can't say anything about it (see `theory.Activation`).

    Examples
    --------
    >>> register_activation("torch.nn.functional:hardswish").name
    'torch.nn.functional:hardswish'
    >>> Activation("torch.nn.functional:hardswish").kinks
    (-3.0, 3.0)
    """
    name = name.strip()
    if not black_box.is_function_name(name):
        raise _refusal(name, "is not of the form module:function")
    if name in _loaded:  # an imported module stays what it is, whatever becomes of its file
        return _loaded[name]
    function, sha256 = _imported(name)
    slope = _slope_of(function)
    _check(name, function, slope)
    entry = black_box.register(name, _on_arrays(function), _on_arrays(slope))
    TORCH[entry.expression.func], TORCH[entry.derivative.func] = function, slope  # type: ignore[index]
    clear_cached_properties()
    Activation(name)
    _loaded[name] = TorchFunction(name, sha256)
    return _loaded[name]


def loaded(name: str) -> TorchFunction | None:
    """Return what has been registered under a name."""
    return _loaded.get(name)


def require(name: str, sha256: str | None) -> None:
    """Load an experiment's activation where it is one of these, and see that it is the one that was meant.

    Raises
    ------
    InputError
        If its module is another than the campaign's.
    """
    if not black_box.is_function_name(name):
        return
    function = register_activation(name)
    if function.sha256 != sha256:
        problem = f"its module has changed: SHA-256 {function.sha256[:12]}…, not {str(sha256)[:12]}…"
        raise InputError("activation", name, problem, "Restore the module, or give another path with --out")


def require_loaded(name: str, sha256: str | None) -> None:
    """Like `require`, for a store that was opened: what it names is not imported before the user has said so.

    Raises
    ------
    InputError
        If the function has not been registered, or its module is another than the store's.
    """
    Activation(name)
    require(name, sha256)


def _imported(name: str) -> tuple[Callable[[Tensor], Tensor], str]:
    module_name, _, attribute = name.partition(":")
    directory = os.getcwd()
    if directory not in sys.path and "" not in sys.path:  # the console script does not look there
        sys.path.append(directory)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise _refusal(name, f"there is no module {module_name} here or where Python looks") from None
        raise _refusal(name, f"importing {module_name} failed ({error})") from error
    except Exception as error:  # whatever the user's module does when it is imported
        raise _refusal(name, f"importing {module_name} failed ({type(error).__name__}: {error})") from error
    function = module
    for part in attribute.split("."):
        function = getattr(function, part, None)  # type: ignore[assignment]
    if not callable(function):
        raise _refusal(name, f"module {module_name} has no function {attribute}")
    source = getattr(module, "__file__", None)
    if source is None or not Path(source).is_file():
        raise _refusal(name, f"module {module_name} has no file, so that a change of it could not be noticed")
    return function, hashlib.sha256(Path(source).read_bytes()).hexdigest()


def _slope_of(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def slope(x: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_(True)
            return torch.autograd.grad(function(leaf).sum(), leaf)[0]

    return slope


def _on_arrays(function: Callable[[Tensor], Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda points: function(torch.from_numpy(np.array(points, dtype=np.float64))).detach().numpy()


def _check(name: str, function: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> None:
    """Refuse what is not an elementwise function with autograd's derivative: see `register_activation`."""
    # irregular points: a kink of the user's is not among them
    z = torch.tensor([-4.123, -1.37, -0.613, -0.0871, 0.0933, 0.557, 1.291, 2.717, 5.333, 9.871], dtype=torch.float64)
    z_before = z.clone()
    values = {dtype: _called(name, function, z.to(dtype)) for dtype in (torch.float32, torch.float64)}
    for dtype, value in values.items():
        if value.dtype != dtype:
            raise _refusal(name, f"it returns {value.dtype} for {dtype}")
    if not torch.equal(z, z_before):
        raise _refusal(name, "it changes its argument")
    as_matrix = _called(name, function, z.reshape(2, 5)).reshape(-1)
    one_by_one = torch.cat([_called(name, function, z[i : i + 1]) for i in range(len(z))])
    reversed_order = _called(name, function, z.flip(0)).flip(0)
    for other in (as_matrix, one_by_one, reversed_order):
        if not torch.allclose(values[torch.float64], other, rtol=1e-12, atol=1e-14, equal_nan=True):
            raise _refusal(name, "it is not elementwise: a point's value depends on the others, or on chance")
    try:
        derivative = slope(z)
    except RuntimeError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise _refusal(name, f"autograd finds no derivative of it ({reason})") from None
    step = 1e-6
    difference = (function(z + step) - function(z - step)).detach() / (2 * step)
    if not torch.allclose(derivative, difference, rtol=1e-4, atol=1e-6, equal_nan=True):
        raise _refusal(name, "autograd's derivative is not that of its values")


def _called(name: str, function: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Return function(z), of the shape of z; refuse whatever else it does."""
    try:
        value = function(z)
    except Exception as error:  # whatever the user's function does with a tensor
        raise _refusal(name, f"it fails on a tensor ({type(error).__name__}: {error})") from error
    if not isinstance(value, Tensor):
        raise _refusal(name, f"it returns {type(value).__name__} for a tensor")
    if value.shape != z.shape:
        raise _refusal(name, f"it is not elementwise: it returns shape {tuple(value.shape)} for {tuple(z.shape)}")
    return value.detach()


def _refusal(name: str, problem: str) -> InputError:
    return InputError("activation", name, problem.rstrip("."), _REMEDY)
