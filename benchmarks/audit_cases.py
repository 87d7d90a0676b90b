"""Audits whose answer is known, one case at a time, for `benchmarks.audit`.

*checks*: the coordinate check of the standard, NTK, mean-field and maximal-update parametrisations. *bugs*: the
mean-field and the maximal-update parametrisations, healthy and with one layer that is wrong in a way that users of such
parametrisations report. *depth*: residual networks whose branches are scaled by depth^-p and whose rates are
depth^-q. *regimes*: trained with the output scaled up a thousand times, which is lazy, and down a hundred times, which
learns features.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from sympy import Rational

from benchmarks.audit_models import (
    ARCHITECTURES,
    DEEP_ARCHITECTURES,
    WIDTHS,
    DepthScheme,
    Scheme,
    by_layer,
    inputs,
    schemes,
)
from fit.audit import CoordinateCheck, ModuleScaling, audit, coordinate_check
from simulate.audit.loading import build
from simulate.audit.output_scale import ScaledOutput
from simulate.audit.training import TrainingData, steps
from theory.coordinate_check import Optimizer, coordinate_powers, depth_power
from theory.parametrisation import Parametrisation

RATES = {"sgd": 0.01, "adam": 3e-4}
SEEDS = 8
#: hidden layers in the chain whose powers are counted
HIDDEN_LAYERS = {"mlp": 2, "cnn": 2, "residual": 4, "gpt": 6}
#: layers of attention whose gradients pass through a softmax: power counting is of the layers that do not
ATTENTION = ("query", "key")
DEPTHS = (4, 8, 16, 32)
#: exponents (p, q) of branches and rates
DEPTH_EXPONENTS = {
    "sgd": ((0.5, 0.0), (0.5, 0.5), (0.5, -0.5), (0.5, 1.0), (1.0, -1.0), (1.0, 0.0)),
    "adam": ((0.5, 0.5), (0.5, 0.0), (0.5, 1.0), (1.0, 0.0), (1.0, 0.5), (1.0, -0.5)),
}
#: seeds of a case for each repeat asked for: what is rare needs more cases
HEALTHY_REPEATS, BUG_REPEATS, REGIME_REPEATS = 7, 2, 3


@dataclass(frozen=True)
class Case:
    """One audit with a known answer; ``run`` returns what is kept of it, as plain values."""

    part: str
    name: str  #: unique within its part
    run: Callable[[], dict[str, Any]]


def known_answers(scheme: Scheme, architecture: str, optimizer: str) -> dict[str, str]:
    """What each kind of layer does, by power counting of a chain of as many hidden layers."""
    layers = ["first", *["hidden"] * HIDDEN_LAYERS[architecture], "last"]
    a, b, c = ([Rational(getattr(scheme, exponent)[kind]) for kind in layers] for exponent in "abc")
    chain = Parametrisation(scheme.name, tuple(a), tuple(b), Rational(0))
    powers = coordinate_powers(chain, optimizer, c).total  # type: ignore[arg-type]
    if len(set(powers[1:-1])) > 1:
        raise ValueError("hidden layers differ: their answers depend on where they are")
    return {kind: verdict_of(power) for kind, power in zip(layers, powers, strict=True)}


def verdict_of(power: Rational | float) -> str:
    """The verdict that a power of the size deserves."""
    return "stable" if power == 0 else "vanishes" if power < 0 else "blows up"


def check(scheme: Scheme, architecture: str, optimizer: str, seed: int) -> CoordinateCheck:
    """The coordinate check of one model."""
    x, y = inputs(architecture, seed)
    make = ARCHITECTURES[architecture]
    return coordinate_check(
        lambda h: make(scheme, h),
        WIDTHS[architecture],
        optimizer=by_layer(optimizer),
        rate=RATES[optimizer],
        steps=(1, 5),
        seeds=SEEDS,
        first_seed=100 * seed,
        data=TrainingData(x, y),
        name=f"{scheme.name} {architecture} {optimizer}",
    )


def checks(repeats: int) -> Iterator[Case]:
    """Yield the four parametrisations of the four architectures, for both optimisers."""
    for optimizer in ("sgd", "adam"):
        for scheme in schemes(optimizer):
            for architecture in ARCHITECTURES:
                for seed in range(repeats):
                    name = f"{scheme.name}, {architecture}, {optimizer}, {seed}"
                    yield Case("checks", name, partial(_check_layers, scheme, architecture, optimizer, seed))


def _check_layers(scheme: Scheme, architecture: str, optimizer: str, seed: int) -> dict[str, Any]:
    known = known_answers(scheme, architecture, optimizer)
    return {
        "layers": [
            _layer(module, known[module.module if module.module in ("first", "last") else "hidden"])
            for module in check(scheme, architecture, optimizer, seed).modules
            if module.module not in ("output", "norm", *ATTENTION) and "softmax" not in module.module
        ]
    }


def _layer(module: ModuleScaling, known: str) -> dict[str, Any]:
    return {
        "layer": module.module, "known": known, "verdict": module.verdict, "power": module.power, "low": module.low,
        "high": module.high, "expected": module.expected,
    }  # fmt: skip


def bugs(scheme: Scheme, architecture: str, optimizer: str) -> dict[str, tuple[str, Scheme]]:
    """Return wrong versions of a healthy scheme: for each bug the layer that is wrong, and the scheme."""
    result = {"readout not scaled": ("last", scheme.plant("last", a=scheme.a["last"] - 0.5))}
    if optimizer == "adam":
        hidden = "wide" if architecture == "gpt" else "third"
        result["embedding's rate scaled as a matrix's"] = "first", scheme.plant("first", c=scheme.c["first"] + 1)
        result["one layer's rate not scaled"] = hidden, scheme.plant(hidden, c=0.0)
    if architecture == "gpt":
        result["attention by 1/sqrt(d)"] = "softmax", scheme.with_attention(0.5)
    return result


def planted(repeats: int) -> Iterator[Case]:
    """Yield healthy models, and the same with a bug; all models of a seed before those of the next."""
    for seed in range(repeats * max(HEALTHY_REPEATS, BUG_REPEATS)):
        for optimizer in ("adam", "sgd"):
            for scheme in schemes(optimizer)[-2:]:
                for architecture in ARCHITECTURES:
                    variants = {"healthy": ("", scheme)} | bugs(scheme, architecture, optimizer)
                    for bug, (layer, variant) in variants.items():
                        if seed >= repeats * (HEALTHY_REPEATS if bug == "healthy" else BUG_REPEATS):
                            continue
                        name = f"{scheme.name}, {architecture}, {optimizer}, {bug}, {seed}"
                        run = partial(_accusations, variant, architecture, optimizer, seed, bug=bug, layer=layer)
                        yield Case("bugs", name, run)


def _accusations(
    scheme: Scheme, architecture: str, optimizer: str, seed: int, *, bug: str, layer: str
) -> dict[str, Any]:
    result = check(scheme, architecture, optimizer, seed)
    accused = [module.module for module in result.suspects]
    return {"bug": bug, "layer": layer, "accused": accused, "verdict": result.verdict}


def depth(repeats: int) -> Iterator[Case]:
    """Yield residual networks of several depths."""
    for optimizer, exponents in DEPTH_EXPONENTS.items():
        for branch, rate in exponents:
            scheme = DepthScheme(branch, rate)
            for architecture in DEEP_ARCHITECTURES:
                for seed in range(repeats):
                    name = f"{architecture}, {optimizer}, p = {branch}, q = {rate}, {seed}"
                    yield Case("depth", name, partial(_depth_layers, scheme, architecture, optimizer, seed))


def _depth_layers(scheme: DepthScheme, architecture: str, optimizer: Optimizer, seed: int) -> dict[str, Any]:
    x, y = inputs(architecture, seed)
    result = coordinate_check(
        lambda depth: DEEP_ARCHITECTURES[architecture](scheme, depth),
        DEPTHS,
        axis="depth",
        optimizer=by_layer(optimizer),
        rate=RATES[optimizer],
        steps=(1,),
        seeds=SEEDS,
        first_seed=100 * seed,
        data=TrainingData(x, y),
    )
    known = verdict_of(depth_power(optimizer, scheme.branch, scheme.rate))
    return {
        "layers": [
            _layer(module, known)
            for module in result.modules
            if module.power is not None and "softmax" not in module.module
        ]
    }


def regimes(repeats: int) -> Iterator[Case]:
    """Yield trained models F = s·(f - f_0) of the NTK parametrisation."""
    for architecture in ARCHITECTURES:
        for scale, known in ((1000.0, "lazy"), (0.01, "learns features")):
            for seed in range(repeats * REGIME_REPEATS):
                name = f"{architecture}, {scale:g}, {seed}"
                yield Case("regimes", name, partial(_trained, architecture, scale, seed, known=known))


def _trained(architecture: str, scale: float, seed: int, *, known: str, width: int = 128) -> dict[str, Any]:
    x, y = inputs(architecture, seed)
    ntk = schemes("sgd")[1]
    before = ScaledOutput(build(lambda: ARCHITECTURES[architecture](ntk, width), seed=seed), scale)
    after = copy.deepcopy(before)
    optimizer = torch.optim.Adam(after.model.parameters(), lr=1e-2 / max(1.0, scale))
    first_loss = loss = 0.0
    for number, loss in steps(after, optimizer, TrainingData(x, y), 3000):
        first_loss = loss if number == 0 else first_loss
        if loss < 0.1 * first_loss:
            break
    result = audit(lambda: copy.deepcopy(before), before, after, x)
    return {
        "known": known,
        "verdict": result.verdict,
        "kernel_change": result.total.kernel_change.value,
        "loss_share": loss / first_loss,
    }


PARTS: dict[str, Callable[[int], Iterator[Case]]] = {
    "checks": checks,
    "bugs": planted,
    "depth": depth,
    "regimes": regimes,
}
