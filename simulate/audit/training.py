"""The built-in training of a user's model: full-batch steps of SGD or Adam, or of the user's own optimiser."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lazyrich.errors import InputError
from simulate.audit.loading import USER_CODE_ERRORS

#: makes an optimiser of a model and a learning rate; sets rates by group where it wants them
MakeOptimizer = Callable[[nn.Module, float], torch.optim.Optimizer]
_BUILT_IN: dict[str, Callable[..., torch.optim.Optimizer]] = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
#: which optimisers take steps that theory knows
_KINDS = ((torch.optim.SGD, "sgd"), (torch.optim.Adam, "adam"), (torch.optim.AdamW, "adam"))


@dataclass(frozen=True)
class TrainingData:
    """Inputs (n, ...) and targets: floats of the outputs' size for the squared loss, integers for cross entropy."""

    inputs: Tensor
    targets: Tensor


def make_optimizer(choice: str | MakeOptimizer, model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Return the optimiser of a model: "sgd", "adam", or what the user's function makes."""
    trained = [p for p in model.parameters() if p.requires_grad]
    if isinstance(choice, str):
        if choice not in _BUILT_IN:
            problem = "there is no such optimiser built in"
            raise InputError("optimizer", choice, problem, "Use sgd, adam, or FILE.py:FUNCTION with (model, rate)")
        return _BUILT_IN[choice](trained, lr=rate)
    try:
        optimizer = choice(model, rate)
    except USER_CODE_ERRORS as error:
        problem = f"it raised {type(error).__name__}: {error}"
        raise InputError("optimizer", getattr(choice, "__name__", "optimizer"), problem, "Correct it") from error
    if not isinstance(optimizer, torch.optim.Optimizer):
        remedy = "Return a torch.optim.Optimizer"
        raise InputError("optimizer", type(optimizer).__name__, "the function returned something else", remedy)
    return optimizer


def optimizer_kind(optimizer: torch.optim.Optimizer) -> str | None:
    """Return "sgd" or "adam" where the steps are those of either; None for others, and for SGD with momentum."""
    for cls, kind in _KINDS:
        if type(optimizer) is cls and not optimizer.defaults.get("momentum"):
            return kind
    return None


def rates(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, float]:
    """Return the learning rate of each trained parameter, by all its names; 0 where the optimiser does not have it."""
    by_id = {id(p): float(group["lr"]) for group in optimizer.param_groups for p in group["params"]}
    named = model.named_parameters(remove_duplicate=False)  # a tied weight has several names
    return {name: by_id.get(id(p), 0.0) for name, p in named if p.requires_grad}


def loss(output: Tensor, targets: Tensor) -> Tensor:
    """Return the mean loss: cross entropy over the last dimension for integer targets, squared error for others."""
    try:
        if not targets.is_floating_point():
            return nn.functional.cross_entropy(output.reshape(-1, output.shape[-1]), targets.reshape(-1))
        return (output - targets.reshape(output.shape)).square().mean()
    except (RuntimeError, IndexError) as error:
        problem = f"they do not fit outputs of shape {tuple(output.shape)} ({str(error).splitlines()[0][:100]})"
        remedy = "Give floats of that shape, or integer classes"
        raise InputError("targets", tuple(targets.shape), problem, remedy) from None


def steps(
    model: nn.Module, optimizer: torch.optim.Optimizer, data: TrainingData, count: int
) -> Iterator[tuple[int, float]]:
    """Take ``count`` steps on all data; yield before each step, and at the end, its number and the loss.

    The model stays in evaluation mode: normalisation uses its running statistics, and there is no dropout.
    """
    for number in range(count + 1):
        optimizer.zero_grad()
        value = loss(model(data.inputs), data.targets)
        yield number, float(value.detach())
        if number < count:
            value.backward()
            _step(optimizer)


def _step(optimizer: torch.optim.Optimizer) -> None:
    try:
        optimizer.step()
    except TypeError as error:  # it wants a function that computes the loss again
        problem = f"it takes no step by gradients alone ({error})"
        raise InputError("optimizer", type(optimizer).__name__, problem, "Use one that does, SGD or Adam say") from None


def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, data: TrainingData, count: int, worst: float = 1e6
) -> float:
    """Train and return the loss at the end; infinity where it is not finite, or above ``worst`` times the first."""
    first = value = math.nan
    for number, value in steps(model, optimizer, data, count):
        first = value if number == 0 else first
        if not value <= worst * max(first, 1e-12):
            return math.inf
    return value


def random_data(model: nn.Module, count: int, dtype: torch.dtype) -> TrainingData:
    """Return random inputs for a model whose first layer says what they are like, and random targets.

    Raises
    ------
    InputError
        If it does not.
    """
    generator = torch.Generator().manual_seed(0)
    first = next((m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.Embedding)), None)
    remedy = "Give --data FILE.npz with inputs and targets"
    match first:
        case nn.Linear():
            inputs = torch.randn(count, first.in_features, generator=generator, dtype=dtype)
        case nn.Conv2d():
            inputs = torch.randn(count, first.in_channels, 16, 16, generator=generator, dtype=dtype)
        case nn.Embedding():
            inputs = torch.randint(0, first.num_embeddings, (count, 8), generator=generator)
        case _:
            raise InputError("data", None, "the model's first layer does not say what its inputs are like", remedy)
    try:
        with torch.no_grad():
            shape = model(inputs).shape
    except Exception as error:
        problem = f"random inputs of shape {tuple(inputs.shape)} do not fit the model ({type(error).__name__})"
        raise InputError("data", None, problem, remedy) from error
    signs = torch.randint(0, 2, shape, generator=generator).to(dtype) * 2 - 1
    return TrainingData(inputs, signs)
