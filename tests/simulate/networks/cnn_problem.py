"""Small convolutional networks, and images of noise."""

import numpy as np
import torch

from simulate.networks.convolutional import Convolutional
from theory import Activation

MEMBERS, POINTS, WIDTH = 2, 5, 4


def images(shape, seed=1, points=POINTS):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(points, int(np.prod(shape)), generator=generator, dtype=torch.float64)


def network(shape, depth, activation="softplus", bias=0.0):
    """A network and weights off their start, so that biases are not zero."""
    net = Convolutional(shape, WIDTH, depth, Activation(activation), bias)
    generator = torch.Generator().manual_seed(4)
    start = net.initial_weights(0, range(MEMBERS))
    return net, [w + 0.3 * torch.randn(w.shape, generator=generator, dtype=w.dtype) for w in start]
