"""A user's model, checkpoints and probe inputs.

A model file is the user's own code and is run as such. Checkpoints are read with ``weights_only=True``: they hold
tensors, and no code of theirs is run.
"""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lazyrich.errors import InputError
from simulate.data.npz import read_arrays

Make = Callable[..., nn.Module]
#: what code of the user's may end with: `SystemExit` is no reason to end without a word
USER_CODE_ERRORS = (Exception, SystemExit)
#: a trained network: itself, its state dictionary, or the file that holds one
Checkpoint = nn.Module | Mapping[str, Tensor] | str | Path
#: under these keys training loops keep the state dictionary
_NESTED = ("state_dict", "model_state_dict", "model")


def load_module(path: Path) -> ModuleType:
    """Run a Python file of the user's and return it as a module; its neighbours can be imported by it."""
    specification = importlib.util.spec_from_file_location(f"audited_{path.stem}", path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise InputError("model", str(path), "there is no such Python file", "Give FILE.py:FUNCTION")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses and pickles look their module up
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        specification.loader.exec_module(module)
    except USER_CODE_ERRORS as error:
        raise InputError("model", str(path), f"can't be imported ({_named(error)})", "Correct the file") from error
    finally:
        sys.path.pop(0)
    return module


def load_function(reference: str) -> Callable[..., Any]:
    """Return the function that ``FILE.py:FUNCTION`` names."""
    file, colon, name = reference.rpartition(":")
    if not colon:
        raise InputError("model", reference, "no function is named", "Give FILE.py:FUNCTION, as in model.py:make")
    function = getattr(load_module(Path(file)), name, None)
    if not callable(function):
        raise InputError("model", reference, f"the file defines no function {name!r}", "Give FILE.py:FUNCTION")
    return function


def build(make: Make, *arguments: Any, seed: int = 0) -> nn.Module:
    """Return ``make(*arguments)`` in evaluation mode, with torch's generator seeded before."""
    torch.manual_seed(seed)
    try:
        module = make(*arguments)
    except USER_CODE_ERRORS as error:
        shown = ", ".join(map(repr, arguments))
        raise InputError("model", f"make({shown})", f"it raised {_named(error)}", "Correct the function") from error
    if not isinstance(module, nn.Module):
        remedy = "Return a torch.nn.Module"
        raise InputError("model", type(module).__name__, "make returned something other than a model", remedy)
    return module.eval()


def load_checkpoint(module: nn.Module, checkpoint: Checkpoint, field: str) -> nn.Module:
    """Load a checkpoint into ``module`` and return it.

    Raises
    ------
    InputError
        If it can't be read, does not fit the model, or holds numbers that are not finite.
    """
    state = _state(checkpoint, field)
    shown = str(checkpoint) if isinstance(checkpoint, str | Path) else "the weights"
    for name, tensor in state.items():
        if isinstance(tensor, Tensor) and tensor.is_complex():
            raise InputError(field, shown, f"{name} has complex numbers", "Give real weights")
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        problem = f"it does not fit the model ({' '.join(lines[1:3]) or lines[0]})".replace("..", ".")
        raise InputError(field, shown, problem, "Give a checkpoint of the model that make builds") from None
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise InputError(field, shown, f"{name} has numbers that are not finite", "Give a run that did not diverge")
    return module.eval()


def _state(checkpoint: Checkpoint, field: str) -> Mapping[str, Tensor]:
    if isinstance(checkpoint, nn.Module):
        return checkpoint.state_dict()
    if isinstance(checkpoint, Mapping):
        return checkpoint
    if Path(checkpoint).exists() and not Path(checkpoint).is_file():
        raise InputError(field, str(checkpoint), "is not a file", "Give a file of tensors")
    _refuse_packed(Path(checkpoint), field)
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(field, str(checkpoint), f"can't be read ({error.strerror})", "Give a file") from None
    except Exception as error:  # of a damaged file the reader raises almost anything
        problem = f"it is no file of tensors alone ({_named(error)})"
        if "Weights only load failed" in str(error):  # followed by advice on how to run its code
            problem = "it is no file of tensors alone, and no code of a checkpoint is run"
        raise InputError(
            field, str(checkpoint), problem, "Write it with torch.save(model.state_dict(), FILE)"
        ) from None
    for key in _NESTED:
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            return state[key]
    if not isinstance(state, Mapping):
        problem = f"it holds a {type(state).__name__}, no state dictionary"
        raise InputError(field, str(checkpoint), problem, "Write it with torch.save(model.state_dict(), FILE)")
    return state


def _refuse_packed(checkpoint: Path, field: str) -> None:
    """Refuse an archive that unpacks to more than its size: torch packs nothing, and megabytes could be gigabytes."""
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile):  # of another format, or damaged: who reads it says so
        return
    if unpacked > checkpoint.stat().st_size:
        problem = f"it unpacks to {unpacked / 2**30:.2g} GiB, more than its size"
        raise InputError(field, str(checkpoint), problem, "Write it with torch.save(model.state_dict(), FILE)")


def load_probe(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the arrays ``inputs`` and, where there is one, ``targets`` of an npz file."""
    arrays = read_arrays(path, ["inputs"], ["targets"], refuse=_probe_refusal)
    return arrays["inputs"], arrays.get("targets")


def _probe_refusal(path: Path, problem: str, remedy: str | None = None) -> InputError:
    return InputError("data", str(path), problem, remedy or _PROBE)


_PROBE = "Write it with numpy.savez(FILE, inputs=x, targets=y)"


def as_inputs(inputs: Tensor | np.ndarray, dtype: torch.dtype, field: str = "inputs") -> Tensor:
    """Return probe inputs (n, ...) as a tensor: floats in ``dtype``, integers (tokens) as int64."""
    tensor = _real_numbers(inputs, field)
    if tensor.ndim == 0 or len(tensor) < 2:
        raise InputError(field, tuple(tensor.shape), "a kernel needs two points or more", "Give an array (n, ...)")
    if not tensor.is_floating_point():
        return tensor.long()
    return tensor.to(dtype)


def _real_numbers(values: Tensor | np.ndarray, field: str) -> Tensor:
    """Return an array as a tensor, if it holds finite real numbers."""
    try:
        tensor = torch.as_tensor(np.asarray(values) if not isinstance(values, Tensor) else values.detach())
    except (TypeError, ValueError):
        kind = np.asarray(values).dtype
        raise InputError(field, str(kind), "these are no numbers", "Give an array of numbers") from None
    if tensor.is_complex():
        raise InputError(field, tuple(tensor.shape), "it has complex numbers", "Give real ones")
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        raise InputError(field, tuple(tensor.shape), "it has numbers that are not finite", "Leave these points out")
    return tensor


def training_targets(targets: Tensor | np.ndarray, dtype: torch.dtype) -> Tensor:
    """Return targets to train on: floats in ``dtype``, integers (classes) as int64."""
    tensor = _real_numbers(targets, "targets")
    return tensor.to(dtype) if tensor.is_floating_point() else tensor.long()


def as_targets(targets: Tensor | np.ndarray | None, count: int) -> Tensor | None:
    """Return targets as float64 (n, columns); integers of more than two values, which are classes, one column each."""
    if targets is None:
        return None
    tensor = _real_numbers(targets, "targets")
    if tensor.ndim not in (1, 2) or len(tensor) != count:
        problem = f"{count} inputs need as many targets, of shape ({count},) or ({count}, outputs)"
        raise InputError("targets", tuple(tensor.shape), problem, "Give one for each input")
    if not tensor.is_floating_point() and tensor.ndim == 1:
        classes, index = tensor.unique(return_inverse=True)
        if len(classes) > 2:
            return nn.functional.one_hot(index, len(classes)).double()
    return tensor.double().reshape(count, -1)


def _named(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:120]}".rstrip(": .") if lines else type(error).__name__
