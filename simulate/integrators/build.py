"""The stepper and the controller of an experiment's integrator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from simulate.campaign.dynamics import SGD, Adam, Momentum
from simulate.campaign.experiment import Experiment
from simulate.integrators.chebyshev import Chebyshev
from simulate.integrators.error_control import ErrorControl
from simulate.integrators.euler import Euler, PublishedRule
from simulate.integrators.kernel_flow import KernelFlow
from simulate.integrators.minibatch import Draws, EveryStep, Minibatches
from simulate.integrators.momentum import MomentumRosenbrock
from simulate.integrators.protocol import Controller, Stepper
from simulate.integrators.rosenbrock import Rosenbrock
from simulate.networks.architecture import Architecture
from simulate.planning.integrator_choice import Name, integrator_of

# Chebyshev's estimate is of its own error, the W-method's of the first-order solution's, which is larger: with this
# share of the tolerance both are as far from the exact flow at the end
_SHARE = 0.25
# as much, of the kernel flow's estimate, whose largest entry counts: of networks that are not stiff, and of stiff ones
_KERNEL_SHARE, _STIFF_KERNEL_SHARE = 3.0, 0.3


def needs_weights(name: Name) -> bool:
    """Whether the integrator looks at weights themselves, and not only at products with the Jacobian."""
    return name in ("euler", "sgd", "adam")


def build(
    experiment: Experiment, network: Architecture, seeds: Sequence[int], seed_of: Tensor, root_h_alpha: Tensor
) -> tuple[Stepper, Controller]:
    """Return the stepper and the controller for a batch of networks.

    ``root_h_alpha`` (members,) is A, ``seeds`` are the seeds of the batch, ``seed_of`` (members,) says whose is which.
    """
    dynamics, clock = experiment.dynamics, root_h_alpha.clamp(max=1.0)
    tolerance, stepper = experiment.tolerance, cast(Stepper, Rosenbrock())
    if isinstance(dynamics, SGD | Adam):
        epoch = math.ceil(experiment.n_train / dynamics.batch_size)
        draws = Draws(network, experiment.base_seed, seeds, seed_of)
        if isinstance(dynamics, SGD):
            rate = dynamics.temperature * dynamics.batch_size * clock
        else:
            rate = torch.full_like(clock, dynamics.learning_rate)
        return Minibatches(dynamics, draws, rate), EveryStep(epoch * rate)
    scale = 0.3 * clock
    match integrator_of(experiment):
        case "kernel_flow":
            tolerance *= _STIFF_KERNEL_SHARE if network.stiff else _KERNEL_SHARE
            return KernelFlow(scale, tolerance, by_weights=not network.stiff), ErrorControl(
                scale, tolerance, KernelFlow.order, "max", far_sighted=True
            )
        case "euler":
            return Euler(), PublishedRule()
        case "chebyshev":
            stepper = Chebyshev()
            tolerance *= _SHARE
        case "momentum":
            stepper = MomentumRosenbrock(momentum_time(experiment, root_h_alpha))
    return stepper, ErrorControl(scale, tolerance, stepper.order)


def momentum_time(experiment: Experiment, root_h_alpha: Tensor) -> Tensor:
    """Return tau in article time, (members,): zero without momentum."""
    if not isinstance(experiment.dynamics, Momentum):
        return torch.zeros_like(root_h_alpha)
    return (experiment.dynamics.tau * root_h_alpha).clamp(max=experiment.dynamics.tau_max)
