"""The derivative of a function of a model's parameters along a change of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jvp, vjp

from lazyrich.errors import InputError
from simulate.audit.model_function import Parameters

Outputs = dict[str, Tensor]


def directional_derivative(
    function: Callable[[Parameters], Outputs], parameters: Parameters, change: Parameters
) -> tuple[Outputs, Outputs]:
    """Return f(w) and (df/dw)·change.

    By forward differentiation; where an operation has none (normalisation of weights, say), by differentiating twice in
    reverse, which is exact as well: the derivative along a change is the gradient of u·J by u, applied to it.

    Raises
    ------
    InputError
        If the model can be differentiated in neither way.
    """
    try:
        value, tangent = jvp(function, (parameters,), (change,))[:2]
        return value, tangent
    except NotImplementedError:
        pass
    try:
        value, pull_back = vjp(function, parameters)[:2]
        still = {name: torch.zeros_like(output) for name, output in value.items()}
        push_forward = vjp(lambda cotangent: pull_back(cotangent)[0], still)[1]
        (tangent,) = push_forward(change)
    except (NotImplementedError, RuntimeError) as error:
        problem = f"an operation of it can't be differentiated twice ({str(error).splitlines()[0][:120]})"
        raise InputError("model", "its forward", problem, "Use operations of torch that can") from error
    return value, tangent
