"""How large the networks of an experiment are, before one is made."""

from __future__ import annotations

import functools
import math

from simulate.campaign.experiment import Experiment
from simulate.networks.architecture import NetworkSize
from simulate.networks.registry import architecture_class
from theory.activation import Activation


def network_size(experiment: Experiment, width: int) -> NetworkSize:
    """Return how many weights a network has, and how many numbers its linearisation keeps for each point."""
    return _network_size(experiment.architecture, experiment.assumed_shape, width, experiment.depth)


@functools.lru_cache(maxsize=1024)
def _network_size(architecture: str, shape: tuple[int, ...], width: int, depth: int) -> NetworkSize:
    cls = architecture_class(architecture)
    return cls(shape if cls.images else math.prod(shape), width, depth, Activation("relu")).size
