"""The answer of an audit of a trained model, and how it is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fit.audit.elements import FigureOnPage, Table, number, percent, plain
from fit.audit.interval import Interval
from fit.audit.regime import Regime
from fit.audit.result import Result
from theory.curves.equivalent_amplitude import CROSSOVER_LEVEL, LAZY_LEVEL, LINEAR_SHARE


@dataclass(frozen=True)
class ModuleVerdict:
    """A module that owns trained parameters, or the whole model."""

    module: str  #: "" for the whole model, and for parameters that the model itself owns
    kind: str  #: class name; "model" for the whole model
    verdict: Regime
    reason: str
    kernel_change: Interval  #: of the part of the kernel that its parameters make
    kernel_share: float  #: of the trace of the kernel before training
    unexplained: Interval  #: share of its output's change that the linearised model leaves
    amplitude: float  #: the simplest network's A = sqrt(h)·alpha with this kernel change
    representation_change: float
    similarity: float  #: centred kernel alignment of its outputs before and after

    @property
    def label(self) -> str:
        """How tables and figures call it."""
        if self.kind == "model":
            return "whole model"
        return f"{self.module} ({self.kind})" if self.module else f"({self.kind} itself)"


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
        return f"{self.model}: {self.verdict} — {self.total.reason}; as if √h·α = {amplitude}."

    def tables(self) -> list[Table]:
        """See `Result`."""
        rows = [_cells(module) for module in (self.total, *self.modules)]
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
        kernel = self.kernel
        return [
            Table(
                "By module", _COLUMNS, tuple(rows), note, brief=("module", "kernel change", "tangent", "A", "verdict")
            ),
            Table(
                "The tangent kernel on the probe points",
                ("", "before", "after"),
                (
                    ("alignment with the targets", number(kernel.alignment_before), number(kernel.alignment_after)),
                    ("effective rank", number(kernel.rank_before), number(kernel.rank_after)),
                    ("relative change, all pairs of outputs", "", number(kernel.full_change)),
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

        changes = {verdict.label: verdict.kernel_change for verdict in (self.total, *self.modules)}
        return [
            kernel_changes(changes),
            crossover_figure({name: change.value for name, change in changes.items()}),
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
            f"linear hidden layer, one training point) half a decade of √h·α on the lazy side; a lazy model's "
            f"tangent explains {LINEAR_SHARE * 100:g} %. The same network gives the equivalent √h·α.",
            "Intervals (95 %) are Student's over runs where there are several; of one run, a jackknife over the probe "
            "points says how much the number depends on them, and nothing on other seeds.",
        ]

    def to_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "model": self.model,
            "verdict": self.verdict,
            "total": _module_json(self.total),
            "modules": [_module_json(module) for module in self.modules],
            "kernel": {key: plain(value) for key, value in asdict(self.kernel).items()},
            "parameters": [
                {"parameter": row.parameter, "shape": list(row.shape), "change": plain(row.change),
                 "spectral_change": plain(row.spectral_change), "stable_rank": plain(row.stable_rank)}
                for row in self.weights
            ],
            "runs": self.runs, "inputs": self.inputs, "outputs": self.outputs, "combinations": self.combinations,
            "trained_parameters": self.parameters, "mapped": self.mapped, "dtype": self.dtype,
            "seconds": round(self.seconds, 3),
            "levels": {"lazy": LAZY_LEVEL, "crossover": CROSSOVER_LEVEL, "linear_share": LINEAR_SHARE},
        }  # fmt: skip


_COLUMNS = ("module", "kernel change", "95 %", "tangent", "representation", "CKA", "A", "verdict")


def _cells(module: ModuleVerdict) -> tuple[str, ...]:
    change = module.kernel_change
    span = "–" if change.over == "none" else f"{number(change.low, 2)}…{number(change.high, 2)}"
    return (
        module.label,
        number(change.value),
        span,
        percent(1 - module.unexplained.value),
        number(module.representation_change),
        number(module.similarity),
        number(module.amplitude, 2),
        module.verdict,
    )


def _module_json(module: ModuleVerdict) -> dict[str, Any]:
    def interval(value: Interval) -> dict[str, Any]:
        return {"value": plain(value.value), "low": plain(value.low), "high": plain(value.high), "over": value.over}

    return {
        "module": module.module,
        "kind": module.kind,
        "verdict": module.verdict,
        "reason": module.reason,
        "kernel_change": interval(module.kernel_change),
        "kernel_share": plain(module.kernel_share),
        "unexplained": interval(module.unexplained),
        "root_h_alpha": plain(module.amplitude),
        "representation_change": plain(module.representation_change),
        "similarity": plain(module.similarity),
    }
