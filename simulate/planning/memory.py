"""How much memory networks take, and how many are trained at once: from the campaign alone."""

from __future__ import annotations

import math

from simulate.campaign.experiment import Experiment
from simulate.networks.first_layer import span_is_cheaper
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.size import network_size

# what the linearisations of a batch take. Measured with the kernel flow at N = 80 to 500 on a core with 1 MiB of cache
# of its own: half of it 2 to 5 % more time, eight times as much 5 to 35 % (h = 128 to 512)
_CACHE_BYTES = 1e7
# of a GPU's free memory, what a batch's estimate may be: 230 networks with N = 10,000, h = 100 are estimated at 47 GiB
# and took 59 GiB on an H200
_SHARE_OF_FREE = 0.6
_MOST_NETWORKS = 4096  # in a batch on a GPU: more would be no faster, and a kill would lose more


def bytes_per_network(experiment: Experiment, width: int) -> int:
    """Estimate the memory that training one network takes, within a factor of two (measured in the tests).

    Counted are copies of the weights (of the first matrix in the span of the training points where that is
    smaller), of what linearisations keep, of training kernels (not for Chebyshev's method) or, at another time,
    held-out ones, and of the arms' kernels.
    """
    size, inputs = network_size(experiment, width), math.prod(experiment.assumed_shape)
    weights = size.weights
    if experiment.network_class.first_layer_in_span and span_is_cheaper(experiment.n_train, inputs):
        weights += (experiment.n_train - inputs) * width
    numbers = 6 * weights + 4 * experiment.n_train * size.kept_per_point + experiment.n_test * size.kept_per_point
    training_kernels = 4 * experiment.n_train**2 if integrator_of(experiment) in ("kernel_flow", "rosenbrock") else 0
    numbers += max(training_kernels, 3 * min(experiment.n_kernel, 512) ** 2)
    if len(experiment.arms) > 1:
        numbers += 4 * experiment.n_train**2 + 2 * experiment.n_train * experiment.n_test
    return _bytes_per_number(experiment) * numbers


def networks_at_once(experiment: Experiment, width: int, device: str = "cpu") -> int | None:
    """Return how many networks of a task are trained at once; None for all of them.

    On a CPU as many of those that are computed by stacked products as its cache holds: it follows from shapes alone.
    """
    if not experiment.network_class.stacked_products or not device.startswith("cpu"):
        return None
    numbers = network_size(experiment, width).kept_per_point * experiment.n_train
    return max(1, int(_CACHE_BYTES // (_bytes_per_number(experiment) * numbers)))


def networks_that_fit(experiment: Experiment, width: int, free_bytes: int) -> int:
    """Return how many networks are trained at once on a GPU with this much free memory, one at least."""
    fitting = int(_SHARE_OF_FREE * free_bytes // bytes_per_network(experiment, width))
    return max(1, min(fitting, _MOST_NETWORKS))


def _bytes_per_number(experiment: Experiment) -> int:
    return 4 if experiment.dtype == "float32" else 8
