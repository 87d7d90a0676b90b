r"""Which parametrisations are lazy: power counting of one gradient step in the abc family.

Layer l of L + 1 has weights h^(-a_l) w_l with w_l ~ N(0, h^(-2 b_l)) and a learning rate h^(-c) (Yang & Hu, "Tensor
Programs IV", arXiv:2011.14522). The same forward and backward relations as in `theory.scaling`, applied once: a
preactivation moves by h^(-r), and its update matters for large h (features are learned) if and only if r = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sympy

from lazyrich.errors import InputError

_HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class Parametrisation:
    """Exponents a_l, b_l of the layers 1..L+1 (input, hidden ..., output) and c of the learning rate."""

    name: str
    a: tuple[sympy.Rational, ...]
    b: tuple[sympy.Rational, ...]
    c: sympy.Rational

    def __post_init__(self) -> None:
        if len(self.a) != len(self.b) or len(self.a) < 2:
            raise InputError("a", self.a, "each of two layers or more needs an a and a b", "Give both for each")

    @property
    def initial_scales(self) -> list[sympy.Expr]:
        """Powers of h of the preactivations and the output at initialisation (a sum of random signs: sqrt(terms))."""
        first = -(self.a[0] + self.b[0])
        return [first, *(_HALF - (a + b) for a, b in zip(self.a[1:], self.b[1:], strict=True))]

    @property
    def update(self) -> sympy.Expr:
        """-r: the power of h of the largest move of a hidden preactivation in a step."""
        # df/dx of the last hidden layer, from the initial output weights or from those after a step
        backward = -self.a[-1] - min(self.b[-1], self.a[-1] + self.c)
        moves = []
        for layer in range(len(self.a) - 1):
            coherent = 0 if layer == 0 else 1  # x·x' of the layer below: of size 1 for inputs, h for neurons
            moves.append(-self.c - 2 * self.a[layer] + coherent + backward)
        return max(moves)

    @property
    def output_update(self) -> sympy.Expr:
        """Power of h of the output's move in a step due to the last layer, x·x' being coherent."""
        return 1 - self.c - 2 * self.a[-1]

    @property
    def output_update_through_features(self) -> sympy.Expr:
        """Power of h of the output's move due to the features' move: 1 - (a_{L+1} + b_{L+1} + r).

        Features move along the initial output weights, so that the h terms of the last sum are coherent.
        """
        return 1 + self.update - self.a[-1] - self.b[-1]

    @property
    def stable(self) -> bool:
        """Whether nothing grows with h: preactivations of order one, output and all updates at most of order one."""
        hidden, output = self.initial_scales[:-1], self.initial_scales[-1]
        moves = (self.update, self.output_update, self.output_update_through_features)
        return all(s == 0 for s in hidden) and output <= 0 and max(moves) <= 0

    @property
    def trivial(self) -> bool:
        """Whether a step does not move the output at large h."""
        return max(self.output_update, self.output_update_through_features) < 0

    @property
    def kind(self) -> Literal["unstable", "trivial", "kernel", "feature"]:
        """ "feature" learns features at infinite width, "kernel" is lazy."""
        if not self.stable:
            return "unstable"
        if self.update == 0:
            return "feature"
        return "trivial" if self.trivial else "kernel"


def parametrisations_in_use(depth: int) -> tuple[Parametrisation, ...]:
    """The parametrisations in use, for ``depth`` hidden layers; the article's at fixed A and at fixed alpha."""
    if depth < 1:
        raise InputError("depth", depth, "a network has a hidden layer", "Give 1 or more")
    hidden = depth - 1
    zero, one = sympy.S.Zero, sympy.S.One
    ntk_a = (zero, *[_HALF] * hidden, _HALF)
    normal = (zero,) * (depth + 1)
    fan_in = (zero, *[_HALF] * hidden, _HALF)
    return (
        Parametrisation("standard, learning rate 1", normal, fan_in, zero),
        Parametrisation("standard, learning rate 1/h", normal, fan_in, one),
        Parametrisation("NTK", ntk_a, normal, zero),
        Parametrisation("article at fixed alpha", ntk_a, normal, zero),
        Parametrisation("mean field / article at fixed A", (zero, *[_HALF] * hidden, one), normal, -one),
        Parametrisation("maximal update (muP)", (-_HALF, *[zero] * hidden, _HALF), (_HALF,) * (depth + 1), zero),
    )
