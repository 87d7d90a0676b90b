"""Architectures as a user would write them, and an experiment with one."""

import math

import torch

from simulate import Architecture, Experiment


class Plain(Architecture):
    """A fully connected network written as a user would."""

    name = "plain"

    def weight_shapes(self):
        return [(self.width, self.input_dim), *[(self.width, self.width)] * (self.depth - 1), (1, self.width)]

    def forward(self, weights, x):
        for w in weights[:-1]:
            x = self.sigma(x @ w.mT / math.sqrt(w.shape[-1]))
        return (x @ weights[-1].mT / math.sqrt(self.width)).squeeze(-1)


class Gated(Architecture):
    """Weights of one, two and three dimensions, and a product of layers: nothing that a layerwise form covers."""

    name = "gated"

    def weight_shapes(self):
        return [(self.width, self.input_dim), (self.width,), (self.width, 2, self.input_dim)]

    @classmethod
    def layers(cls, depth):
        return 3

    def forward(self, weights, x):
        first, gate, pair = weights
        z = x @ first.mT / math.sqrt(self.input_dim)
        both = torch.einsum("mhkd,nd->mnhk", pair, x) / math.sqrt(self.input_dim)
        return (self.sigma(z) * both.prod(-1) * gate.unsqueeze(1)).sum(-1) / math.sqrt(self.width)


def spec(architecture, **changes):
    """Return a small experiment with an architecture, two amplitudes and two seeds; ``changes`` replace fields."""
    fields = {"name": "test", "dataset": "sphere", "n_train": 16, "n_test": 24, "depth": 2, "activation": "softplus",
              "widths": (8,), "root_h_alpha": (0.1, 10.0), "seeds": 2, "architecture": architecture}  # fmt: skip
    return Experiment(**(fields | changes))
