"""The tangent kernel of single held-out points before training: what of it differs from seed to seed."""

from __future__ import annotations

from simulate.measure.observer import Observer
from simulate.measure.variable import Variable


class InitialKernel(Observer):
    """Theta_0(x, x) is the same for all x on a sphere but for fluctuations: two moments over points tell their size."""

    variables = {
        "kernel_diagonal_initial": Variable("mean over n_kernel held-out points of Theta_0(x, x), article convention"),
        "kernel_diagonal_square_initial": Variable("mean over n_kernel held-out points of Theta_0(x, x)^2"),
    }

    def start(self) -> None:
        """See `Observer`."""
        diagonal = self.batch.held_out.initial_kernel_diagonal()[self.batch.seed_of]
        self.columns.put("kernel_diagonal_initial", ..., diagonal.mean(dim=-1))
        self.columns.put("kernel_diagonal_square_initial", ..., diagonal.square().mean(dim=-1))
