"""The test error of infinitely wide lazy networks, beside which the kept runs' finite ones are put.

    python -m benchmarks.infinite_width      (with LAZYRICH_DATA; a minute) writes reports/reference/infinite_width.json

On the very points of the preset `amplitude-laptop`: gradient flow with the tangent kernel at h = infinity, from F = 0
to the stop of the networks. What separates the measured lazy error from it is the width.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from simulate import Campaign
from simulate.campaign.experiment import Experiment
from simulate.data import load_data
from theory import infinite_width_kernels
from theory.curves.function_space_flow import train
from theory.curves.lazy_network import FrozenKernel
from theory.curves.margin_loss import margin_loss

TARGET = Path(__file__).parent.parent / "reports" / "reference" / "infinite_width.json"
PRESET = "amplitude-laptop"


def lazy_error(experiment: Experiment) -> float:
    """Return the share of test points of the wrong sign."""
    data = load_data(experiment)
    n = len(data.y_train)
    _, ntk = infinite_width_kernels(
        experiment.activation, experiment.depth, np.concatenate([data.x_train, data.x_test]), data.x_train
    )
    trained = train(FrozenKernel(ntk[:n]), data.y_train.astype(float), margin_loss(experiment.loss), tolerance=1e-3)
    return float(np.mean(ntk[n:] @ trained.end * data.y_test <= 0))


def main() -> None:
    """Write the errors of all experiments."""
    errors = {one.name: lazy_error(one) for one in Campaign.from_preset(PRESET).experiment}
    TARGET.write_text(json.dumps(errors, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
