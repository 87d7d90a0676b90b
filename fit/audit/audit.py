"""The audit of a trained model: which regime it is in, as a whole and by module."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fit.audit.audit_result import Audit, KernelSummary, ModuleVerdict, WeightRow
from fit.audit.interval import Interval, over_points, over_runs
from fit.audit.provenance import made_now
from fit.audit.regime import reason, regime
from theory.curves.equivalent_amplitude import equivalent_amplitude

if TYPE_CHECKING:
    from torch import Tensor

    from simulate.audit.loading import Checkpoint, Make
    from simulate.audit.measure import Cost, Measurement

#: probe points of which a single run's interval is taken by leaving each out; of more, points say enough
MOST_POINTS_LEFT_OUT = 256
#: fields of a parameter's change that are averaged over runs
_WEIGHT_FIELDS = ("change", "spectral_change", "stable_rank")


def audit(
    make: Make,
    before: Checkpoint | Sequence[Checkpoint],
    after: Checkpoint | Sequence[Checkpoint],
    inputs: Tensor | np.ndarray,
    targets: Tensor | np.ndarray | None = None,
    *,
    name: str = "model",
    memory: int | None = None,
    dtype: str | None = None,
    announce: Callable[[Cost], None] | None = None,
    report: Callable[[float], None] | None = None,
) -> Audit:
    """Say which regime a trained model is in: lazy, or learning features.

    Parameters
    ----------
    make : callable
        Returns the model, a `torch.nn.Module`: any inputs, many outputs, tied weights. It is evaluated in evaluation
        mode.
    before, after : checkpoint, or sequence of checkpoints
        The model before and after training: a module, a state dictionary, or a file that holds one (loaded with
        ``weights_only=True``). With several runs, one pair each; verdicts then rest on intervals over runs.
    inputs : array of shape (n, ...)
        Probe points, 64 or so, on which everything is compared; integers are tokens.
    targets : array of shape (n,) or (n, outputs), optional
        For the alignment of the kernel with them; integers of more than two values are classes.
    name : str
        What the model is called.
    memory : int, optional
        Bytes that gradients may take at a time (1 GiB).
    dtype : str, optional
        "float32" or "float64"; by default the model's own.
    announce, report : callable, optional
        Told of the cost before anything long starts, and of the share that is done.

    Returns
    -------
    Audit
        It prints itself, shows itself in notebooks, and writes a page (`Audit.write`).

    Raises
    ------
    InputError
        If a checkpoint, the inputs or the model can't be used: another shape, numbers that are not finite, a model that
        mixes the points of a batch or draws random numbers in evaluation mode.

    Notes
    -----
    Everything is dimensionless. One run says nothing on other seeds.
    """
    import torch

    from simulate.audit.loading import as_inputs, as_targets, build
    from simulate.audit.measure import measure
    from simulate.audit.model_function import ModelFunction
    from simulate.audit.tangent_kernel import MEMORY

    precision = None if dtype is None else {"float32": torch.float32, "float64": torch.float64}[dtype]
    x = as_inputs(inputs, precision or ModelFunction.from_module(build(make)).dtype)
    y = as_targets(targets, len(x))
    measured = measure(
        make, _listed(before), _listed(after), x, memory=memory or MEMORY, dtype=precision, announce=announce,
        report=report,
    )  # fmt: skip
    return judge(measured, None if y is None else y.numpy(), name=name, provenance=made_now())


def _listed(checkpoints: Checkpoint | Sequence[Checkpoint]) -> list[Any]:
    return list(checkpoints) if isinstance(checkpoints, list | tuple) else [checkpoints]


def judge(
    measured: Measurement, targets: np.ndarray | None, *, name: str = "model", provenance: dict | None = None
) -> Audit:
    """Turn measurements into verdicts; ``targets`` has shape (n, columns)."""
    return Audit(
        model=name,
        total=_verdict(measured, "", "model", whole=True),
        modules=tuple(_verdict(measured, module, kind) for module, kind in measured.modules.items()),
        kernel=_kernel_summary(measured, targets),
        weights=_weight_rows(measured),
        runs=len(measured.runs),
        inputs=measured.inputs,
        outputs=measured.outputs,
        combinations=measured.combinations,
        parameters=measured.parameters,
        mapped=measured.mapped,
        dtype=measured.dtype,
        seconds=measured.seconds,
        provenance=provenance or {},
    )


def _kernel_summary(measured: Measurement, targets: np.ndarray | None) -> KernelSummary:
    from simulate.audit.measure import alignment, effective_rank

    before = [run.before.total for run in measured.runs]
    after = [run.after.total for run in measured.runs]

    def alignment_of(kernels: list[np.ndarray]) -> float:
        return math.nan if targets is None else _mean([alignment(kernel, targets) for kernel in kernels])

    return KernelSummary(
        alignment_before=alignment_of(before),
        alignment_after=alignment_of(after),
        rank_before=_mean([effective_rank(kernel) for kernel in before]),
        rank_after=_mean([effective_rank(kernel) for kernel in after]),
        full_change=_mean([_relative_change(run.before.full, run.after.full) for run in measured.runs]),
    )


def _weight_rows(measured: Measurement) -> tuple[WeightRow, ...]:
    rows = []
    for parameter, change in measured.runs[0].weights.items():
        means = [_mean([getattr(run.weights[parameter], field) for run in measured.runs]) for field in _WEIGHT_FIELDS]
        rows.append(WeightRow(parameter, change.shape, *means))
    return tuple(rows)


def _verdict(measured: Measurement, module: str, kind: str, *, whole: bool = False) -> ModuleVerdict:
    kernels = [
        (run.before.total, run.after.total) if whole else (run.before.parts[module], run.after.parts[module])
        for run in measured.runs
    ]
    kernel_change = _kernel_change(kernels)
    shares = [
        np.trace(before) / np.trace(run.before.total) for (before, _), run in zip(kernels, measured.runs, strict=True)
    ]
    outputs = [run.representations[module] for run in measured.runs if module in run.representations]
    unexplained = over_runs([1 - output.tangent_share for output in outputs] or [math.nan])
    # a module whose output can't be seen is judged by its kernel alone
    judged = Interval(0.0, 0.0, 0.0) if math.isnan(unexplained.value) else unexplained
    verdict = regime(kernel_change, judged)
    return ModuleVerdict(
        module=module,
        kind=kind,
        verdict=verdict,
        reason=reason(verdict, kernel_change, judged),
        kernel_change=kernel_change,
        kernel_share=_mean(shares),
        unexplained=unexplained,
        amplitude=equivalent_amplitude(kernel_change.value),
        representation_change=_mean([output.change for output in outputs]) if outputs else math.nan,
        similarity=_mean([output.similarity for output in outputs]) if outputs else math.nan,
    )


def _kernel_change(kernels: Sequence[tuple[np.ndarray, np.ndarray]]) -> Interval:
    """The relative change with its interval, over runs or, of one run, over its probe points."""
    before, after = kernels[0]
    if len(kernels) == 1 and len(before) <= MOST_POINTS_LEFT_OUT:
        return over_points(
            len(before),
            lambda members: _relative_change(before[np.ix_(members, members)], after[np.ix_(members, members)]),
        )
    return over_runs([_relative_change(*pair) for pair in kernels])


def _relative_change(before: np.ndarray | None, after: np.ndarray | None) -> float:
    """||after - before||_F/||before||_F; NaN without kernels, and where both are zero: parameters without effect."""
    if before is None or after is None:
        return math.nan
    size, change = float(np.linalg.norm(before)), float(np.linalg.norm(after - before))
    if size == 0:
        return math.inf if change > 0 else math.nan
    return change / size


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
