r"""A given network deep in the lazy regime: what the linearised dynamics say of its own kernel's change.

The flow with the frozen kernel Theta_0 ends at some F; its weights have moved by dw = J_0^T Theta_0^(-1) F/alpha. To
first order the kernel changes as Theta(w_0 + dw) - Theta(w_0): a number for each network, of size h^(-1/2)/A with a
random sign (the v -> -v symmetry), and no free parameter.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.curves.crossover_curve import relative_change
from theory.curves.function_space_flow import train
from theory.curves.margin_loss import margin_loss

Weights = Sequence[np.ndarray]


@dataclass(frozen=True)
class _Signals:
    """Forward and backward signals of a network at some points: Theta is the sum of products of their Grams."""

    forward: list[np.ndarray]  #: inputs of each matrix over the root of their number, (n, fan-in)
    backward: list[np.ndarray]  #: df/dz of each matrix's output, (n, fan-out)

    def kernel(self, other: _Signals) -> np.ndarray:
        pairs = zip(self.forward, self.backward, other.forward, other.backward, strict=True)
        return sum((f @ g.T) * (b @ c.T) for f, b, g, c in pairs)

    def pull_back(self, q: np.ndarray) -> list[np.ndarray]:
        """J^T q, one array a matrix."""
        return [b.T @ (q[:, None] * f) for f, b in zip(self.forward, self.backward, strict=True)]


def signals(activation: Activation, weights: Weights, x: np.ndarray) -> _Signals:
    """Linearise f = h^(-1/2) v·x^L, z^{l+1} = W_l x^l/sqrt(fan-in) at weights of shapes (h, d), (h, h) ..., (1, h)."""
    forward, slopes = [x / np.sqrt(x.shape[1])], []
    for w in weights[:-1]:
        z = forward[-1] @ w.T
        slopes.append(activation.slope(z))
        forward.append(activation(z) / np.sqrt(z.shape[1]))
    backward = [np.ones((len(x), 1))]
    for w, slope in zip(weights[:0:-1], slopes[::-1], strict=True):
        backward.insert(0, backward[0] @ w / np.sqrt(w.shape[1]) * slope)
    return _Signals(forward, backward)


class FrozenKernel:
    """The linearised network as a `theory.curves.function_space_flow.System`: an instant is the sum of all forces.

    ``theta`` is its kernel on the training points, (n, n) float64.
    """

    def __init__(self, theta: np.ndarray) -> None:
        self._theta = theta
        self.output_scale = 1.0

    def start(self) -> np.ndarray:
        return np.zeros(len(self._theta))

    def output(self, instant: np.ndarray) -> np.ndarray:
        return self._theta @ instant

    def kernel(self, instant: np.ndarray, other: np.ndarray) -> np.ndarray:
        return self._theta

    def move(self, base: np.ndarray, forces: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        return base + sum(q for _, q in forces)


def first_order_kernel_change(
    activation: Activation | str,
    weights: Weights,
    x: np.ndarray,
    y: np.ndarray,
    root_h_alpha: Sequence[float] | np.ndarray | float,
    x_eval: np.ndarray | None = None,
    *,
    loss: str = "softhinge",
) -> np.ndarray:
    """Return ||dTheta||/||Theta_0|| that linearised dynamics predict for one network.

    Parameters
    ----------
    activation : Activation or str
    weights : sequence of float64 arrays
        Initial weights ~ N(0, 1): shapes (h, d), (h, h), ..., (1, h).
    x, y : arrays of shape (n, d), (n,)
    root_h_alpha : floats
        Values of A = sqrt(h)·alpha, meant to be >> 1: the result falls short where second-order changes matter.
    x_eval : array of shape (m, d), optional
        Points on which kernels are compared; default: x.

    Returns
    -------
    float64 array of shape (values of A,)

    Raises
    ------
    InputError
        If shapes do not fit, or the frozen-kernel flow does not reach the stop.
    """
    if isinstance(activation, str):
        activation = Activation(activation)
    sizes = [np.shape(w) for w in weights]
    chained = all(len(s) == 2 for s in sizes) and all(a[0] == b[1] for a, b in itertools.pairwise(sizes))
    if not chained or sizes[-1][0] != 1 or sizes[0][1] != np.shape(x)[1]:
        raise InputError(
            "weights", sizes, "shapes do not chain from the inputs to one output", "Give (h, d), ..., (1, h)"
        )
    x_eval = x if x_eval is None else x_eval
    width = sizes[-1][1]
    training = signals(activation, weights, x)
    trained = train(
        FrozenKernel(training.kernel(training)), np.asarray(y, dtype=np.float64), margin_loss(loss), tolerance=1e-3
    )
    direction = training.pull_back(trained.end)
    before = signals(activation, weights, x_eval)
    theta = before.kernel(before)
    changes = []
    for a in np.atleast_1d(np.asarray(root_h_alpha, dtype=np.float64)):
        alpha = a / np.sqrt(width)
        moved = signals(activation, [w + d / alpha for w, d in zip(weights, direction, strict=True)], x_eval)
        changes.append(relative_change(moved.kernel(moved), theta))
    return np.array(changes)
