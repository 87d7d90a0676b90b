"""A batch of networks before it is trained: data, initial weights, the flow, the test set as they see it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import needs_weights
from simulate.measure.held_out import HeldOut
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Weights
from simulate.networks.soundness import check_architecture, construct
from simulate.planning.integrator_choice import integrator_of
from theory.activation import Activation

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.data import Data


@dataclass(frozen=True)
class Members:
    """Which networks of an experiment and a width are trained together.

    ``amplitude`` (members,) are positions on the amplitude axis, ``seed`` (members,) seeds of the initial weights.
    """

    width: int
    amplitude: np.ndarray
    seed: np.ndarray


@dataclass
class NetworkBatch:
    """Networks that are trained together, all of one precision and on one device.

    Members of one seed share their initial weights whatever their alpha: ``drawn`` (as drawn) and ``initial`` (in the
    coordinates of the first layer) hold one network a seed, and ``seed_of`` (members,) says which is whose; ``seeds``
    are the seeds themselves. ``root_h_alpha`` (members,) is A, ``y_test`` (n_test,) are the test labels ±1. At most
    ``at_once`` members are in flight at once.
    """

    experiment: Experiment
    network: Architecture
    seeds: list[int]
    seed_of: Tensor
    root_h_alpha: Tensor
    drawn: Weights
    initial: Weights
    flow: GradientFlow
    held_out: HeldOut
    y_test: Tensor
    at_once: int

    @classmethod
    def draw(
        cls,
        experiment: Experiment,
        data: Data,
        members: Members,
        dtype: torch.dtype,
        device: str,
        *,
        at_once: int | None = None,
    ) -> NetworkBatch:
        """Draw the networks and put them on the device; all may be in flight ``at_once`` unless it is given."""

        def tensor(values) -> Tensor:
            return torch.as_tensor(np.asarray(values), dtype=dtype, device=device)

        width = members.width
        seeds, seed_index = np.unique(members.seed, return_inverse=True)
        seed_of = torch.as_tensor(seed_index, device=device)
        root_h_alpha = tensor(experiment.root_h_alphas(width)[members.amplitude])
        alpha = root_h_alpha / math.sqrt(width)
        x, y, x_test, y_test = (tensor(v) for v in (data.x_train, data.y_train, data.x_test, data.y_test))
        network = build_network(experiment, data, width)
        check_architecture(network)
        drawn = [w.to(device, dtype) for w in network.initial_weights(experiment.base_seed, seeds.tolist())]
        initial, inputs, inputs_test = network.coordinates(
            drawn, x, x_test, dense=needs_weights(integrator_of(experiment))
        )
        subtract = experiment.subtract_initial
        held_out = HeldOut(network, initial, seed_of, alpha, inputs_test, experiment.n_kernel, subtract=subtract)
        output_initial = network.output(initial, inputs)[seed_of]
        if not subtract:
            output_initial = torch.zeros_like(output_initial)
        flow = GradientFlow(network, LOSSES[experiment.loss], inputs.select(seed_of), y, alpha, output_initial)
        at_once = min(at_once or len(seed_of), len(seed_of))
        return cls(
            experiment, network, seeds.tolist(), seed_of, root_h_alpha, drawn, initial, flow, held_out, y_test, at_once
        )

    def __len__(self) -> int:
        """How many networks there are."""
        return len(self.root_h_alpha)

    def initial_weights(self, members: Tensor | slice = slice(None)) -> Weights:
        """Return the initial weights of ``members`` (m,), in the coordinates of the first layer; default all."""
        return [w[self.seed_of[members]] for w in self.initial]


def build_network(experiment: Experiment, data: Data, width: int) -> Architecture:
    """Return the experiment's architecture for its data at one width."""
    cls = experiment.network_class
    shape = data.image_shape if cls.images else None
    activation = Activation(experiment.activation, normalise=experiment.normalise)
    return construct(cls, shape or data.x_train.shape[1], width, experiment.depth, activation, experiment.bias)
