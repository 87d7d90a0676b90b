"""What a network costs, in floating point operations, from the campaign alone: a fixed model, no timing.

Tasks are ordered by it, dry runs and presets quote it. Training is counted as the choice of the integrator counts it
(`simulate.planning.integrator_choice`); of stochastic dynamics the epochs are counted, and what each takes. Measuring
adds, at each step, the outputs on the first 500 test points, at a few moments those on all of them, and kernels on
n_kernel points: at the start, at the end of linear dynamics, at each checkpoint, at the end; each arm of frozen
kernels, one between training points and all points. To that come the calls of a batch's steps, which take as long for
small networks as for larger ones, and how many steps an activation takes (`relative_steps`). docs/presets.md
says how far this is from what was measured.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from lazyrich.errors import InputError
from simulate.campaign.campaign import Campaign
from simulate.campaign.checkpoints import scaled_times
from simulate.campaign.dynamics import SGD, Adam
from simulate.campaign.experiment import Experiment
from simulate.planning import integrator_choice as choice
from simulate.planning.memory import networks_at_once
from simulate.planning.size import network_size
from theory.activation import Activation

EVENT_POINTS = 500  #: test points on which a trajectory is compared with its tangent in each step: the first ones
_KERNELS_OF_A_NETWORK = 3
_OUTPUTS_OF_A_NETWORK = (
    4  # on all test points: at the start, at the end of linear dynamics, at half the loss, at the end
)
# convolutional networks with so few channels hardly fit a hundred points: they take so many times the steps in the mean
_FEW_CHANNELS, _FEW_CHANNELS_STEPS = 10, 3.0
_SGD_EPOCHS = 100  # of stochastic gradient descent
# Adam moves a weight by its learning rate an update, and in the feature regime weights have A^(-1/(L+1)) to go: updates
# are so many times A^(-1/(L+1))/rate (fully connected on CIFAR-10; convolutional on Fashion-MNIST: 1.6 to 4)
_ADAM_UPDATES, _ADAM_UPDATES_CONVOLUTIONAL = 0.4, 3.0
CPU_RATE = 2.2e10  #: operations a second of one core in float64: what the quick preset comes to
GPU_RATE = 2e13  #: of one H100-class GPU; an H200 did 1.7e13 with 230 networks in a batch (docs/gpu.md)

# steps relative to those of ReLU, softplus and their like, in the atlas (reports/reference/atlas)
_BOUNDED_STEPS = 0.6  # tanh, erf, softsign
_NOT_MONOTONIC_STEPS = 2.5  # abs 1.6 to 3.4, sine 3.4 to 4.6 with no more than 400 steps allowed
_SUPERLINEAR_STEPS, _FACTOR_PER_LAYER = 1.4, 1.6  # relu2: 1.5, 2.3, 3.6, and from L = 4 on as many as are allowed
_NOT_MONOTONIC_SHARE = 0.1  # of the squared slope with the rarer sign, from which an activation counts as not monotonic

_CALLS_OF_A_STEP = 1e8  # operations done in the time that the calls of a step take, however small its batch
_SLOWEST_OVER_MEAN_STEPS = 1.7


def operations(experiment: Experiment, width: int) -> float:
    """Return the operations that training and measuring one network takes, in float64; one in float32 counts half."""
    depth, points = experiment.depth, float(experiment.n_kernel)
    forward, activations = choice.forward_pass(experiment, width)
    if isinstance(experiment.dynamics, SGD | Adam):
        training = _stochastic(experiment, experiment.dynamics, width)
    else:
        training = min(choice.operations(experiment, width).values())
        if experiment.network_class.stiff and width <= _FEW_CHANNELS:
            training *= _FEW_CHANNELS_STEPS
    usual_steps = choice.CONVOLUTIONAL_STEPS if experiment.network_class.stiff else choice.STEPS
    checkpoints = len(scaled_times(experiment.checkpoints))
    # each step looks at the points on which the tangent is followed, the others are looked at where outputs are kept
    in_each_step, remaining = min(experiment.n_test, EVENT_POINTS), max(0, experiment.n_test - EVENT_POINTS)
    outputs = usual_steps * in_each_step + (_OUTPUTS_OF_A_NETWORK + checkpoints) * remaining
    held_out = outputs * (2.0 * forward + 3.0 * choice.PASS * activations)
    kernels = _KERNELS_OF_A_NETWORK + checkpoints
    arms = (
        (len(experiment.arms) - 1) * 4.0 * depth * experiment.n_train * (experiment.n_train + experiment.n_test) * width
    )
    steps = min(relative_steps(experiment.activation, depth), experiment.max_steps / choice.STEPS)
    kernels_each = 4.0 * points * forward + 4.0 * depth * points**2 * width
    share = float(np.mean([0.5 if dtype == "float32" else 1.0 for dtype in experiment.dtypes(width)]))
    return share * (steps * (training + held_out) + arms + kernels * kernels_each)


def _stochastic(experiment: Experiment, dynamics: SGD | Adam, width: int) -> float:
    """Operations of all epochs: minibatches, the pass after them, and updates, which go over all weights."""
    n, depth = experiment.n_train, experiment.depth
    updates, epochs = math.ceil(n / dynamics.batch_size), float(_SGD_EPOCHS)
    if isinstance(dynamics, Adam):
        distance = float(np.mean(np.asarray(experiment.root_h_alphas(width)) ** (-1.0 / (depth + 1))))
        updates_per_distance = _ADAM_UPDATES_CONVOLUTIONAL if experiment.network_class.stiff else _ADAM_UPDATES
        epochs = updates_per_distance * distance / (dynamics.learning_rate * updates)
    # of weights themselves, not of their span on the points
    forward, activations = choice.forward_pass(experiment, width, spanned=False)
    weights = float(network_size(experiment, width).weights)
    per_epoch = 2.0 * n * (6.0 * forward + 10.0 * choice.PASS * activations) + updates * 10.0 * choice.PASS * weights
    return min(epochs, experiment.max_steps) * per_epoch


@functools.lru_cache(maxsize=1024)
def relative_steps(formula: str, depth: int) -> float:
    """Return the number of integrator steps of networks with this activation, relative to ReLU's.

    Bounded activations take fewer steps. An activation that is not monotonic (both signs of its slope have a share at
    large z) makes rules hard to fit. With a degree above one neurons blow up one after the other, the faster the deeper
    the network. A function that is not loaded here counts as ReLU.
    """
    try:
        activation = Activation(formula)
    except InputError:  # a function that has not been loaded here
        return 1.0
    if activation.degree > 1:
        return _SUPERLINEAR_STEPS * _FACTOR_PER_LAYER ** (depth - 1)
    squared = np.sign(slope := activation.slope(np.linspace(-30.0, 30.0, 6001))) * slope**2
    if min(np.sum(squared[squared > 0]), -np.sum(squared[squared < 0])) > _NOT_MONOTONIC_SHARE * np.sum(
        np.abs(squared)
    ):
        return _NOT_MONOTONIC_STEPS
    return _BOUNDED_STEPS if activation.bounded else 1.0


def task_operations(experiment: Experiment, width: int, networks: int, device: str = "cpu") -> float:
    """Return the operations of a task with so many networks of one width, the time of calls counted as operations."""
    batches = math.ceil(networks / (networks_at_once(experiment, width, device) or networks))
    steps = min(
        _SLOWEST_OVER_MEAN_STEPS * choice.STEPS * relative_steps(experiment.activation, experiment.depth),
        experiment.max_steps,
    )
    return networks * operations(experiment, width) + batches * steps * _CALLS_OF_A_STEP


def campaign_operations(campaign: Campaign) -> float:
    """Return the operations that a campaign takes."""
    return sum(task_operations(e, width, networks) for e, width, networks in _grid(campaign))


def _grid(campaign: Campaign) -> list[tuple[Experiment, int, int]]:
    """Return the number of networks of each experiment and width."""
    return [(e, width, len(e.amplitudes) * e.seeds) for e in campaign.experiment for width in e.widths]


def seconds(campaign: Campaign, *, cores: int = 2) -> float:
    """Return the seconds that a campaign takes on this many cores."""
    return campaign_operations(campaign) / (CPU_RATE * cores)


def gpu_seconds(campaign: Campaign) -> float:
    """Return the seconds that a campaign takes on one GPU."""
    return sum(networks * operations(e, width) for e, width, networks in _grid(campaign)) / GPU_RATE
