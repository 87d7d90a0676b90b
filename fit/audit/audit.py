"""The audit of a trained model: which regime it is in, as a whole and by module."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fit.audit.interval import Interval, over_points, over_runs
from fit.audit.regime import Regime, reason, regime
from fit.audit.result import FigureOnPage, Result, Table, number, percent, plain
from theory.curves.equivalent_amplitude import LAZY_LEVEL, LINEAR_SHARE, equivalent_amplitude

if TYPE_CHECKING:
    from torch import Tensor

    from simulate.audit.loading import Checkpoint, Make
    from simulate.audit.measure import Cost, Measurement

#: probe points of which a single run's interval is taken by leaving each out; of more, points say enough
MOST_POINTS_LEFT_OUT = 256


@dataclass(frozen=True)
class ModuleVerdict:
    """A module that owns trained parameters, or the whole model (module "")."""

    module: str
    kind: str  #: class name
    verdict: Regime
    reason: str
    kernel_change: Interval  #: of the part of the kernel that its parameters make
    kernel_share: float  #: of the trace of the kernel before training
    unexplained: Interval  #: share of its output's change that the linearised model leaves
    amplitude: float  #: the simplest network's A = sqrt(h)·alpha with this kernel change
    representation_change: float
    similarity: float  #: centred kernel alignment of its outputs before and after


@dataclass(frozen=True)
class WeightRow:
    """The change of one parameter, averaged over runs."""

    parameter: str
    shape: tuple[int, ...]
    change: float
    spectral_change: float
    stable_rank: float


@dataclass(frozen=True)
class KernelSummary:
    """The whole kernel, averaged over runs."""

    alignment_before: float  #: with the targets; NaN without targets
    alignment_after: float
    rank_before: float  #: effective: (tr K)²/tr K²
    rank_after: float
    full_change: float  #: relative change of the kernel between all pairs of outputs; NaN where they are many


@dataclass(frozen=True, repr=False)
class Audit(Result):
    """Which regime a trained model is in.

    Attributes
    ----------
    total : ModuleVerdict
        Of the whole model.
    modules : tuple of ModuleVerdict
        Of each module that owns trained parameters, in the order of the model.
    kernel : KernelSummary
    weights : tuple of WeightRow
    runs, inputs, outputs, combinations, parameters : int
        What was measured; ``combinations`` of outputs carry the kernel.
    mapped : bool
        Whether gradients were taken together (`torch.func.vmap`).
    seconds : float
        What the measurement took.
    """

    name = "audit"
    title = "Lazy or feature training"

    model: str
    total: ModuleVerdict
    modules: tuple[ModuleVerdict, ...]
    kernel: KernelSummary
    weights: tuple[WeightRow, ...]
    runs: int
    inputs: int
    outputs: int
    combinations: int
    parameters: int
    mapped: bool
    dtype: str
    seconds: float
    provenance: dict[str, Any]

    @property
    def verdict(self) -> Regime:
        """Of the whole model."""
        return self.total.verdict

    def headline(self) -> str:
        """See `Result`."""
        amplitude = number(self.total.amplitude, 2)
        return f"{self.model}: {self.verdict} — {self.total.reason}; as if sqrt(h)·alpha = {amplitude}."

    def tables(self) -> list[Table]:
        """See `Result`."""
        rows = [_cells(one) for one in (self.total, *self.modules)]
        note = (
            "Kernel change: of the part of the tangent kernel that the module's parameters make. Tangent: the share of "
            "the change of its output that the linearised model explains. CKA: alignment of its outputs on the probe "
            "points before and after. A: the simplest network whose kernel changes as much."
        )
        weights = tuple(
            (row.parameter, "×".join(map(str, row.shape)) or "1", number(row.change), number(row.spectral_change),
             number(row.stable_rank))
            for row in self.weights
        )  # fmt: skip
        k = self.kernel
        return [
            Table(
                "By module", _COLUMNS, tuple(rows), note, brief=("module", "kernel change", "tangent", "A", "verdict")
            ),
            Table(
                "The tangent kernel on the probe points",
                ("", "before", "after"),
                (
                    ("alignment with the targets", number(k.alignment_before), number(k.alignment_after)),
                    ("effective rank", number(k.rank_before), number(k.rank_after)),
                    ("relative change, all pairs of outputs", "", number(k.full_change)),
                ),
            ),
            Table(
                "By parameter",
                ("parameter", "shape", "‖ΔW‖/‖W₀‖ (Frobenius)", "‖ΔW‖/‖W₀‖ (spectral)", "stable rank of ΔW"),
                weights,
                "Stable rank: squared Frobenius over squared spectral norm; 1 is a single direction.",
            ),
        ]

    def figures(self) -> list[FigureOnPage]:
        """See `Result`."""
        from fit.audit.figures import crossover_figure, kernel_changes

        named = {one.module or "whole model": one for one in (self.total, *self.modules)}
        return [
            kernel_changes({name: one.kernel_change for name, one in named.items()}),
            crossover_figure({name: one.kernel_change.value for name, one in named.items()}),
        ]

    def method(self) -> list[str]:
        """See `Result`."""
        outputs = f"traced over its {self.outputs} outputs"
        if self.combinations < self.outputs:
            outputs = f"over {self.combinations} fixed random combinations of its {self.outputs} outputs"
        rows = "together (torch.func.vmap)" if self.mapped else "one by one (its forward can't be mapped)"
        return [
            f"The model was evaluated in evaluation mode on {self.inputs} probe points, in {self.dtype}. Its tangent "
            f"kernel, {outputs}, was formed in tiles; gradients were taken {rows}. Checkpoints have their own buffers.",
            "The linearised model is f₀ + J₀Δw, with Δw the change of all trained parameters; its share of a change is "
            "1 − ‖f_T − f₀ − J₀Δw‖²/‖f_T − f₀‖².",
            f"Levels: a kernel change of 1 is the crossover; {LAZY_LEVEL:.3f} is that of the simplest network (one "
            f"linear hidden layer, one training point) half a decade of sqrt(h)·alpha on the lazy side; a lazy model's "
            f"tangent explains {LINEAR_SHARE:.0%}. The same network gives the equivalent sqrt(h)·alpha.",
            "Intervals (95 %) are Student's over runs where there are several; of one run, a jackknife over the probe "
            "points says how much the number depends on them, and nothing on other seeds.",
        ]

    def to_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "model": self.model,
            "verdict": self.verdict,
            "total": _module_json(self.total),
            "modules": [_module_json(one) for one in self.modules],
            "kernel": {key: plain(value) for key, value in asdict(self.kernel).items()},
            "parameters": [
                {"parameter": row.parameter, "shape": list(row.shape), "change": plain(row.change),
                 "spectral_change": plain(row.spectral_change), "stable_rank": plain(row.stable_rank)}
                for row in self.weights
            ],
            "runs": self.runs, "inputs": self.inputs, "outputs": self.outputs, "combinations": self.combinations,
            "trained_parameters": self.parameters, "mapped": self.mapped, "dtype": self.dtype,
            "seconds": round(self.seconds, 3),
            "levels": {"lazy": LAZY_LEVEL, "crossover": 1.0, "linear_share": LINEAR_SHARE},
        }  # fmt: skip


_COLUMNS = ("module", "kernel change", "95 %", "tangent", "representation", "CKA", "A", "verdict")


def _cells(one: ModuleVerdict) -> tuple[str, ...]:
    change = one.kernel_change
    span = "–" if change.over == "none" else f"{number(change.low, 2)}…{number(change.high, 2)}"
    return (
        f"{one.module} ({one.kind})" if one.module else "whole model",
        number(change.value),
        span,
        percent(1 - one.unexplained.value),
        number(one.representation_change),
        number(one.similarity),
        number(one.amplitude, 2),
        one.verdict,
    )


def _module_json(one: ModuleVerdict) -> dict[str, Any]:
    def interval(value: Interval) -> dict[str, Any]:
        return {"value": plain(value.value), "low": plain(value.low), "high": plain(value.high), "over": value.over}

    return {
        "module": one.module,
        "kind": one.kind,
        "verdict": one.verdict,
        "reason": one.reason,
        "kernel_change": interval(one.kernel_change),
        "kernel_share": plain(one.kernel_share),
        "unexplained": interval(one.unexplained),
        "root_h_alpha": plain(one.amplitude),
        "representation_change": plain(one.representation_change),
        "similarity": plain(one.similarity),
    }


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
    from simulate.store.provenance import commit, now, versions

    precision = None if dtype is None else {"float32": torch.float32, "float64": torch.float64}[dtype]
    x = as_inputs(inputs, precision or ModelFunction.of(build(make)).dtype)
    y = as_targets(targets, len(x))
    first, last = _listed(before), _listed(after)
    measured = measure(make, first, last, x, memory=memory or MEMORY, dtype=precision, announce=announce, report=report)
    origin = {"versions": versions(), "commit": commit(), "created": now()}
    return judge(measured, None if y is None else y.numpy(), name=name, provenance=origin)


def _listed(checkpoints: Checkpoint | Sequence[Checkpoint]) -> list[Any]:
    return list(checkpoints) if isinstance(checkpoints, list | tuple) else [checkpoints]


def judge(
    measured: Measurement, targets: np.ndarray | None, *, name: str = "model", provenance: dict | None = None
) -> Audit:
    """Turn measurements into verdicts; ``targets`` has shape (n, columns)."""
    from simulate.audit.measure import alignment, effective_rank

    modules = [_module(measured, module, kind) for module, kind in measured.modules.items()]
    pairs = [(run.before.total, run.after.total) for run in measured.runs]

    def mean(values: Sequence[float]) -> float:
        return float(np.mean(values))

    def aligned(which: int) -> float:
        return math.nan if targets is None else mean([alignment(pair[which], targets) for pair in pairs])

    summary = KernelSummary(
        alignment_before=aligned(0),
        alignment_after=aligned(1),
        rank_before=mean([effective_rank(pair[0]) for pair in pairs]),
        rank_after=mean([effective_rank(pair[1]) for pair in pairs]),
        full_change=mean([_relative(run.before.full, run.after.full) for run in measured.runs]),
    )
    weights = tuple(
        WeightRow(
            parameter,
            first.shape,
            *(mean([getattr(run.weights[parameter], field) for run in measured.runs]) for field in _WEIGHT_FIELDS),
        )
        for parameter, first in measured.runs[0].weights.items()
    )
    return Audit(
        model=name,
        total=_module(measured, "", "model", whole=True),
        modules=tuple(modules),
        kernel=summary,
        weights=weights,
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


_WEIGHT_FIELDS = ("change", "spectral_change", "stable_rank")


def _module(measured: Measurement, module: str, kind: str, *, whole: bool = False) -> ModuleVerdict:
    kernels = [
        (run.before.total, run.after.total) if whole else (run.before.parts[module], run.after.parts[module])
        for run in measured.runs
    ]
    if len(kernels) == 1 and measured.inputs <= MOST_POINTS_LEFT_OUT:
        before, after = kernels[0]
        kernel_change = over_points(
            measured.inputs, lambda left: _relative(before[np.ix_(left, left)], after[np.ix_(left, left)])
        )
    else:
        kernel_change = over_runs([_relative(*pair) for pair in kernels])
    shares = [np.trace(own) / np.trace(run.before.total) for (own, _), run in zip(kernels, measured.runs, strict=True)]
    seen = [run.representations[module] for run in measured.runs if module in run.representations]
    unexplained = over_runs([1 - one.tangent_share for one in seen] or [math.nan])
    # a module whose output can't be seen is judged by its kernel alone
    judged = Interval(0.0, 0.0, 0.0) if math.isnan(unexplained.value) else unexplained
    verdict = regime(kernel_change, judged)
    return ModuleVerdict(
        module=module,
        kind=kind,
        verdict=verdict,
        reason=reason(verdict, kernel_change, judged),
        kernel_change=kernel_change,
        kernel_share=float(np.mean(shares)),
        unexplained=unexplained,
        amplitude=equivalent_amplitude(kernel_change.value),
        representation_change=float(np.mean([one.change for one in seen])) if seen else math.nan,
        similarity=float(np.mean([one.similarity for one in seen])) if seen else math.nan,
    )  # fmt: skip


def _relative(before: np.ndarray | None, after: np.ndarray | None) -> float:
    """||after - before||_F/||before||_F; 0 where neither is anything; NaN without kernels."""
    if before is None or after is None:
        return math.nan
    size, change = float(np.linalg.norm(before)), float(np.linalg.norm(after - before))
    return 0.0 if change == 0 else change / size if size > 0 else math.inf
