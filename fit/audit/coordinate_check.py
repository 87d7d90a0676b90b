r"""The coordinate check: the power of the width with which each module's output moves in a few steps, and a verdict.

*stable*: the 90 % interval of the power lies within 0 ± MARGIN; *vanishes*, *blows up*: the 95 % interval lies wholly
below, above it, after Holm's correction for all modules; *not decided*: neither. The powers that occur are multiples of
1/2: the margin is just below half the distance between them.

Beside it, what theory expects of this model: the module's own step, from its rate, its input and the gradient at its
output (`theory.coordinate_check.own_change`), or what it passes on of its input's change, whichever is larger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from fit.audit.result import FigureOnPage, Result, Table, plain
from fit.estimators.between import slope_between
from fit.estimators.estimate import Estimate
from fit.judge.decision import significant
from theory.coordinate_check import own_change

if TYPE_CHECKING:
    from simulate.audit.loading import Make
    from simulate.audit.training import MakeOptimizer, TrainingData

Scaling = Literal["stable", "vanishes", "blows up", "not decided"]

MARGIN = 0.2
OUTPUT = "output"


@dataclass(frozen=True)
class ModuleScaling:
    """How one module's output moves with the size of the model."""

    module: str
    verdict: Scaling
    power: float | None  #: of the size in the rms change; None where nothing moves
    low: float | None  #: of the 95 % interval
    high: float | None
    expected: float | None  #: by theory, for the model as it is; None where theory has no expectation
    own: float | None  #: of the module's own step, by theory
    a: float | None  #: its output is size^-a times its weights on its input
    b: float | None  #: the spread of its initial weights goes as size^-b
    c: float | None  #: its learning rate goes as size^-c
    initial_power: float | None  #: of the size in the output's own rms at the start


@dataclass(frozen=True, repr=False)
class CoordinateCheck(Result):
    """Whether activations move alike at all sizes of a model."""

    name = "coordinate_check"
    title = "Does it keep its regime as it grows?"

    model: str
    axis: str
    sizes: tuple[int, ...]
    seeds: int
    steps: tuple[int, ...]
    optimizer: str
    rate: float
    judged_after: int  #: the step whose activations were judged
    modules: tuple[ModuleScaling, ...]
    data: xr.Dataset
    provenance: dict[str, Any]

    @property
    def verdict(self) -> Scaling:
        """Of the whole model: the worst of its modules."""
        found = {one.verdict for one in self.modules}
        for word in ("blows up", "vanishes", "not decided"):
            if word in found:
                return word  # type: ignore[return-value]
        return "stable"

    @property
    def suspects(self) -> tuple[ModuleScaling, ...]:
        """The modules to look at first: whose own step has another power than 0, those not stable if there are none."""
        bad = [one for one in self.modules if one.verdict in ("vanishes", "blows up")]
        own = [one for one in bad if one.own is not None and abs(one.own) > MARGIN]
        return tuple(own or bad)

    def headline(self) -> str:
        """See `Result`."""
        count = {word: sum(one.verdict == word for one in self.modules) for word in _WORDS}
        parts = ", ".join(f"{count[word]} {word}" for word in _WORDS if count[word])
        text = f"{self.model}: {self.verdict} with the {self.axis} — of {len(self.modules)} modules, {parts}."
        if self.suspects:
            text += f" Look first at: {', '.join(one.module for one in self.suspects[:4])}."
        return text

    def tables(self) -> list[Table]:
        """See `Result`."""
        rows = tuple(
            (
                one.module,
                _signed(one.power),
                "–" if one.low is None or one.high is None else f"{_signed(one.low)}…{_signed(one.high)}",
                _signed(one.expected),
                _signed(one.own),
                _signed(one.initial_power),
                _signed(one.a),
                _signed(one.b),
                _signed(one.c),
                one.verdict,
            )
            for one in self.modules
        )
        power = f"power of the {self.axis}"
        columns = ("module", power, "95 %", "expected", "own step", "size at start", "a", "b", "c", "verdict")
        note = (
            f"Powers of the {self.axis} in the rms change of each module's output. Expected: by theory, for the model "
            "as it is; own step: the part that the module's own weights make. Size at start: the power in the output "
            "itself. a, b, c: its output is a multiplier h^−a times its weights, which start with a spread h^−b and "
            "have a rate h^−c, all as measured."
        )
        return [Table("By module", columns, rows, note, brief=("module", power, "95 %", "expected", "verdict"))]

    def figures(self) -> list[FigureOnPage]:
        """See `Result`."""
        from fit.audit.figures import power_lines

        change = self.data["change"].sel(step=self.judged_after)
        curves = {
            name: (
                np.array(self.sizes),
                np.exp(np.log(change.sel(module=name).transpose("size", "seed").values).mean(axis=1)),
            )
            for name in self.data.module.values
            if bool((change.sel(module=name) > 0).all())
        }
        caption = f"Rms change of each module's output after {self.judged_after} steps, geometric mean over seeds."
        return [power_lines("coordinate_check", curves, (self.axis, "rms change of the output"), caption)]

    def method(self) -> list[str]:
        """See `Result`."""
        return [
            f"make was called with {self.axis} {', '.join(map(str, self.sizes))}, {self.seeds} independent draws of "
            f"initial weights each, and trained for {self.steps[-1]} steps of {self.optimizer} with rate "
            f"{self.rate:g}, in evaluation mode, on all points at once. What goes into a softmax is looked at like a "
            "module. The first of the steps after which a module blows up is judged, or the last if none does: here "
            f"step {self.judged_after}.",
            "Powers are regressions of the logarithm of the rms change on that of the size, over all draws; intervals "
            "are Student's. stable: the 90 % interval lies within 0 ± "
            f"{MARGIN}; vanishes, blows up: the 95 % interval lies wholly outside, after Holm's correction for all "
            "modules; the margin is just below half the distance of 1/2 between the powers that occur.",
            "Expected powers: of a module's own step, −c + g + 2x + s (SGD) or −c + x + s (Adam), with the power −c of "
            "its rate, g of the gradient by its output, x of its input, and s of its number of inputs, all measured on "
            "the model; or, if larger, what its initial weights make of its input's change.",
        ]

    def to_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "model": self.model,
            "verdict": self.verdict,
            "suspects": [one.module for one in self.suspects],
            "axis": self.axis,
            "sizes": list(self.sizes),
            "seeds": self.seeds,
            "steps": list(self.steps),
            "judged_after": self.judged_after,
            "optimizer": self.optimizer,
            "rate": self.rate,
            "margin": MARGIN,
            "modules": [
                {
                    "module": one.module,
                    "verdict": one.verdict,
                    "power": plain(one.power),
                    "ci_low": plain(one.low),
                    "ci_high": plain(one.high),
                    "expected": plain(one.expected),
                    "own_step": plain(one.own),
                    "a": plain(one.a),
                    "b": plain(one.b),
                    "c": plain(one.c),
                    "initial_power": plain(one.initial_power),
                }
                for one in self.modules
            ],
        }


_WORDS: tuple[Scaling, ...] = ("blows up", "vanishes", "stable", "not decided")


def _signed(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:z.2f}".replace("-", "−")


def coordinate_check(
    make: Make,
    sizes: Sequence[int],
    *,
    axis: str = "width",
    optimizer: str | MakeOptimizer = "adam",
    rate: float = 1e-3,
    steps: Sequence[int] = (1, 5),
    seeds: int = 8,
    first_seed: int = 0,
    data: TrainingData | None = None,
    name: str = "model",
    report: Callable[[float], None] | None = None,
) -> CoordinateCheck:
    """Say whether activations of a model move alike at all its sizes.

    See `simulate.audit.coordinates.coordinates` for the arguments.
    """
    from simulate.audit.coordinates import coordinates
    from simulate.store.provenance import commit, now, versions

    measured = coordinates(
        make,
        sizes,
        axis=axis,
        optimizer=optimizer,
        rate=rate,
        at_steps=steps,
        seeds=seeds,
        first_seed=first_seed,
        data=data,
        report=report,
    )
    origin = {"versions": versions(), "commit": commit(), "created": now()}
    named = optimizer if isinstance(optimizer, str) else getattr(optimizer, "__name__", "an optimiser")
    return judge_scaling(measured, name=name, optimizer=named, provenance=origin)


def judge_scaling(
    data: xr.Dataset, *, name: str = "model", optimizer: str = "", provenance: dict[str, Any] | None = None
) -> CoordinateCheck:
    """Turn measured activations into verdicts."""
    modules = [str(module) for module in data.module.values]
    by_step = {
        int(step): [_power(data["change"].sel(step=step, module=module), data) for module in modules]
        for step in data["step"].values
    }
    judged = [(step, k) for step, row in by_step.items() for k, estimate in enumerate(row) if estimate is not None]
    p_values = [by_step[step][k].p_value_within(0.0, MARGIN) for step, k in judged]  # type: ignore[union-attr]
    excluded = {one for one, yes in zip(judged, significant(p_values), strict=True) if yes}
    step = _decisive_step(by_step, excluded)
    rows = []
    for k, module in enumerate(modules):
        estimate = by_step[step][k]
        expectation = _expected(data, module, step)
        interval = (None, None) if estimate is None else estimate.interval(0.95)
        rows.append(
            ModuleScaling(
                module=module,
                verdict=_verdict(estimate, (step, k) in excluded),
                power=None if estimate is None else estimate.value,
                low=interval[0],
                high=interval[1],
                expected=expectation.total,
                own=expectation.own,
                a=expectation.a,
                b=expectation.b,
                c=expectation.c,
                initial_power=_slope(data["initial"].sel(module=module), data),
            )
        )
    return CoordinateCheck(
        model=name,
        axis=data.attrs["axis"],
        sizes=tuple(int(size) for size in data["size"].values),
        seeds=int(data.attrs["seeds"]),
        steps=tuple(int(step) for step in data["step"].values),
        optimizer=optimizer or str(data.attrs["optimizer"]),
        rate=float(data.attrs["rate"]),
        judged_after=step,
        modules=tuple(rows),
        data=data,
        provenance=provenance or {},
    )


def _decisive_step(by_step: dict[int, list[Estimate | None]], excluded: set[tuple[int, int]]) -> int:
    """The first step after which a module blows up, else the last that can be measured.

    Once a module blows up the others follow, saturate or diverge. What vanishes at first may wait for a layer that
    starts at zero.
    """
    for step, row in by_step.items():
        if any(e is not None and e.value > 0 and (step, k) in excluded for k, e in enumerate(row)):
            return step
    measured = [step for step, row in by_step.items() if any(e is not None for e in row)]
    return max(measured or by_step)


def _verdict(estimate: Estimate | None, excluded: bool) -> Scaling:
    if estimate is None:
        return "not decided"
    if excluded:
        return "vanishes" if estimate.value < 0 else "blows up"
    low, high = estimate.interval(0.90)
    return "stable" if low >= -MARGIN and high <= MARGIN else "not decided"


def _logs(values: xr.DataArray, data: xr.Dataset) -> tuple[np.ndarray, np.ndarray] | None:
    """Logarithms of sizes and of values (size, ...), flat; None where any value is zero or missing."""
    values = values.transpose("size", ...)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values.values.reshape(len(values["size"]), -1))
    if not np.isfinite(logs).all():
        return None
    sizes = np.broadcast_to(np.log(data["size"].values.astype(float))[:, None], logs.shape)
    return sizes.ravel(), logs.ravel()


def _power(values: xr.DataArray, data: xr.Dataset) -> Estimate | None:
    """The power of the size in values (size, ...), with its intervals."""
    logs = _logs(values, data)
    return None if logs is None else slope_between(*logs)


def _slope(values: xr.DataArray, data: xr.Dataset) -> float | None:
    """The power alone."""
    logs = _logs(values, data)
    return None if logs is None else float(np.polyfit(*logs, 1)[0])


@dataclass(frozen=True)
class _Expectation:
    """What theory expects of a module, and the exponents it follows from; None where a module has no weights."""

    own: float | None = None
    total: float | None = None
    a: float | None = None
    b: float | None = None
    c: float | None = None


def _expected(data: xr.Dataset, module: str, step: int) -> _Expectation:
    """What theory expects of a module's own step and of its change as a whole, after ``step`` steps."""
    kind = data.attrs["optimizer"]
    at = data.sel(module=module, step=step)

    def power(name: str) -> float | None:
        return _slope(at[name], data)

    inherited, rate, spread = power("input_change"), power("rate"), power("spread")
    if rate is None:  # no parameters of its own: it passes on what it gets
        return _Expectation(total=inherited)
    matrix = bool((at["fan_in"] > 1).all())
    wide = (power("fan_in") or 0.0) > 0.5
    multiplier = 0.0
    if spread is not None and matrix:
        # out = multiplier · W x, with random signs
        ratio = at["initial"] / (at["spread"] * at["input"].fillna(1.0) * np.sqrt(at["fan_in"]))
        multiplier = -(_slope(ratio, data) or 0.0)
    own, backward = None, power("backward")
    if kind == "adam" or (kind == "sgd" and backward is not None):
        own = own_change(
            kind,
            rate=-rate,
            multiplier=multiplier,
            backward=backward or 0.0,
            inputs=power("input") or 0.0,
            wide_inputs=wide,
        )
    passed = inherited
    if inherited is not None and spread is not None and matrix:
        # the change of a readout's input follows the readout's weights: coherent
        signs = (1.0 if (power("fan_out") or 0.0) < 0.5 else 0.5) if wide else 0.0
        passed = inherited + signs + spread - multiplier
    total = None if own is None else own if passed is None else max(own, passed)
    return _Expectation(own, total, multiplier if matrix else None, None if spread is None else -spread, -rate)
