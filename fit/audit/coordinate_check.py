r"""The coordinate check: the power of the width with which each module's output moves in a few steps, and a verdict.

*stable*: the 90 % interval of the power lies within 0 ± MARGIN; *vanishes*, *blows up*: the 95 % interval lies wholly
below, above it, after Holm's correction for all modules; *not decided*: neither. The powers met in
practice are multiples of 1/2: the margin is just under half their spacing.

What goes into the softmax of attention may vanish in the first steps of a healthy model: at the start its gradient is
a sum of random signs, smaller by h^(-1/2) than it becomes, and steps in proportion to the gradient are too
(`theory.coordinate_check`, "Attention"). It is said to vanish only if it does so in proportion to its gradient; if it
moves as its gradient asks, a few steps do not decide.

Beside it, what theory expects of this model: the module's own step, from its rate, its input and the gradient at its
output (`theory.coordinate_check.own_step_power`), or what it passes on of its input's change, whichever is larger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from fit.audit.coordinate_result import MARGIN, CoordinateCheck, ModuleScaling, Scaling
from fit.audit.expected_scaling import expected_scaling
from fit.audit.power_of_size import plain_power, power_of_size
from fit.audit.provenance import made_now
from fit.estimators.estimate import Estimate
from fit.judge.decision import significant

if TYPE_CHECKING:
    from simulate.audit.loading import Make
    from simulate.audit.training import MakeOptimizer, TrainingData


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
    optimizer_name = optimizer if isinstance(optimizer, str) else getattr(optimizer, "__name__", "an optimiser")
    return judge_scaling(measured, name=name, optimizer=optimizer_name, provenance=made_now())


def judge_scaling(
    data: xr.Dataset, *, name: str = "model", optimizer: str = "", provenance: dict[str, Any] | None = None
) -> CoordinateCheck:
    """Turn measured activations into verdicts."""
    modules = [str(module) for module in data.module.values]
    powers = {
        (int(step), module): power_of_size(data["change"].sel(step=step, module=module))
        for step in data["step"].values
        for module in modules
    }
    excluded = _outside_margin(powers)
    step = _decisive_step(powers, excluded)
    return CoordinateCheck(
        model=name,
        axis=data.attrs["axis"],
        sizes=tuple(int(size) for size in data["size"].values),
        seeds=int(data.attrs["seeds"]),
        steps=tuple(int(step) for step in data["step"].values),
        optimizer=optimizer or str(data.attrs["optimizer"]),
        rate=float(data.attrs["rate"]),
        judged_after=step,
        modules=tuple(
            _scaling(data, module, step, powers[step, module], (step, module) in excluded) for module in modules
        ),
        data=data,
        provenance=provenance or {},
    )


#: the power of each module's change after each step
Powers = dict[tuple[int, str], Estimate | None]


def _outside_margin(powers: Powers) -> set[tuple[int, str]]:
    """Return where the power is outside the margin, after Holm's correction for all modules and steps."""
    estimates = {key: estimate for key, estimate in powers.items() if estimate is not None}
    p_values = [estimate.p_value_within(0.0, MARGIN) for estimate in estimates.values()]
    return {key for key, is_outside in zip(estimates, significant(p_values), strict=True) if is_outside}


def _decisive_step(powers: Powers, excluded: set[tuple[int, str]]) -> int:
    """Return the first step after which a module blows up, else the last that can be measured.

    Once a module blows up the others follow, saturate or diverge. What vanishes at first may wait for a layer that
    starts at zero.
    """
    blown_up = [key[0] for key in excluded if (estimate := powers[key]) is not None and estimate.value > 0]
    if blown_up:
        return min(blown_up)
    return max([step for (step, _), estimate in powers.items() if estimate is not None] or [key[0] for key in powers])


def _scaling(data: xr.Dataset, module: str, step: int, estimate: Estimate | None, is_excluded: bool) -> ModuleScaling:
    expectation = expected_scaling(data, module, step)
    low, high = (None, None) if estimate is None else estimate.interval(0.95)
    verdict = _verdict(estimate, is_excluded)
    awaits_gradient = verdict == "vanishes" and _moves_as_its_gradient_asks(data, module, step)
    return ModuleScaling(
        module=module,
        verdict="not decided" if awaits_gradient else verdict,
        power=None if estimate is None else estimate.value,
        low=low,
        high=high,
        expected=expectation.total,
        own_step=expectation.own_step,
        a=expectation.a,
        b=expectation.b,
        c=expectation.c,
        initial_power=plain_power(data["initial"].sel(module=module)),
        moves=bool((data["change"].sel(step=step, module=module) != 0).any()),
        awaits_gradient=awaits_gradient,
    )


def _moves_as_its_gradient_asks(data: xr.Dataset, module: str, step: int) -> bool:
    """Whether what goes into a softmax may vanish because its gradient does: their ratio is not shown to vanish.

    Steps of Adam do not depend on the size of the gradient.
    """
    measured = data.sel(step=step, module=module)
    if not bool(measured.get("is_logits", False)) or data.attrs["optimizer"] == "adam":
        return False
    response = power_of_size(measured["change"] / measured["backward"])
    return response is not None and response.interval(0.95)[1] >= -MARGIN


def _verdict(estimate: Estimate | None, is_excluded: bool) -> Scaling:
    if estimate is None:
        return "not decided"
    if is_excluded:
        return "vanishes" if estimate.value < 0 else "blows up"
    low, high = estimate.interval(0.90)
    return "stable" if low >= -MARGIN and high <= MARGIN else "not decided"
