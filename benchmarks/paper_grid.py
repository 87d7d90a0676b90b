"""The article's main grid (Fashion-MNIST, N = 10,000, L = 3, h = 100, 300, 1000, 23 values of A, 10 seeds), costed.

python -m benchmarks paper_grid [--device cpu|cuda] [--dtype float64|float32] [--out FILE.json]

Nothing of the grid is run whole: one gradient over all 10,000 points and one kernel on 10,000 held-out points are timed
at each width, and the number of gradients a network takes is measured on smaller training sets, at eight values of A,
with the integrator that needs no N×N matrix, and carried on to N = 10,000 by the power of N that these sets show.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np
import torch

import fit
from benchmarks.scaling import fastest
from simulate import Campaign, load_data, run_task
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.tasks import campaign_tasks
from theory.activation import Activation

WIDTHS, AMPLITUDES, SEEDS, POINTS, INPUTS, DEPTH = (100, 300, 1000), 23, 10, 10_000, 784, 3
SETS = (100, 200, 400, 800)
SAMPLED = tuple(10.0 ** (-4 + 1.5 * i) for i in range(8))


def gradients(dataset: str) -> tuple[dict[int, float], float, float]:
    """Gradients a network takes by training set size, their power of N, and what that gives at N = 10,000."""
    means = {}
    for n in SETS:
        fields = {
            "name": "gradients", "dataset": dataset, "n_train": n, "n_test": 100, "depth": DEPTH,
            "activation": "softplus", "widths": [100], "root_h_alpha": list(SAMPLED), "seeds": 1, "tolerance": 1e-2,
            "dynamics": {"name": "gradient_flow", "integrator": "chebyshev"},
        }  # fmt: skip
        campaign = Campaign.from_dict({"name": "gradients", "experiment": [fields]})
        experiment = campaign.experiment[0]
        data = load_data(experiment)
        gradients = [
            run_task(experiment, task, data)["gradient_evaluations"].values.mean() for task in campaign_tasks(campaign)
        ]
        means[n] = float(np.mean(gradients))
        print(f"N = {n}: {means[n]:.0f} gradients a network", flush=True)
    power = fit.exponent(list(means), list(means.values()))
    return means, power.value, power.prefactor * POINTS**power.value


def pieces(width: int, device: str, dtype: torch.dtype) -> tuple[float, float]:
    """Seconds of a gradient on all training points, and of a held-out kernel of as many."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(POINTS, INPUTS, generator=generator, dtype=torch.float64)
    x = (x * INPUTS**0.5 / x.norm(dim=1, keepdim=True)).to(device, dtype)
    y = torch.sign(x[:, 0])
    network = FullyConnected(INPUTS, width, DEPTH, Activation("softplus"))
    weights = [w.to(device, dtype) for w in network.initial_weights(0, [0])]
    inputs = Dense.on_inputs(x)
    flow = GradientFlow(
        network,
        LOSSES["softhinge"],
        inputs,
        y,
        torch.ones(1, device=device, dtype=dtype),
        network.output(weights, inputs),
    )

    def gradient() -> None:
        point = flow(weights)
        point.weight_velocity()

    # a kernel by its tile, which is what the held-out change is made of; tiles of the upper half are enough
    rows = min(POINTS, 2000)
    linearisation = network.linearise(weights, Dense.on_inputs(x[:rows]))
    tiles = (POINTS / rows) ** 2 / 2.0
    return fastest(gradient, device), tiles * fastest(linearisation.kernel_layers, device)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--dataset", default="fashion_mnist", help="for the number of gradients (needs LAZYRICH_DATA)")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    means, power, each = gradients(options.dataset)
    widths = []
    for width in WIDTHS:
        gradient, kernel = pieces(width, options.device, getattr(torch, options.dtype))
        networks = AMPLITUDES * SEEDS
        hours = networks * (each * gradient + 2.0 * kernel) / 3600.0
        operations = networks * each * 2.0 * POINTS * (2 * INPUTS * width + 3 * (DEPTH - 1) * width**2)
        timed = {"gradient_s": gradient, "kernel_s": kernel, "hours": hours, "operations": operations}
        row = {"width": width, "networks": networks, "gradients": round(each)}
        row |= {name: float(f"{value:.4g}") for name, value in timed.items()}
        widths.append(row)
        print(json.dumps(row), flush=True)
    hours, operations = sum(w["hours"] for w in widths), sum(w["operations"] for w in widths)
    counted = ", ".join(f"{mean:.0f} at N = {n}" for n, mean in means.items())
    result = {
        "device": torch.cuda.get_device_name() if options.device != "cpu" else f"cpu ({platform.machine()})",
        "dtype": options.dtype,
        "threads": 1,
        "gradients_by_n_train": means,
        "power_of_n_train": round(power, 3),
        "widths": widths,
        "what": (
            f"Gradients a network takes ({options.dataset}, mean over A = 1e-4 to 3e6): {counted}; the power "
            f"N^{power:.2f} gives {each:.0f} at N = 10,000. Each network "
            "has a held-out kernel of 10,000 points at either end."
        ),
        "conclusion": (
            f"{hours:.3g} hours on this device. The gradients are {operations:.2g} operations, hence "
            f"{operations / 1800 / 1e12:.2g} TFlop/s sustained to do them in half an hour."
        ),
    }
    print(result["what"], result["conclusion"], sep="\n")
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
