r"""How much activations move in a few steps of training, at several sizes of a model.

For every module that has parameters or no children, at every size and seed: the rms change of its output and of its
first input after some steps, their sizes, the gradient of the loss by its output, and what says how its weights are
scaled (their spread, fan-in and rates). What goes into a softmax (of attention, say) is treated like a module.
Modules of models of different depth are matched by `simulate.audit.matched_modules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lazyrich.errors import InputError
from simulate.audit.loading import Make, build
from simulate.audit.matched_modules import matched_modules
from simulate.audit.model_function import ModelFunction, check_forward
from simulate.audit.sizes import check_seeds, check_sizes, size_seed
from simulate.audit.training import (
    MakeOptimizer,
    TrainingData,
    loss,
    make_optimizer,
    optimizer_kind,
    random_data,
    rates,
    steps,
)

#: layers of torch that apply their weights as they are
_WITHOUT_MULTIPLIER = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Embedding)
OUTPUT = "output"  #: the model's own output among the modules
SOFTMAX = "softmax"  #: the first word of what goes into a softmax is called, with its number
_SCALES = ("spread", "fan_in", "fan_out", "rate", "multiplier")
_POINTS = 16  #: of random data


def coordinates(
    make: Make,
    sizes: Sequence[int],
    *,
    axis: str = "width",
    optimizer: str | MakeOptimizer = "adam",
    rate: float = 1e-3,
    at_steps: Sequence[int] = (1, 5),
    seeds: int = 8,
    first_seed: int = 0,
    data: TrainingData | None = None,
    report: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Train ``make(size)`` for a few steps at every size and seed and measure how activations move.

    Parameters
    ----------
    make : callable
        Returns the model of a size: ``make(width)``, or ``make(depth=depth)`` with ``axis="depth"``.
    sizes : sequence of int
        Widths or depths.
    optimizer : str or callable
        "sgd", "adam", or a function of (model, rate) that returns an optimiser of torch.
    rate : float
        Learning rate, the same at every size; what depends on the size is the model's and its optimiser's own.
    at_steps : sequence of int
        After how many steps activations are compared with those at the start.
    seeds : int
        Initial weights at each size, all independent.
    first_seed : int
        Another one gives other initial weights.
    data : TrainingData, optional
        Random inputs and targets by default, where the model's first layer says what its inputs are like.

    Returns
    -------
    xarray.Dataset
        ``change`` (step, size, seed, module), rms over points and features; ``input_change`` likewise; ``backward``, n
        times the loss's gradient by the output, before the step; at the start ``initial``, ``input`` (size, seed,
        module); ``spread`` (rms of the initial weights), ``fan_in``, ``fan_out`` and ``rate`` (size, module) of the
        module's first parameter, and ``multiplier``, 1 where a layer of torch applies it as it is; ``loss`` (size,
        seed) at the end. NaN where a module lacks it, or training has diverged. Modules in the order of execution,
        those alone that every size has; the coordinate ``is_logits`` says which of them are what goes into a softmax.
        Attributes: axis, optimizer, rate, seeds.
    """
    sizes = check_sizes(sizes, axis)
    check_seeds(seeds)
    _check(at_steps, rate)
    at_steps = sorted(set(at_steps))
    tables: list[list[dict[str, dict[str, float]]]] = []  #: by size and seed
    classes: list[dict[str, str]] = []  #: by size
    kinds = set()
    for size in sizes:
        tables.append([])
        for seed in range(first_seed, first_seed + seeds):
            model = _built_model(make, axis, size, seed)
            function = ModelFunction.from_module(model)
            sample = data or random_data(model, _POINTS, function.dtype)
            if seed == first_seed:
                check_forward(function, sample.inputs)
            chosen_optimizer = make_optimizer(optimizer, model, rate)
            kinds.add(optimizer_kind(chosen_optimizer))
            tables[-1].append(_coordinates_of(model, chosen_optimizer, sample, at_steps))
            if report is not None:
                report(sum(map(len, tables)) / (len(sizes) * seeds))
        modules = {name: type(module).__name__ for name, module in model.named_modules()}
        in_order = {name: modules.get(name, "") for name in tables[-1][0]}
        classes.append(in_order | modules)
    names = _matched(classes, tables, axis)

    def values(key: str) -> np.ndarray:
        return np.array(
            [
                [[table[name].get(key, math.nan) for name in by_label.values()] for table in row]
                for by_label, row in zip(names, tables, strict=True)
            ]
        )

    by_step = {
        name: (("step", "size", "seed", "module"), np.stack([values(f"{name} {k}") for k in at_steps]))
        for name in ("change", "input_change", "backward")
    }
    measured = {name: (("size", "seed", "module"), values(name)) for name in ("initial", "input")}
    scaled = {name: (("size", "module"), values(name).mean(axis=1)) for name in _SCALES}
    labels = list(names[0])
    is_logits = [name.split(" ")[0] == SOFTMAX for name in names[0].values()]
    loss_at_end = (("size", "seed"), values("loss")[..., labels.index(OUTPUT)])
    return xr.Dataset(
        {**by_step, **measured, **scaled, "loss": loss_at_end},
        coords={"step": at_steps, "size": sizes, "module": labels, "is_logits": ("module", is_logits)},
        attrs={"axis": axis, "optimizer": kinds.pop() if len(kinds) == 1 else None, "rate": rate, "seeds": seeds},
    )


def _matched(
    classes: list[dict[str, str]], tables: list[list[dict[str, dict[str, float]]]], axis: str
) -> list[dict[str, str]]:
    """For each size, the names of modules that were measured there in all draws, by labels that all sizes share."""
    measured = [{name for name in row[0] if all(name in table for table in row)} for row in tables]
    matched = matched_modules(classes) if axis == "depth" else [{name: name for name in row} for row in classes]
    labels = [
        label
        for label in matched[0]
        if all(by.get(label) in names for by, names in zip(matched, measured, strict=True))
    ]
    return [{label: by_label[label] for label in labels} for by_label in matched]


def _check(at_steps: Sequence[int], rate: float) -> None:
    if not at_steps or min(at_steps) < 1:
        raise InputError("steps", list(at_steps), "activations move after a step at least", "Give 1 or more")
    if not rate > 0 or not math.isfinite(rate):
        raise InputError("rate", rate, "no learning rate", "Give a positive number")


def _built_model(make: Make, axis: str, size: int, seed: int) -> nn.Module:
    return build((lambda: make(depth=size)) if axis == "depth" else (lambda: make(size)), seed=size_seed(size, seed))


def _coordinates_of(
    model: nn.Module, optimizer: torch.optim.Optimizer, data: TrainingData, at_steps: list[int]
) -> dict[str, dict[str, float]]:
    """All quantities of one model, by module."""
    names = [
        name for name, m in model.named_modules() if name and (not list(m.children()) or list(m.parameters(False)))
    ]
    table = {name: _scales(model, name, rates(optimizer, model)) for name in names}
    start: dict[str, tuple[Tensor, Tensor | None]] = {}
    last = at_steps[-1]
    order: dict[str, None] = {}
    for number, value in steps(model, optimizer, data, last):
        if not math.isfinite(value):
            break
        if number == 0:
            start = _watch(model, names, data)
            order = dict.fromkeys(start)
            for name, (output, layer_input) in start.items():
                row = table.setdefault(name, {})
                row["initial"] = _rms(output)
                row["input"] = _rms(layer_input) if layer_input is not None else math.nan
        if number + 1 in at_steps:
            for name, gradient in _backward(model, names, data).items():
                table[name][f"backward {number + 1}"] = gradient
        if number in at_steps:
            for name, (output, layer_input) in _watch(model, names, data).items():
                before, input_before = start[name]
                table[name][f"change {number}"] = _rms(output - before)
                if layer_input is not None and input_before is not None:
                    table[name][f"input_change {number}"] = _rms(layer_input - input_before)
        table.setdefault(OUTPUT, {})["loss"] = value
    return {name: table[name] for name in order}


def _scales(model: nn.Module, name: str, by_parameter: dict[str, float]) -> dict[str, float]:
    """How the first parameter of a module is scaled; fans are 1 for gains and biases, which act number by number."""
    parameters = [(n, p) for n, p in model.get_submodule(name).named_parameters(prefix=name, recurse=False)]
    if not parameters:
        return {}
    first, parameter = parameters[0]
    matrix = parameter.ndim >= 2
    module = model.get_submodule(name)
    token = isinstance(module, nn.Embedding)
    return {
        "spread": float(parameter.detach().square().mean().sqrt()),
        "fan_in": float(parameter[0].numel()) if matrix and not token else 1.0,
        "fan_out": float(parameter.shape[1] if token else len(parameter)) if matrix else 1.0,
        "rate": by_parameter.get(first, math.nan),
        "multiplier": 1.0 if type(module) in _WITHOUT_MULTIPLIER else math.nan,
    }


def _watch(model: nn.Module, names: Sequence[str], data: TrainingData) -> dict[str, tuple[Tensor, Tensor | None]]:
    """Outputs and first inputs of modules, in the order of execution; softmax inputs; the model's output last."""
    with torch.no_grad(), _recorded_calls(model, names) as calls:
        output = model(data.inputs)
    return {**calls, OUTPUT: (output, None)}


def _backward(model: nn.Module, names: Sequence[str], data: TrainingData) -> dict[str, float]:
    """The rms of the gradient of the summed loss by the output of each module."""
    with torch.enable_grad(), _recorded_calls(model, names) as calls:
        output = model(data.inputs)
        value = loss(output, data.targets) * len(data.inputs)
    outputs = {name: z for name, (z, _) in {**calls, OUTPUT: (output, None)}.items() if z.requires_grad}
    gradients = torch.autograd.grad(value, list(outputs.values()), allow_unused=True)
    return {name: _rms(g) for name, g in zip(outputs, gradients, strict=True) if g is not None}


@contextmanager
def _recorded_calls(model: nn.Module, names: Sequence[str]) -> Iterator[dict[str, tuple[Tensor, Tensor | None]]]:
    calls: dict[str, tuple[Tensor, Tensor | None]] = {}

    def keep(name: str):
        def hook(_module, inputs, output):
            first = output[0] if isinstance(output, tuple | list) and output else output
            layer_input = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
            if isinstance(first, Tensor) and first.is_floating_point() and name not in calls:
                calls[name] = (
                    first,
                    layer_input if layer_input is not None and layer_input.is_floating_point() else None,
                )

        return hook

    handles = [model.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    try:
        with _SoftmaxInputs(calls):
            yield calls
    finally:
        for handle in handles:
            handle.remove()


class _SoftmaxInputs(TorchFunctionMode):
    """Look at what goes into softmax, that of attention included, as if it were a module's output.

    What is masked is 0. Where gradients are wanted, what is kept is a part of the graph.
    """

    def __init__(self, calls: dict[str, tuple[Tensor, Tensor | None]]) -> None:
        super().__init__()
        self.calls = calls
        self.count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is nn.functional.scaled_dot_product_attention:
            return self._attention(*args, **kwargs)
        if function in (torch.softmax, Tensor.softmax, nn.functional.softmax):
            logits = args[0] if args else kwargs["input"]
            self._keep(logits if torch.is_grad_enabled() else torch.nan_to_num(logits, neginf=0.0))
        return function(*args, **kwargs)

    def _attention(
        self, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
    ):
        """See `torch.nn.functional.scaled_dot_product_attention`."""
        keys = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3) if enable_gqa else key
        factor = query.shape[-1] ** -0.5 if scale is None else scale
        logits = factor * query.detach() @ keys.detach().mT
        mask = torch.zeros_like(logits)
        if is_causal:
            mask = mask.masked_fill(torch.ones(logits.shape[-2:], dtype=torch.bool).triu(1), -math.inf)
        elif attn_mask is not None and attn_mask.dtype == torch.bool:
            mask = mask.masked_fill(~attn_mask, -math.inf)
        elif attn_mask is not None:
            mask = mask + attn_mask
        if torch.is_grad_enabled():  # the mask is added to the logits: the gradient by it is that by them
            mask = mask.requires_grad_() if mask.is_leaf else mask
            self._keep(mask)
        else:
            self._keep(torch.nan_to_num(logits + mask, neginf=0.0))
        return nn.functional.scaled_dot_product_attention(
            query, key, value, mask, dropout_p=dropout_p, scale=scale, enable_gqa=enable_gqa
        )

    def _keep(self, logits: Tensor) -> None:
        self.count += 1
        self.calls[f"{SOFTMAX} {self.count}"] = logits, None


def _rms(tensor: Tensor) -> float:
    return float(tensor.detach().double().square().mean().sqrt())
