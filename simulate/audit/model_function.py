"""A module as a function of its parameters and inputs, f(w, x), which `torch.func` can differentiate."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy

from lazyrich.errors import InputError

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class ModelFunction:
    """f(w, x) of one module in evaluation mode, with its buffers as they are.

    Attributes
    ----------
    module : nn.Module
    parameters : dict of str to Tensor
        Those that are trained, detached; a tied parameter appears once, under its first name.
    fixed : dict of str to Tensor
        Buffers, and parameters that are not trained.
    """

    module: nn.Module
    parameters: dict[str, Tensor]
    fixed: dict[str, Tensor]

    @classmethod
    def from_module(cls, module: nn.Module) -> ModelFunction:
        """Wrap a module; it is put into evaluation mode."""
        module.eval()
        for name, p in module.named_parameters():
            if is_lazy(p):
                problem, remedy = f"{name} has no shape before data are seen", "Give its layer the size of its inputs"
                raise InputError("model", type(module).__name__, problem, remedy)
            if p.is_complex():
                problem = f"{name} has complex numbers, of which there is no tangent kernel here"
                raise InputError("model", type(module).__name__, problem, "Give a model with real parameters")
        trained = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
        fixed = {name: p.detach() for name, p in module.named_parameters() if not p.requires_grad}
        if not trained:
            raise InputError("model", type(module).__name__, "it has no parameter that is trained", "Give one that has")
        return cls(module, trained, {**fixed, **dict(module.named_buffers())})

    def __call__(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Return the outputs, shape (n, outputs): whatever the module gives for each point, flattened.

        Parameters
        ----------
        parameters : mapping
            The names of `parameters`; those that are left out keep their values.
        x : Tensor of shape (n, ...)
        """
        with differentiable_kernels(self.module):
            output = functional_call(self.module, {**self.fixed, **self.parameters, **parameters}, (x,))
        if not isinstance(output, Tensor):
            remedy = "Let make return a module that gives a tensor"
            raise InputError("model", type(output).__name__, "its forward gives no tensor", remedy)
        if not output.is_floating_point():
            remedy = "Let make return a module that gives real numbers"
            raise InputError("model", str(output.dtype), "its forward gives no real numbers", remedy)
        if output.ndim == 0 or len(output) != len(x):
            problem = f"its forward gives an output of shape {tuple(output.shape)} for {len(x)} points"
            raise InputError("model", type(self.module).__name__, problem, "Let it give an output for each point")
        return output.reshape(len(x), -1)

    @property
    def size(self) -> int:
        """How many numbers are trained."""
        return sum(p.numel() for p in self.parameters.values())

    @property
    def dtype(self) -> torch.dtype:
        """Of the first parameter."""
        return next(iter(self.parameters.values())).dtype

    def groups(self) -> dict[str, str]:
        """Return for each parameter the module that owns it ("" is the model itself)."""
        return {name: name.rpartition(".")[0] for name in self.parameters}

    def numbers_kept(self, x: Tensor) -> int:
        """How many numbers automatic differentiation keeps of one point's forward pass."""
        numbers = 0

        def count(t: Tensor) -> Tensor:
            nonlocal numbers
            numbers += t.numel()
            return t

        parameter_ids = {id(p) for p in self.parameters.values()}
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t if id(t) in parameter_ids else count(t), lambda t: t):
            self({name: p.requires_grad_() for name, p in self.copies().items()}, x[:1])
        return max(0, numbers - self.size)

    def copies(self) -> dict[str, Tensor]:
        """Return copies of the trained parameters."""
        return {name: p.detach().clone() for name, p in self.parameters.items()}


def check_forward(model: ModelFunction, x: Tensor) -> Tensor:
    """Return the outputs at the probe inputs, once it is sure that each is a function of its own point alone.

    Raises
    ------
    InputError
        If the inputs do not fit the forward pass, outputs are not finite, two calls differ (dropout that stays active)
        or a point's output depends on the other points (normalisation over the batch).
    """
    try:
        with torch.no_grad():
            inputs = x[:4].clone()
            together, again = model({}, inputs), model({}, x[:4].clone())
            alone = torch.cat([model({}, x[i : i + 1].clone()) for i in range(len(x[:4]))])
        with torch.enable_grad():
            differentiable = model({name: p.requires_grad_() for name, p in model.copies().items()}, x[:1].clone())
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        lines = str(error).strip().splitlines()
        problem = f"the model can't be evaluated on it ({type(error).__name__}: {lines[0][:160] if lines else ''})"
        remedy = "Give inputs as the forward expects them"
        if not x.is_floating_point():
            remedy += "; integers are given as tokens, numbers as floats"
        raise InputError("data", tuple(x.shape), problem, remedy) from error
    if not torch.equal(inputs, x[:4]):
        raise InputError("model", "its inputs", "its forward changes them in place", "Let it make new tensors")
    if not differentiable.requires_grad:
        problem = "they do not depend on its parameters in a way that can be differentiated"
        raise InputError("model", "its outputs", problem, "Leave detach and numpy out of the forward")
    if not bool(torch.isfinite(together).all()):
        raise InputError("model", "its outputs", "some are not finite", "Give a model and inputs with finite outputs")
    if not torch.equal(together, again):
        remedy = "Switch its randomness (dropout) off in evaluation mode, and let it keep no state between calls"
        raise InputError("model", "its outputs", "two evaluations of the same inputs differ", remedy)
    if _mixes(together, alone) and (model.dtype == torch.float64 or _mixes(*_in_double_precision(model, x[:4]))):
        remedy = "Use normalisation that keeps running statistics, or one over features"
        raise InputError("model", "its outputs", "the output at a point depends on the other points of a batch", remedy)
    return together


def _mixes(together: Tensor, alone: Tensor) -> bool:
    """Whether outputs of points together and alone differ by more than rounding."""
    tolerance = 1e-8 if together.dtype == torch.float64 else 2e-3 if together.itemsize < 4 else 1e-4
    return float((together - alone).abs().max()) > tolerance * float(together.abs().max())


def _in_double_precision(model: ModelFunction, x: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs of points together and alone, of a copy: differences of large numbers lose digits in single precision."""
    double = ModelFunction.from_module(copy.deepcopy(model.module).double())
    x = x.double() if x.is_floating_point() else x
    with torch.no_grad():
        return double({}, x), torch.cat([double({}, x[i : i + 1]) for i in range(len(x))])


@contextmanager
def differentiable_kernels(module: nn.Module) -> Iterator[None]:
    """Let torch use those of its kernels that have a forward mode and a batching rule.

    Fused attention, the fused layers of transformers, and the recurrent layers of oneDNN have none.
    """
    fused_layers = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    recurrent = any(isinstance(m, nn.RNNBase | nn.RNNCellBase) for m in module.modules())
    onednn = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = bool(onednn) and not recurrent  # type: ignore[assignment]
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused_layers)
        torch.backends.mkldnn.enabled = onednn


@contextmanager
def captured(module: nn.Module, names: set[str]) -> Iterator[dict[str, list[Tensor]]]:
    """Collect the outputs of the modules named, in the order of their calls."""
    outputs: dict[str, list[Tensor]] = {}

    def keep(name: str):
        def hook(_module, _inputs, output):
            first = output[0] if isinstance(output, tuple | list) and output else output
            if isinstance(first, Tensor) and first.is_floating_point():
                outputs.setdefault(name, []).append(first)

        return hook

    handles = [
        submodule.register_forward_hook(keep(name)) for name, submodule in module.named_modules() if name in names
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
