r"""Gradients of linear layers as factors, which are small where the gradients are large.

The gradient of v·f(x) by the weights of a linear layer is a sum over its positions t (tokens; one for plain points) of
outer products d_t a_t^T, with a_t the layer's input and d_t the gradient by its output. Inner products of gradients
need the factors only,

    <g, g'> = sum_{t, t'} (d_t·d'_t') (a_t·a'_t'),

as in `simulate.networks.fully_connected`. A layer is taken so if it is a `torch.nn.Linear` that is called once, and if
the products are its gradients indeed: this is checked on two points, since a forward may use a weight twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import grad, vmap

from simulate.audit.model_function import ModelFunction, Parameters

#: for each weight, d (rows, positions, outputs) and a (rows, positions, inputs)
Factors = dict[str, tuple[Tensor, Tensor]]


def factored_weights(model: ModelFunction, x: Tensor, directions: Tensor) -> tuple[str, ...]:
    """Return the names of the weights whose gradients are taken as factors."""
    owners: dict[int, int] = {}
    for _, parameter in model.module.named_parameters(remove_duplicate=False):
        owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    candidates = [
        f"{name}.weight" if name else "weight"
        for name, module in model.module.named_modules()
        if type(module) is nn.Linear and owners[id(module.weight)] == 1
    ]
    candidates = [name for name in candidates if name in model.parameters]
    sample, combinations = x[:2], directions[[0, -1]][: len(x[:2])]
    calls, outputs = _calls(model, candidates, sample[:1])
    candidates = [name for name in candidates if calls.get(name) == 1 and outputs[name].shape[0] == 1]
    if not candidates:
        return ()
    factors = gradient_factors(model, candidates, sample, combinations)

    def combination(parameters: Parameters, point: Tensor, v: Tensor) -> Tensor:
        return (model(parameters, point.unsqueeze(0))[0] * v).sum()

    result = []
    for name in candidates:
        d, a = factors[name]
        if d.shape[1] ** 2 * (d.shape[2] + a.shape[2]) >= d.shape[2] * a.shape[2]:
            continue  # so many positions that the gradients themselves are less work
        direct = vmap(grad(combination), in_dims=(None, 0, 0))({name: model.parameters[name]}, sample, combinations)
        difference = (torch.einsum("rto,rti->roi", d, a) - direct[name]).abs().max()
        scale = direct[name].abs().max()
        if difference <= 1e3 * torch.finfo(model.dtype).eps * scale:
            result.append(name)
    return tuple(result)


def gradient_factors(model: ModelFunction, names: Sequence[str], x: Tensor, combinations: Tensor) -> Factors:
    """Return the factors of d(v_r·f(x_r))/dW for the weights named."""
    _, outputs = _calls(model, names, x[:1])
    still = {name: torch.zeros_like(outputs[name]) for name in names}

    def combination(moved: dict[str, Tensor], point: Tensor, v: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        inputs: dict[str, Tensor] = {}

        def hook(name: str):
            def add(_module, given, output):
                inputs[name] = given[0]
                return output + moved[name]

            return add

        handles = [_layer(model, name).register_forward_hook(hook(name)) for name in names]
        try:
            return (model({}, point.unsqueeze(0))[0] * v).sum(), inputs
        finally:
            for handle in handles:
                handle.remove()

    deltas, inputs = vmap(grad(combination, has_aux=True), in_dims=(None, 0, 0))(still, x, combinations)
    rows = len(x)
    return {
        name: (
            deltas[name].reshape(rows, -1, deltas[name].shape[-1]),
            inputs[name].reshape(rows, -1, inputs[name].shape[-1]),
        )
        for name in names
    }


def inner_products(d: Tensor, a: Tensor, memory: int) -> Tensor:
    """Return the kernel of one weight, shape (rows, rows), from d (rows, t, outputs) and a (rows, t, inputs)."""
    rows, positions, _ = d.shape
    if positions == 1:
        return (d[:, 0] @ d[:, 0].T) * (a[:, 0] @ a[:, 0].T)
    result = d.new_empty(rows, rows)
    flat_d, flat_a = d.flatten(0, 1), a.flatten(0, 1)
    rows_at_once = max(1, memory // (2 * d.element_size() * positions**2 * rows))
    for start in range(0, rows, rows_at_once):
        part = slice(start * positions, min(start + rows_at_once, rows) * positions)
        product = (flat_d[part] @ flat_d.T) * (flat_a[part] @ flat_a.T)
        count = product.shape[0] // positions
        result[start : start + count] = product.reshape(count, positions, rows, positions).sum((1, 3))
    return result


def _layer(model: ModelFunction, name: str) -> nn.Module:
    return model.module.get_submodule(name.rpartition(".")[0])


def _calls(model: ModelFunction, names: Sequence[str], point: Tensor) -> tuple[dict[str, int], dict[str, Tensor]]:
    """How often each layer is called on a point, and its output."""
    calls: dict[str, int] = {}
    outputs: dict[str, Tensor] = {}

    def hook(name: str):
        def count(_module, _given, output):
            calls[name] = calls.get(name, 0) + 1
            outputs[name] = output

        return count

    handles = [_layer(model, name).register_forward_hook(hook(name)) for name in names]
    try:
        with torch.no_grad():
            model({}, point)
    finally:
        for handle in handles:
            handle.remove()
    return calls, outputs
