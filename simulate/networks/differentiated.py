"""Linearisation by automatic differentiation: right for any architecture, whatever its forward function is made of.

J^T q is one backward pass through the forward pass kept for it, J v one forward-mode pass, the kernels come from
gradients of one point each. The layerwise forms of `fully_connected` and `convolutional` do the same
several times faster; this is what they are tested against, and what a new architecture gets for its forward function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from simulate.networks.linearisation import Linearisation, Weights

#: f (members, n) of stacked weights and points (n, d)
Evaluate = Callable[[Sequence[Tensor], Tensor], Tensor]

_GRADIENT_BYTES = 2**26  # gradients of single points that are held at once


class Differentiated(Linearisation):
    """Networks whose output is ``evaluate(weights, x)``, linearised on ``x`` (n, d)."""

    def __init__(self, evaluate: Evaluate, weights: Weights, x: Tensor, output: Tensor | None = None) -> None:
        self.evaluate = evaluate
        # copies: the caller may go on and overwrite its own
        self.weights = [w.detach().clone() for w in weights]
        self.x = x
        self._graph: tuple[Weights, Tensor] | None = None
        self.output = self._forward()[1].detach() if output is None else output

    def _forward(self) -> tuple[Weights, Tensor]:
        """Return the weights as leaves of a graph and f as a function of them, kept until the weights change."""
        if self._graph is None:
            leaves = [w.detach().requires_grad_() for w in self.weights]
            with torch.enable_grad():
                self._graph = leaves, self.evaluate(leaves, self.x)
        return self._graph

    def select(self, index: Tensor) -> Differentiated:
        """See `Linearisation`."""
        return Differentiated(self.evaluate, [w[index] for w in self.weights], self.x, self.output[index])

    def put(self, index: Tensor, other: Differentiated) -> None:
        """See `Linearisation`."""
        self._graph = None
        for tensor, replacement in zip([*self.weights, self.output], [*other.weights, other.output], strict=True):
            tensor[index] = replacement

    def select_points(self, rows: slice) -> Differentiated:
        """See `Linearisation`."""
        return Differentiated(self.evaluate, self.weights, self.x[rows], self.output[:, rows])

    def pullback(self, q: Tensor) -> Weights:
        """See `Linearisation`."""
        leaves, output = self._forward()
        return list(torch.autograd.grad(output, leaves, q, retain_graph=True, materialize_grads=True))

    def pushforward(self, v: Weights) -> Tensor:
        """See `Linearisation`."""

        def f(*weights: Tensor) -> Tensor:
            return self.evaluate(weights, self.x)

        return torch.func.jvp(f, tuple(self.weights), tuple(v))[1]

    def kernel_parts(self, other: Differentiated | None = None) -> Iterator[Tensor]:
        """See `Linearisation`."""
        parts_of_groups: list[list[Tensor]] = []
        for members in self._member_groups():
            left = self._gradients(members)
            right = left if other is None else other._gradients(members)
            parts_of_groups.append([torch.bmm(a, b.mT) for a, b in zip(left, right, strict=True)])
        return (torch.cat(parts) for parts in zip(*parts_of_groups, strict=True))

    def kernel_trace(self) -> Tensor:
        """See `Linearisation`."""
        squares = torch.zeros_like(self.output)
        for start in range(0, len(self.x), self.tile_size):
            some = self.select_points(slice(start, start + self.tile_size))
            for members in some._member_groups():
                gradients = some._gradients(members)
                squares[members, start : start + self.tile_size] = sum(g.square().sum(-1) for g in gradients)
        return squares.sum(-1)

    @property
    def tile_size(self) -> int:
        """See `Linearisation`."""
        return max(1, _GRADIENT_BYTES // self._bytes_of_gradient())

    def _bytes_of_gradient(self) -> int:
        """Of one network and one point, by all weights."""
        return sum(w[0].numel() for w in self.weights) * self.output.element_size()

    def _member_groups(self) -> Iterator[slice]:
        """Groups of members whose gradients of single points are held at once."""
        size = max(1, _GRADIENT_BYTES // (len(self.x) * self._bytes_of_gradient()))
        return (slice(start, start + size) for start in range(0, len(self.output), size))

    def _gradients(self, members: slice) -> list[Tensor]:
        """Gradients of f at every point by each matrix, flattened: (members, n, rows·columns)."""

        def f(weights: tuple[Tensor, ...], x: Tensor) -> Tensor:
            # members are independent: the gradient of their sum is each one's own
            return self.evaluate(weights, x.unsqueeze(0)).sum()

        weights = tuple(w[members] for w in self.weights)
        by_point = torch.func.vmap(torch.func.grad(f), in_dims=(None, 0))(weights, self.x)
        return [g.transpose(0, 1).flatten(2) for g in by_point]
