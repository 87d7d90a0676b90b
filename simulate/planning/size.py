"""How large the networks of an experiment are, before one is trained."""

from __future__ import annotations

import functools
import math

from simulate.campaign.experiment import Experiment
from simulate.networks.architecture import Architecture
from simulate.networks.costs import NetworkSize
from simulate.networks.registry import architecture_class
from simulate.networks.soundness import construct
from theory.activation import Activation


def network_size(experiment: Experiment, width: int) -> NetworkSize:
    """Return how many weights a network has, and how many numbers its linearisation keeps for each point."""
    return _network_size(experiment.architecture, experiment.assumed_shape, width, experiment.depth)


def planned_network(experiment: Experiment, width: int) -> Architecture:
    """Return a network of the experiment's shape, to be asked for what it takes; its activation is ReLU."""
    return _planned_network(experiment.architecture, experiment.assumed_shape, width, experiment.depth)


@functools.lru_cache(maxsize=1024)
def _planned_network(architecture: str, shape: tuple[int, ...], width: int, depth: int) -> Architecture:
    cls = architecture_class(architecture)
    return construct(cls, shape if cls.images else math.prod(shape), width, depth, Activation("relu"))


@functools.lru_cache(maxsize=1024)
def _network_size(architecture: str, shape: tuple[int, ...], width: int, depth: int) -> NetworkSize:
    return _planned_network(architecture, shape, width, depth).size
