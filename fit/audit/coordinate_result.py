"""The answer of a coordinate check, and how it is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from fit.audit.elements import FigureOnPage, Table, plain, signed
from fit.audit.result import Result
from lazyrich.wording import counted

Scaling = Literal["stable", "vanishes", "blows up", "not decided"]

#: a power within 0 ± MARGIN is stable: just under half the spacing of 1/2 between the powers met in practice
MARGIN = 0.2
WORST_FIRST: tuple[Scaling, ...] = ("blows up", "vanishes", "not decided", "stable")
_HEADLINE_ORDER: tuple[Scaling, ...] = ("blows up", "vanishes", "stable", "not decided")
_PLURAL = {"blows up": "blow up", "vanishes": "vanish"}


@dataclass(frozen=True)
class ModuleScaling:
    """How one module's output moves with the size of the model."""

    module: str
    verdict: Scaling
    power: float | None  #: of the size in the rms change; None where nothing moves
    low: float | None  #: of the 95 % interval
    high: float | None
    expected: float | None  #: by theory, for the model as it is; None where theory has no expectation
    own_step: float | None  #: of the part that the module's own step makes, by theory
    a: float | None  #: its output is size^-a times its weights on its input
    b: float | None  #: the spread of its initial weights goes as size^-b
    c: float | None  #: its learning rate goes as size^-c
    initial_power: float | None  #: of the size in the output's own rms at the start
    moves: bool  #: whether its output changes at all: that of a layer on the inputs alone, or one not trained, does not
    awaits_gradient: bool  #: it goes into a softmax, and vanishes as its gradient does at the start: not decided


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
        """Of the whole model: the worst of its modules that move."""
        verdicts = {module.verdict for module in self.modules if module.moves}
        return next((verdict for verdict in WORST_FIRST if verdict in verdicts), "not decided")

    @property
    def suspects(self) -> tuple[ModuleScaling, ...]:
        """The modules to look at first: whose own step has another power than 0, those not stable if there are none."""
        not_stable = [module for module in self.modules if module.verdict in ("vanishes", "blows up")]
        by_own_step = [m for m in not_stable if m.own_step is not None and abs(m.own_step) > MARGIN]
        return tuple(by_own_step or not_stable)

    def headline(self) -> str:
        """See `Result`."""
        count = Counter(module.verdict if module.moves else "not moved" for module in self.modules)
        parts = ", ".join(
            f"{count[verdict]} {verdict if count[verdict] == 1 else _PLURAL.get(verdict, verdict)}"
            for verdict in (*_HEADLINE_ORDER, "not moved")
            if count[verdict]
        )
        text = f"{self.model}: {self.verdict} with the {self.axis} — of {count.total()} modules, {parts}."
        if self.suspects:
            text += f" Look first at: {', '.join(module.module for module in self.suspects[:4])}."
        waiting = [module.module for module in self.modules if module.awaits_gradient]
        if waiting:
            text += (
                f" Not decided: {', '.join(waiting[:4])} moves in proportion to its gradient, which vanishes in the "
                "first steps of healthy attention; more steps or a larger rate decide."
            )
        return text

    def tables(self) -> list[Table]:
        """See `Result`."""
        rows = tuple(
            (
                module.module,
                signed(module.power),
                "–" if module.low is None or module.high is None else f"{signed(module.low)}…{signed(module.high)}",
                signed(module.expected),
                signed(module.own_step),
                signed(module.initial_power),
                signed(module.a),
                signed(module.b),
                signed(module.c),
                module.verdict,
            )
            for module in self.modules
        )
        power = f"power of the {self.axis}"
        columns = ("module", power, "95 %", "expected", "own step", "size at start", "a", "b", "c", "verdict")
        note = (
            f"Powers of the {self.axis} in the rms change of each module's output. Expected: by theory, for the model "
            "as it is; own step: the part that the module's own weights make. Size at start: the power in the output "
            "itself. a, b, c: its output is a multiplier h⁻ᵃ times its weights, which start with a spread h⁻ᵇ and "
            "have a rate h⁻ᶜ, all as measured."
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
        after = counted(self.judged_after, "step")
        caption = f"Rms change of each module's output after {after}, geometric mean over seeds."
        return [power_lines("coordinate_check", curves, (self.axis, "rms change of the output"), caption)]

    def method(self) -> list[str]:
        """See `Result`."""
        return [
            f"make was called with {self.axis} {', '.join(map(str, self.sizes))}, {self.seeds} independent draws of "
            f"initial weights each, and trained for {self.steps[-1]} steps of {self.optimizer} with rate "
            f"{self.rate:g}, in evaluation mode, on all points at once. What goes into a softmax is treated like a "
            "module. The first of the steps after which a module blows up is judged, or the last if none does: here "
            f"step {self.judged_after}.",
            "Powers are regressions of the logarithm of the rms change on that of the size, over all draws; intervals "
            "are Student's. stable: the 90 % interval lies within 0 ± "
            f"{MARGIN}; vanishes, blows up: the 95 % interval lies wholly outside, after Holm's correction for all "
            "modules; the margin is just under half the spacing of 1/2 between the powers met in practice. What goes "
            "into a softmax vanishes only if its change in proportion to its gradient does, where steps are in "
            "proportion to gradients: in the first steps the gradient of attention is a sum of random signs.",
            "Expected powers: of a module's own step, −c + g + 2x + s (SGD) or −c + x + s (Adam), with the power −c of "
            "its rate, g of the gradient by its output, x of its input, and s of its number of inputs, all measured on "
            "the model; or, if larger, what its initial weights make of its input's change.",
        ]

    def to_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "model": self.model,
            "verdict": self.verdict,
            "suspects": [module.module for module in self.suspects],
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
                    "module": module.module,
                    "verdict": module.verdict,
                    "power": plain(module.power),
                    "ci_low": plain(module.low),
                    "ci_high": plain(module.high),
                    "expected": plain(module.expected),
                    "own_step": plain(module.own_step),
                    "a": plain(module.a),
                    "b": plain(module.b),
                    "c": plain(module.c),
                    "initial_power": plain(module.initial_power),
                    "awaits_gradient": module.awaits_gradient,
                }
                for module in self.modules
            ],
        }
