"""Is an architecture what the flow takes it for? Asked before networks of one are trained.

The flow, kernels and stores presume that f is a function of a network's own weights and of one point, the same whenever
it is called, with the derivative that automatic differentiation finds. A forward function that breaks this gives no
error, but other numbers: with batch normalisation, say, outputs depend on which points are evaluated together.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

import simulate.networks
from lazyrich.errors import InputError
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Weights
from theory.activation import Activation

_MEMBERS, _POINTS = 2, 4
_REMEDY = "Let forward be a differentiable function of the weights and of each point alone (docs/architectures.md)"
_Result = TypeVar("_Result")

_checked: set[tuple] = set()  # cases that were checked in this process: batches of a task need not be again


def construct(
    cls: type[Architecture],
    input_shape: int | tuple[int, ...],
    width: int,
    depth: int,
    activation: Activation,
    bias: float = 0.0,
) -> Architecture:
    """Return an architecture of a class, whose weights have shapes that networks can have.

    Raises
    ------
    InputError
        If its constructor fails, or its weights' shapes are none, or not as many as `Architecture.layers` says.
    """
    network = _attempt(cls, "it can't be constructed", lambda: cls(input_shape, width, depth, activation, bias))
    shapes = list(network.shapes) if isinstance(network.shapes, list | tuple) else []
    whole = all(isinstance(s, tuple | list) and s and all(type(n) is int and n > 0 for n in s) for s in shapes)
    if not shapes or not whole:
        raise _refusal(cls, f"weight_shapes gives {_short(network.shapes)}, and shapes are tuples of whole numbers")
    layers = _attempt(cls, "layers(depth) fails", lambda: cls.layers(depth))
    if layers != len(shapes):
        raise _refusal(cls, f"layers({depth}) says {_short(layers)}, and weight_shapes gives {len(shapes)} shapes")
    return network


def check_architecture(network: Architecture) -> None:
    """Refuse an architecture whose outputs are not what training presumes; those of this package are not asked.

    Raises
    ------
    InputError
        Naming the architecture: if `Architecture.forward` fails, returns another shape or dtype than (members, n) in
        that of the weights, or numbers that are not finite; if the same call gives other numbers; if an output depends
        on other points or on other networks; if it changes its arguments; if automatic differentiation finds no
        derivative, or one that is not that of the outputs.
    """
    cls = type(network)
    formula = network.activation.activation.formula
    case = cls, network.input_shape, network.width, network.depth, network.bias, formula
    if cls.__module__.startswith(f"{simulate.networks.__name__}.") or case in _checked:
        return
    weights = network.initial_weights(0, range(_MEMBERS))
    x = torch.randn(_POINTS, network.input_dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x *= math.sqrt(network.input_dim) / x.norm(dim=1, keepdim=True)
    _check_outputs(network, weights, x)
    _check_derivatives(network, weights, x)
    _checked.add(case)


def _check_outputs(network: Architecture, weights: Weights, x: Tensor) -> None:
    cls = type(network)
    for dtype in (torch.float32, torch.float64):
        _evaluated(network, [w.to(dtype) for w in weights], x.to(dtype))
    copies, x_copy = [w.clone() for w in weights], x.clone()
    output = _evaluated(network, copies, x_copy)
    if not torch.equal(x_copy, x) or not all(torch.equal(a, b) for a, b in zip(copies, weights, strict=True)):
        raise _refusal(cls, "forward changes its arguments")
    if not torch.isfinite(output).all():
        raise _refusal(cls, "its outputs at the initial weights are not finite numbers")
    if not _same(_evaluated(network, weights, x), output):
        raise _refusal(cls, "the same call gives other outputs: it has chance in it (dropout), or a state that changes")
    one_by_one = torch.cat([_evaluated(network, weights, x[i : i + 1]) for i in range(len(x))], dim=1)
    if not _same(one_by_one, output):
        raise _refusal(cls, "a point's output depends on the other points (batch normalisation?)")
    networks_alone = [_evaluated(network, [w[m : m + 1] for w in weights], x) for m in range(len(output))]
    if not _same(torch.cat(networks_alone), output):
        raise _refusal(cls, "a network's output depends on the other networks of the batch")


def _check_derivatives(network: Architecture, weights: Weights, x: Tensor) -> None:
    cls = type(network)
    q = torch.linspace(-1.0, 1.0, _MEMBERS * _POINTS, dtype=x.dtype).reshape(_MEMBERS, _POINTS)
    v = network.initial_weights(1, range(_MEMBERS))
    linearisation = _attempt(cls, "it can't be differentiated", lambda: network.linearise(weights, x))
    gradient = _attempt(cls, "automatic differentiation finds no gradient of it", lambda: linearisation.pullback(q))
    change = _attempt(cls, "forward-mode differentiation of it fails", lambda: linearisation.pushforward(v))
    trace = _attempt(cls, "its gradients can't be taken point by point", linearisation.kernel_trace)
    step = 1e-6
    weights_plus, weights_minus = ([w + sign * step * c for w, c in zip(weights, v, strict=True)] for sign in (1, -1))
    difference = (_evaluated(network, weights_plus, x) - _evaluated(network, weights_minus, x)) / (2 * step)
    # a central difference of a function of size one has rounding 1e-10 and a third derivative of 1e-12
    if not torch.allclose(change, difference, rtol=1e-4, atol=1e-5 * float(difference.abs().max() + 1e-3)):
        raise _refusal(cls, "its derivative is not that of its outputs")
    inner = sum((g * c).sum((-2, -1)) for g, c in zip(gradient, v, strict=True))
    if not torch.allclose(torch.as_tensor(inner), (q * change).sum(-1), rtol=1e-6, atol=1e-9):
        raise _refusal(cls, "its gradient and its derivative along a direction do not agree")
    if not (trace > 0).all():
        raise _refusal(cls, "its outputs do not depend on its weights")


def _evaluated(network: Architecture, weights: Weights, x: Tensor) -> Tensor:
    """f, if it is a tensor of the right shape and dtype."""
    cls = type(network)
    with torch.no_grad():
        points = f"{len(x)} points" if len(x) > 1 else "a single point"
        output = _attempt(cls, f"forward fails on {points}", lambda: network.evaluate(weights, x))
    if not isinstance(output, Tensor):
        raise _refusal(cls, f"forward returns {type(output).__name__}, not a tensor")
    if output.shape != (len(weights[0]), len(x)):
        expected = f"(members, n) = ({len(weights[0])}, {len(x)})"
        raise _refusal(cls, f"forward returns shape {tuple(output.shape)}, not {expected}")
    if output.dtype != x.dtype:
        raise _refusal(cls, f"forward returns {output.dtype} for weights and points of {x.dtype}")
    return output


def _same(a: Tensor, b: Tensor) -> bool:
    """Equal but for the rounding of products that are batched in another way."""
    return torch.allclose(a, b, rtol=1e-9, atol=1e-11)


def _attempt(cls: type[Architecture], what_fails: str, call: Callable[[], _Result]) -> _Result:
    try:
        with warnings.catch_warnings(action="ignore"):  # of what is tried here only
            return call()
    except InputError:
        raise
    except Exception as error:  # whatever the user's code does
        reason = (str(error).splitlines() or [""])[0][:200].rstrip(".")
        raise _refusal(cls, f"{what_fails} ({type(error).__name__}: {reason})") from error


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:80] + "…"


def _refusal(cls: type[Architecture], problem: str) -> InputError:
    return InputError("architecture", getattr(cls, "name", cls.__name__), problem, _REMEDY)
