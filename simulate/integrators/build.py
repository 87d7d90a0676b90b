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
from simulate.integrators.every_step import EveryStep
from simulate.integrators.kernel_flow import KernelFlow
from simulate.integrators.minibatch import AdamUpdate, Minibatches, SGDUpdate, Update
from simulate.integrators.minibatch_draws import MinibatchDraws
from simulate.integrators.momentum import MomentumRosenbrock
from simulate.integrators.protocol import Controller, Stepper
from simulate.integrators.rosenbrock import Rosenbrock
from simulate.networks.architecture import Architecture
from simulate.planning.integrator_choice import Name, integrator_of

_NATURAL_SCALE = 0.3  # of min(1, A)
# The W-method estimates the error of its first-order solution, Chebyshev's method that of its own, which is smaller,
# the kernel flow the largest entry of its own (3.0; of stiff networks 0.3). With these shares of the campaign's
# tolerance all are as far from the exact flow at the end.
_CHEBYSHEV_SHARE = 0.25
_KERNEL_FLOW_SHARE, _STIFF_KERNEL_FLOW_SHARE = 3.0, 0.3


def needs_weights(name: Name) -> bool:
    """Whether the integrator looks at weights themselves, and not only at products with the Jacobian."""
    return name in ("euler", "sgd", "adam")


def build(
    experiment: Experiment, network: Architecture, seeds: Sequence[int], seed_of: Tensor, root_h_alpha: Tensor
) -> tuple[Stepper, Controller]:
    """Return the stepper and the controller for a batch of networks.

    ``root_h_alpha`` (members,) is A; member m has seed ``seeds[seed_of[m]]``, with ``seed_of`` of shape (members,).
    """
    if isinstance(experiment.dynamics, SGD | Adam):
        draws = MinibatchDraws(network, experiment.base_seed, seeds, seed_of)
        return _discrete(experiment, experiment.dynamics, draws, root_h_alpha)
    scale, tolerance = _NATURAL_SCALE * root_h_alpha.clamp(max=1.0), experiment.tolerance
    stepper: Stepper
    match integrator_of(experiment):
        case "euler":
            return Euler(), PublishedRule()
        case "kernel_flow":
            tolerance *= _STIFF_KERNEL_FLOW_SHARE if network.stiff else _KERNEL_FLOW_SHARE
            controller = ErrorControl(scale, tolerance, KernelFlow.order, "max", predictive=True)
            return KernelFlow(scale, tolerance, by_weights=not network.stiff), controller
        case "chebyshev":
            stepper = Chebyshev()
            tolerance *= _CHEBYSHEV_SHARE
        case "momentum":
            growth = cast(Momentum, experiment.dynamics).growth
            stepper = MomentumRosenbrock(momentum_time(experiment, root_h_alpha), growth)
        case _:
            stepper = Rosenbrock()
    return stepper, ErrorControl(scale, tolerance, stepper.order)


def _discrete(
    experiment: Experiment, dynamics: SGD | Adam, draws: MinibatchDraws, root_h_alpha: Tensor
) -> tuple[Stepper, Controller]:
    clock, update = root_h_alpha.clamp(max=1.0), cast(Update, SGDUpdate())
    if isinstance(dynamics, SGD):
        size = dynamics.temperature * dynamics.batch_size * clock
    else:
        size, update = torch.full_like(clock, dynamics.learning_rate), AdamUpdate(dynamics)
    updates_per_epoch = math.ceil(experiment.n_train / dynamics.batch_size)
    return Minibatches(update, draws, dynamics.batch_size, size), EveryStep(updates_per_epoch * size)


def momentum_time(experiment: Experiment, root_h_alpha: Tensor) -> Tensor:
    """Return tau at t = 0 in article time, min(tau A, tau_max), (members,): zero without momentum, and if tau grows."""
    if not isinstance(experiment.dynamics, Momentum) or experiment.dynamics.growth is not None:
        return torch.zeros_like(root_h_alpha)
    return (experiment.dynamics.tau * root_h_alpha).clamp(max=experiment.dynamics.tau_max)
