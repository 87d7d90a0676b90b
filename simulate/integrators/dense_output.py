"""Dense outputs that steppers share: straight lines, cubics, and steps with nothing between their ends."""

from __future__ import annotations

import torch
from torch import Tensor

from simulate.integrators.protocol import per_member
from simulate.networks.linearisation import Weights

_INSTANTS = 9  # on a straight line, at which event functions are evaluated


class StraightPrediction:
    """Predicts that F moves in a straight line: `DenseOutput.predict_outputs` where nothing better is known."""

    def predict_outputs(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """See `simulate.integrators.protocol.DenseOutput`."""
        share = torch.linspace(0.0, 1.0, _INSTANTS, dtype=start.dtype, device=start.device).unsqueeze(-1)
        return share.expand(-1, len(start)), torch.lerp(start, end, share.unsqueeze(-1))


class Line(StraightPrediction):
    """A straight line between the weights at a step's ends: dense output of order 1."""

    continuous = True

    def __init__(self, start: Weights, end: Weights) -> None:
        self.start, self.end = start, end

    def weights_at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.DenseOutput`."""
        return [torch.lerp(a, b, per_member(share, a)) for a, b in zip(self.start, self.end, strict=True)]

    def select(self, index: Tensor) -> Line:
        """See `simulate.integrators.protocol.DenseOutput`."""
        return Line([w[index] for w in self.start], [w[index] for w in self.end])


class Hermite(StraightPrediction):
    """The cubic through weights and rates at a step's ends; ``rates`` are dw/dt times dt. Dense output of order 3."""

    continuous = True

    def __init__(self, start: Weights, rates: tuple[Weights, Weights], end: Weights) -> None:
        self.start, self.rates, self.end = start, rates, end

    def weights_at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.DenseOutput`."""
        quadruples = zip(self.start, *self.rates, self.end, strict=True)
        return [cubic(a, va, b, vb, per_member(share, a)) for a, va, vb, b in quadruples]

    def select(self, index: Tensor) -> Hermite:
        """See `simulate.integrators.protocol.DenseOutput`."""
        start, first, last, end = ([w[index] for w in part] for part in (self.start, *self.rates, self.end))
        return Hermite(start, (first, last), end)


class Jump(StraightPrediction):
    """A step with nothing between its ends: what discrete dynamics make."""

    continuous = False

    def __init__(self, end: Weights) -> None:
        self.end = end

    def weights_at(self, share: Tensor) -> Weights:
        """Return the weights at the step's end, whatever ``share`` is."""
        return self.end

    def select(self, index: Tensor) -> Jump:
        """See `simulate.integrators.protocol.DenseOutput`."""
        return Jump([w[index] for w in self.end])


def cubic(a: Tensor, va: Tensor, b: Tensor, vb: Tensor, s: Tensor) -> Tensor:
    """Return the cubic from a to b, with derivatives va and vb, at ``s`` from 0 to 1 (Hermite).

    a + s (b - a) + s (s - 1) ((1 - 2s) (b - a) + (s - 1) va + s vb).
    """
    change, s_minus_one = b - a, s - 1.0
    correction = (torch.add(1.0 - s, s, alpha=-1.0) * change).addcmul_(s_minus_one, va).addcmul_(s, vb)
    return torch.addcmul(a, s, change).addcmul_(s * s_minus_one, correction)
