"""Measurements with known exponents, made up of the model's laws and of noise shaped like a network's."""

from __future__ import annotations

import json

import numpy as np
import sympy
import xarray as xr

from simulate.training.status import Status
from theory.claims import claims
from theory.model import Model
from theory.prediction import Prediction, Regime

FEATURE = Regime("feature", r"A \ll 1", high=1e-2)
LAZY = Regime("lazy", r"A \gg 1", low=1e2)
SMOOTH_LAZY = Regime("lazy", r"A \gg \sqrt{h}", low=30, low_width_exponent=sympy.Rational(1, 2))
CROSSOVER = Regime(None, r"A \sim 1")


def prediction(claim, variable, exponent, regime, depth=3, **more):
    """Return a prediction without a derivation, about the quantity and with the margin that theory's claim has."""
    power = None if exponent is None else sympy.nsimplify(exponent)
    known = next(one for one in claims() if one.name == claim)
    law = next(p for p in known.laws(Model(depth)))
    more = {"margin": law.margin, "form": law.form} | more
    return Prediction(claim, law.quantity, variable, power, f"{claim} in words", regime, (), "none", "nothing", **more)


def laws(depth=3):
    """Return what theory predicts for a smooth activation of degree one."""
    degree = depth + 1
    return [
        prediction("crossover", "width", "-1/2", CROSSOVER),
        prediction("linear_time", "root_h_alpha", 1, FEATURE),
        prediction("fluctuations", "width", "-1/2", FEATURE),
        prediction("fluctuations", "width", "-1/2", LAZY),
        prediction(
            "kernel_change_feature", "root_h_alpha", sympy.Rational(2, degree) - 2, FEATURE, depth,
            correction_exponent=sympy.Rational(2, degree),
        ),
        prediction("kernel_change_lazy", "root_h_alpha", -1, SMOOTH_LAZY, statistic="rms"),
        prediction("kernel_change_lazy", "width", "-1/2", SMOOTH_LAZY, statistic="rms"),
        prediction(
            "weight_change_feature", "root_h_alpha", -sympy.Rational(1, degree), FEATURE,
            correction_exponent=sympy.Rational(1, degree),
        ),
        prediction("weight_change_lazy", "root_h_alpha", -1, LAZY),
        prediction("output_growth", "width", "1/2", FEATURE),
        prediction("collapse", "width", 0, FEATURE),
        prediction("depth_trend", "root_h_alpha", None, FEATURE),
        prediction("final_kernel", "root_h_alpha", None, FEATURE),
    ]  # fmt: skip


def experiment(
    name="softplus-L3",
    depth=3,
    widths=(32, 64, 128, 256, 512),
    seeds=10,
    root_h_alpha=tuple(10 ** (i / 2) for i in range(-8, 9)),
    failing=0.0,
    noise=1.0,
    exponent=None,
    crossover_drift=0.0,
    n_test=40,
    seed=0,
):
    """Return one experiment as a dataset.

    A (width, seed) pair has its own random numbers of size h^(-1/2), shared by all amplitudes, since networks of equal
    width and seed share their initial weights. ``exponent`` replaces the feature exponent 2/(L+1) - 2 of the kernel
    change; ``failing`` is the share of networks that never fit.
    """
    rng = np.random.default_rng(seed)
    degree = depth + 1
    h = np.asarray(widths, float)[:, None, None]
    a = np.asarray(root_h_alpha, float)[None, :, None]
    shape = (len(widths), 1, seeds)
    own = [noise * rng.standard_normal(shape) / np.sqrt(h) for _ in range(4)]
    fine = 1 + 0.01 * noise * rng.standard_normal((len(widths), len(root_h_alpha), seeds))

    power = 2 / degree - 2 if exponent is None else exponent
    feature = 4 * np.exp(own[0]) * a**power * (1 + a ** (2 / degree))
    chance = rng.standard_normal(shape)  # the first-order kernel change is a sum of random signs
    lazy = np.hypot(6 * chance / (np.sqrt(h) * a), 16 / a**2) * h**crossover_drift
    kernel_change = fine * (feature**-3 + lazy**-3) ** (-1 / 3)  # sharp enough that each law is pure in its window
    weights = np.sqrt(h) * np.exp(own[1]) * np.where(
        a < 1, 2 * a ** (-1 / degree) * (1 - 0.4 * a ** (1 / degree)), 1.2 / a
    )  # fmt: skip
    time_linear = 0.7 * a * np.exp(0.3 * own[2]) * np.ones_like(fine)
    modes = rng.standard_normal((len(widths), seeds, 6))
    shapes = rng.standard_normal((6, n_test))
    common = rng.standard_normal(n_test)
    output = common + (1 + a[..., None] / (1 + a[..., None])) * noise * (modes @ shapes)[:, None] / np.sqrt(
        h[..., None]
    )
    status = np.where(rng.random(fine.shape) < failing, Status.MAX_STEPS, Status.CONVERGED).astype(np.int8)
    lost = status != Status.CONVERGED

    grid = ("width", "root_h_alpha", "seed")
    measured = {
        "kernel_change": kernel_change,
        "time_linear": time_linear,
        "output_rms_linear": 0.3 * a * np.exp(own[3]) * np.ones_like(fine),
    }
    data = xr.Dataset(
        {key: (grid, np.where(lost, np.nan, value)) for key, value in measured.items()}
        | {
            "weight_change": (
                (*grid, "layer"),
                np.where(lost[..., None], np.nan, weights[..., None] / np.sqrt(degree) * np.ones(degree)),
            ),
            "test_output": ((*grid, "test_point"), np.where(lost[..., None], np.nan, output).astype(np.float32)),
            "status": (grid, status),
        },
        coords={"width": list(widths), "root_h_alpha": list(root_h_alpha), "seed": np.arange(seeds)},
    )
    description = {"name": name, "activation": "softplus", "depth": depth, "dataset": "made up", "normalise": True}
    data.attrs["experiment"] = json.dumps(description)
    return data


def tree(*experiments):
    """Return a store's tree."""
    named = {json.loads(data.attrs["experiment"])["name"]: data for data in experiments}
    return xr.DataTree.from_dict({f"/{name}": data for name, data in named.items()})
