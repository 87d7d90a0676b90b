"""What a network costs, in floating point operations, from the campaign alone: a fixed model, no timing.

Tasks are ordered by it, dry runs and presets quote it. Training is counted as the choice of the integrator counts it
(`simulate.integrators.choice`); for other architectures than ``fc``, with M multiplications a point's forward pass and
a entries of patches, as 400 · N (6 M + 160 a). Measuring adds, at each step, the outputs on n_test points, and
kernels on n_kernel points: at the start, at the end of linear dynamics, at each checkpoint, at the end; each arm of
frozen kernels, one between training points and all points. It is right within a factor of two for networks that fit as
networks usually do; where a rule is hard to fit, they take many times the steps.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulate.integrators import choice
from simulate.networks.architecture import find
from simulate.save_at import scaled_times

if TYPE_CHECKING:
    from simulate.campaign import Campaign, Experiment

_GRADIENTS, _KERNELS = 400, 3  # gradients: of convolutional networks
CPU_RATE = 2.2e10  #: operations a second of one core in float64: what the quick preset comes to
GPU_RATE = 2e13  #: of one H100-class GPU: a third of what its data sheet says of float64; not measured


def operations(experiment: Experiment, width: int) -> float:
    """Return the operations that training and measuring one network takes."""
    architecture = find(experiment.architecture)
    depth, points = experiment.depth, float(experiment.n_kernel)
    shape = experiment.input_shape or (choice.FILE_INPUTS,)
    if not architecture.images:
        shape = (min(math.prod(shape), experiment.n_train),)  # the first layer is held in the span of the data
    forward = architecture.multiplications(shape, width, depth)
    # what memory is passed over: preactivations, of a convolution the entries of all patches
    activations = forward / width if architecture.images else float(depth * width)
    if experiment.architecture == "fc":
        training = min(choice.operations(experiment, width))
    else:
        training = _GRADIENTS * experiment.n_train * (6.0 * forward + 10.0 * choice.PASS * activations)
    held_out = choice.STEPS * experiment.n_test * (2.0 * forward + 3.0 * choice.PASS * activations)
    kernels = _KERNELS + len(scaled_times(experiment.checkpoints))
    arms = (
        (len(experiment.arms) - 1) * 4.0 * depth * experiment.n_train * (experiment.n_train + experiment.n_test) * width
    )
    return training + held_out + arms + kernels * (4.0 * points * forward + 4.0 * depth * points**2 * width)


def campaign_operations(campaign: Campaign) -> float:
    """Return the operations that a campaign takes."""
    return sum(operations(e, width) * len(e.amplitudes) * e.seeds for e in campaign.experiment for width in e.widths)


def seconds(campaign: Campaign, *, cores: int = 2) -> float:
    """Return the seconds that a campaign takes on this many cores."""
    return campaign_operations(campaign) / (CPU_RATE * cores)


def gpu_seconds(campaign: Campaign) -> float:
    """Return the seconds that a campaign takes on one GPU."""
    return campaign_operations(campaign) / GPU_RATE
