r"""The gradient flow that trains a batch of networks, seen in function space.

Article convention (arXiv:1906.08034): F = alpha (f(w) - f(w_0)), loss alpha^-2 · mean_i l(F_i y_i), hence

    dw/dt = J^T c,    c_i = -l'(F_i y_i) y_i / (alpha n),    dF/dt = alpha Theta c.

The Gauss-Newton part of the flow's Jacobian is -J^T D J / n with D = l''(F y) >= 0: alpha drops out of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from simulate.dynamics.losses import Loss
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Inputs, Linearisation, Weights


@dataclass
class Point:
    """The flow evaluated at the weights of a batch of networks.

    ``linearisation`` is that of the networks on the training set; ``output`` F, ``force`` c and ``curvature`` D have
    shape (members, n_train).
    """

    linearisation: Linearisation
    output: Tensor
    force: Tensor
    curvature: Tensor

    def select(self, index: Tensor) -> Point:
        """Return the members named by ``index``."""
        return Point(self.linearisation.select(index), self.output[index], self.force[index], self.curvature[index])

    def weight_velocity(self) -> Weights:
        """Return dw/dt = J^T c."""
        return self.linearisation.pullback(self.force)

    def put(self, index: Tensor, other: Point) -> None:
        """Overwrite the members named by ``index`` with those of ``other``, in this order."""
        self.linearisation.put(index, other.linearisation)
        self.output[index] = other.output
        self.force[index] = other.force
        self.curvature[index] = other.curvature


@dataclass
class GradientFlow:
    """The term of the differential equation, for a batch of members that share the training set.

    ``inputs`` are the training set as the first layer sees it, ``y`` (n_train,) its labels ±1; ``alpha`` has shape
    (members,), ``output_initial`` (f at the initial weights; zero where it is not subtracted) (members, n_train).
    """

    network: Architecture
    loss: Loss
    inputs: Inputs
    y: Tensor
    alpha: Tensor
    output_initial: Tensor

    def select(self, index: Tensor | slice) -> GradientFlow:
        """Return the flow of the members named by ``index``."""
        return replace(
            self,
            inputs=self.inputs.select(index),
            alpha=self.alpha[index],
            output_initial=self.output_initial[index],
        )

    def predictor(self, output: Tensor) -> Tensor:
        """Return F = alpha (f - f_0) on the training set."""
        return self.alpha.unsqueeze(-1) * (output - self.output_initial)

    def __call__(self, weights: Weights) -> Point:
        """Evaluate the flow at ``weights``."""
        linearisation = self.network.linearise(weights, self.inputs)
        predictor = self.predictor(linearisation.output)
        margin = predictor * self.y
        descent, curvature = self.loss.descent_and_curvature(margin)
        force = descent.mul_(self.y).div_(self.alpha.unsqueeze(-1) * len(self.y))
        return Point(linearisation, predictor, force, curvature)

    def progress(self, output: Tensor) -> Tensor:
        """Return the stopping criterion's event function of F, shape (members,): zero or more once it is met."""
        return self.loss.progress(output * self.y)

    def mean_loss(self, output: Tensor) -> Tensor:
        """Return mean_i l(F_i y_i), shape (members,), without the prefactor alpha^-2."""
        return self.loss.value(output * self.y).mean(dim=-1)


def rms(values: Tensor) -> Tensor:
    """Return the root mean square over the last axis."""
    return values.square().mean(dim=-1).sqrt()


def finite(*tensors: Tensor) -> Tensor:
    """Return for each member whether all entries of all tensors are finite."""
    # a sum has a value only if all its terms do: one pass over the memory instead of four
    sums = [t.sum(dim=tuple(range(1, t.ndim))) for t in tensors]
    return torch.isfinite(torch.stack(sums).sum(dim=0))
