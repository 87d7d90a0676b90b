r"""Which integrator an experiment gets, and with which controller.

``auto`` compares two counts of operations that follow from the campaign alone, never from a timing, so that a run is
reproducible. For a network of N training points and L hidden layers of width h on d inputs, with W weights:

    gradient      G = 6 N (L-1) h² + 6 N h + min(4 N d, 2 N²) h     (first layer on the inputs, or in their span)
    kernel        K = 4 L N² h                                      (two Gram matrices a hidden layer)
    factor        C = N³/2                                          (N³/3, at two thirds of a matrix product's rate)
    W-method      70 steps · [3 G + K + C + 16 (30 L N h + 6 N² + 8 W)]
    Chebyshev     460 · [G + 16 (10 L N h + 15 W)]
    kernel flow   42 steps · [3 G + K + 16 (30 L N h + 20 N² + 8 W)], from N = 64 on, activations of degree 1;
                  70 N² for 20 N² beyond 2,000 points, where no cache holds the kernel that each stage reads

For architectures that are `stiff`, with M multiplications in a point's forward pass and W weights:

    gradient      G = N (6 M + 160 a)                               (a: entries of patches, M/h in a convolution)
    kernel        K = N² W + 2 N M                                  (products of the gradients of single points)
    kernel flow   37 steps · [3 G + K + C]
    Chebyshev     1800 G

G, K, L N h and W are the architecture's to tell (`Architecture.operation_counts`).

Convolutional networks are stiffer, and their gradients dearer beside the calls between them. Of small matrices the time
of calls is not counted, and the kernel flow has more of them: in the batches of the quick preset (80 points) it takes
0.65 to 1.0 times what the W-method takes, with 40 points and 32 neurons 1.2 to 1.6 times. Saturated networks magnify
errors of their growth from small amplitudes, where the kernel flow takes few steps: at A = 1e-2 kernel changes of tanh
are 3 % off, those of the W-method 1 %, at a tolerance of 1e-2. So do networks that blow up, neuron after neuron
(relu2), and each stiff step is long.

Beyond 500 points gradients of Chebyshev's method grow as N^(1/2), and beyond 1,000 steps of the kernel flow as
N^(1/5). On Fashion-MNIST (L = 3, softplus, A = 1e-2, 1, 100) they are 390, 260, 260 for N = 100 and 740, 590, 760 for
1,000 (h = 64), 3,990, 1,830, 2,730 for 10,000 (h = 100, on an H200); the kernel flow's evaluations are 78, 37, 14, then
116, 60, 22, and for N = 10,000, A = 1 and 100, 90 and 38. With it the counts order the two methods as that GPU's clock
did, for N = 10,000 with h = 1,000 (7.1 s by Chebyshev's, 3.9 s by the kernel flow) and with h = 100 (2.1 s, 4.2 s): one
table serves both kinds of device.

The terms with 16 are passes over memory: an element that is read or written counts as 16 operations. Steps and
gradients are the geometric means over 30 cases around the default tolerance, from which most are within a factor of two
(benchmarks/results/work_precision.csv.gz); steps of the kernel flow what ten cases of images with 300 to 2,000 points,
L = 1 to 5, h = 64 to 256, take (31 to 66, most of them near 42). What a step takes against a gradient is counted within
a fifth on a CPU (`python -m benchmarks choice`). Those of stiff ones are means over six cases of convolutional
networks (benchmarks/results/convolutions-cpu.json). One integrator serves all widths of an experiment, by the sum over
them: laws in h are then not crossed by a change of method.
"""

from __future__ import annotations

import functools
import math
from typing import Literal

from simulate.campaign.dynamics import Flow
from simulate.campaign.experiment import Experiment
from simulate.planning.size import planned_network
from theory.activation import Activation
from theory.black_box import is_function_name

Name = Literal["kernel_flow", "rosenbrock", "chebyshev", "euler", "momentum", "sgd", "adam"]

STEPS = 70  #: of the W-method
GRADIENTS = 460  #: of Chebyshev's
KERNEL_STEPS = 42  #: of the kernel flow
KERNEL_FLOW_POINTS = 64  #: training points from which the kernel flow is considered
CONVOLUTIONAL_STEPS, CONVOLUTIONAL_GRADIENTS = 37, 1800  #: of the kernel flow, of Chebyshev's
_MANY_GRADIENTS_POINTS, _MANY_STEPS_POINTS = 500, 1000  #: training points beyond which these numbers grow
_GRADIENTS_POWER, _STEPS_POWER = 0.5, 0.2
_KERNEL_PASSES, _MANY_KERNEL_PASSES = 20.0, 70.0  # over N² numbers in a step of the kernel flow; of the latter,
_MANY_PASSES_POINTS = 2000  # each of some 70 stages reads a kernel that no cache holds
PASS = 16.0  #: operations that an element read from memory or written counts as


def integrator_of(experiment: Experiment) -> Name:
    """Return the integrator of an experiment: the one asked for, or the one that takes fewer operations."""
    if not isinstance(experiment.dynamics, Flow):
        return experiment.dynamics.name  # one each: see `build`
    requested = experiment.dynamics.integrator
    if requested != "auto":
        return requested
    counts = [operations(experiment, width) for width in experiment.widths]
    return min(counts[0], key=lambda name: sum(count[name] for count in counts))


def operations(experiment: Experiment, width: int) -> dict[Name, float]:
    """Return the operations that one network takes, by each integrator that the choice is between."""
    n, counts = experiment.n_train, planned_network(experiment, width).operation_counts(experiment.n_train)
    gradient, kernel, factor = counts.gradient + PASS * 10.0 * counts.activations, counts.kernel, 0.5 * n**3
    if experiment.network_class.stiff:  # passes over N² and W numbers are few beside its gradients
        return {
            "kernel_flow": CONVOLUTIONAL_STEPS * (3.0 * gradient + kernel + factor),
            "chebyshev": CONVOLUTIONAL_GRADIENTS * gradient,
        }
    rosenbrock = 3.0 * gradient + kernel + factor + PASS * (6.0 * n**2 + 8.0 * counts.weights)
    chebyshev = gradient + PASS * 15.0 * counts.weights
    totals: dict[Name, float] = {
        "rosenbrock": STEPS * rosenbrock,
        "chebyshev": chebyshev_gradients(n) * chebyshev,
    }
    if n >= KERNEL_FLOW_POINTS and _of_degree_one(experiment.activation):
        passes = _KERNEL_PASSES if n <= _MANY_PASSES_POINTS else _MANY_KERNEL_PASSES
        kernel_flow = 3.0 * gradient + kernel + PASS * (passes * n**2 + 8.0 * counts.weights)
        totals["kernel_flow"] = KERNEL_STEPS * _growth(n, _MANY_STEPS_POINTS, _STEPS_POWER) * kernel_flow
    return totals


def chebyshev_gradients(n_train: int) -> float:
    """Return how many gradients Chebyshev's method takes for so many points, fully connected."""
    return GRADIENTS * _growth(n_train, _MANY_GRADIENTS_POINTS, _GRADIENTS_POWER)


def _growth(n_train: int, points: int, power: float) -> float:
    """Return by what factor a number of steps is larger for ``n_train`` points than for up to ``points``."""
    return max(1.0, n_train / points) ** power


@functools.lru_cache(maxsize=1024)
def _of_degree_one(formula: str) -> bool:
    """Whether an activation grows as its argument does; unknown of a function of a module, hence False."""
    return not is_function_name(formula) and Activation(formula).degree == 1


def forward_pass(experiment: Experiment, width: int, *, spanned: bool = True) -> tuple[float, float]:
    """Return the multiplications of one point's forward pass, and how many numbers memory is passed over for it.

    ``spanned``: a first layer that can be held in the span of the training points is.
    """
    architecture, shape = experiment.network_class, experiment.assumed_shape
    if spanned and architecture.first_layer_in_span:
        shape = (min(math.prod(shape), experiment.n_train),)
    of_network = shape, width, experiment.depth
    return architecture.multiplications(*of_network), architecture.activations(*of_network)
