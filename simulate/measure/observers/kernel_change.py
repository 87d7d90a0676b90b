"""The tangent kernel on held-out points: its size at the start, its change at the end."""

from __future__ import annotations

from simulate.measure.observer import Ending, Observer
from simulate.measure.variable import Variable


class KernelChange(Observer):
    """Kernels of n_kernel held-out points, article convention (without alpha²)."""

    variables = {
        "kernel_change": Variable("||Theta_end - Theta_0||_F / ||Theta_0||_F on n_kernel held-out points"),
        "kernel_change_layer": Variable("||Theta_end^l - Theta_0^l||_F / ||Theta_0^l||_F, matrix l's part", ("layer",)),
        "kernel_norm_initial": Variable("||Theta_0||_F / n_kernel, article convention"),
    }

    def start(self) -> None:
        """See `Observer`."""
        norm = self.batch.held_out.norm_initial[self.batch.seed_of]
        self.columns.put("kernel_norm_initial", ..., norm / self.batch.experiment.n_kernel)

    def end(self, ending: Ending) -> None:
        """See `Observer`."""
        change, change_layer = self.batch.held_out.kernel_change(ending.members, ending.weights)
        self.columns.put("kernel_change", ending.members, change)
        self.columns.put("kernel_change_layer", ending.members, change_layer)
