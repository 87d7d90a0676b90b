r"""How activations move in a few steps of training, as powers of the width: what a coordinate check should find.

Layer l = 1..L+1 has weights W_l = h^(-a_l) w_l, w_l ~ N(0, h^(-2 b_l)), and the rate h^(-c_l) for w_l. Every size is a
power of h (a linear form in log h, as in `theory.scaling`), and a sum is its largest term:

    forward    z_l = W_l x_{l-1}: random signs, h^(1/2) over h inputs
    backward   d_l = W_{l+1}^T d_{l+1}: random signs, h^(1/2) over h outputs;  d_{L+1} = 1
    gradient   df/dw_l = h^(-a_l) d_l x_{l-1}^T
    own step   x_{l-1}·x_{l-1} is coherent, h over h inputs:
               SGD   dz_l = h^(-c_l - 2 a_l) d_l (x·x),     Adam (signs)   dz_l = h^(-c_l - a_l) (|x| coherent)
    inherited  W_l dx_{l-1}: as forward through hidden layers; coherent (h) at the readout, since dx_L follows W_{L+1}.

The change of a preactivation is the larger of its own and the inherited one. arXiv:2011.14522 (SGD), arXiv:2308.01814
(Adam), arXiv:2407.05872 (rates a layer).

Depth: L branches scaled L^(-p) on a residual stream, rates L^(-q). The stream's signal stays of size 1 for p >= 1/2;
a branch's gradient carries L^(-p) (SGD) or its sign (Adam), its effect on the stream again L^(-p), and L branches add
coherently: L^(1 - 2p - q) for SGD, L^(1 - p - q) for Adam. arXiv:2310.02244, arXiv:2309.16620.

Attention: logits s = d^(-alpha) q·k over the d ~ h neurons of a head, probabilities p = softmax(s), mixed values
u = sum_j p_j v_j; q, k, v are layers as above with a + b = 1/2, so that they are of size 1.

    at the start    q·k has random signs: s ~ h^(1/2 - alpha). For alpha > 1/2 all visible tokens have equal weights.
    gradient        dL/ds_j = p_j (v_j - u)·dL/du over h neurons. Values and dL/du are independent at the start: random
                    signs, h^(1/2) |dL/du|. A step moves v_j along dL/du, and from then on h terms add coherently.
    own step        dL/dq = h^(-alpha) dL/ds k, a layer's step of q from it, and ds = h^(-alpha) dq·k, coherent over h:
                    SGD   ds = h^(-c - 2a + 2 - 2 alpha) dL/ds,     Adam (signs)   ds = h^(-c - a + 2 - alpha)
    inherited       dx·(W_q^T k) h^(-alpha): random signs, h^(1/2 - alpha) |dx|

Under maximal update and its kin (|dL/du| ~ 1/h, alpha = 1) Adam moves logits by a power 0 from the first step. SGD
moves them by h^(-1/2) in the first, since their gradient is h^(-1/2), and by a power 0 once the values have moved: the
power that a check of a few small steps finds lies between. Probabilities move as logits do: n tokens that a position
sees (n is no power of h) have p = 1/n + O(s), dp = p (ds - sum_j p_j ds_j). arXiv:2203.03466 (alpha = 1),
arXiv:2405.15712 (its limit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sympy

from lazyrich.errors import InputError
from theory.parametrisation import Parametrisation

Optimizer = Literal["sgd", "adam"]
_HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class CoordinatePowers:
    """Powers of h of the changes after a few steps, layer by layer; the last entry is the output."""

    backward: tuple[sympy.Expr, ...]  #: of df/dz_l per neuron, at initialisation
    own_step: tuple[sympy.Expr, ...]  #: of the change that the layer's own step makes
    total: tuple[sympy.Expr, ...]  #: of the change of z_l


def own_step_power(
    optimizer: Optimizer,
    *,
    rate: sympy.Expr | float,
    multiplier: sympy.Expr | float,
    backward: sympy.Expr | float,
    inputs: sympy.Expr | float,
    wide_inputs: bool,
):
    """Return the power of h of the change of z = h^(-a) w x that a step of w makes.

    Parameters
    ----------
    optimizer : {"sgd", "adam"}
    rate, multiplier : exponents c and a
        Rate h^(-c), multiplier h^(-a).
    backward, inputs : powers of df/dz and of x, per neuron
    wide_inputs : bool
        Whether the layer sums over h inputs.
    """
    coherent = 1 if wide_inputs else 0
    if optimizer == "sgd":
        return -rate - 2 * multiplier + backward + 2 * inputs + coherent
    if optimizer == "adam":
        return -rate - multiplier + inputs + coherent
    raise InputError("optimizer", optimizer, "its step is not derived", "Use sgd or adam")


def coordinate_powers(
    parametrisation: Parametrisation, optimizer: Optimizer, rates: Sequence[sympy.Expr] | None = None
) -> CoordinatePowers:
    """Return how the activations of a fully connected network move in a few steps.

    Parameters
    ----------
    parametrisation : Parametrisation
        Exponents a_l, b_l of its layers; c where ``rates`` are not given.
    optimizer : {"sgd", "adam"}
    rates : sequence of exponents c_l, optional
        Learning rates h^(-c_l), one a layer.

    Examples
    --------
    >>> from theory.parametrisation import parametrisations_in_use
    >>> mup = next(p for p in parametrisations_in_use(3) if "muP" in p.name)
    >>> coordinate_powers(mup, "sgd").total
    (0, 0, 0, 0)
    """
    p = parametrisation
    layers = len(p.a)
    c = [p.c] * layers if rates is None else list(rates)
    if len(c) != layers:
        raise InputError("rates", len(c), f"there are {layers} layers", "Give a rate for each")
    inputs = [sympy.S.Zero, *forward_powers(p)]
    backward = [sympy.S.Zero]
    for layer in range(layers - 1, 0, -1):
        # the readout has one output: no sum over h of them
        outputs = sympy.S.Zero if layer == layers - 1 else _HALF
        backward.insert(0, backward[0] + outputs - p.a[layer] - p.b[layer])
    own_steps: list[sympy.Expr] = []
    totals: list[sympy.Expr] = []
    for layer in range(layers):
        own_step = own_step_power(
            optimizer,
            rate=c[layer],
            multiplier=p.a[layer],
            backward=backward[layer],
            inputs=inputs[layer],
            wide_inputs=layer > 0,
        )
        own_steps.append(own_step)
        if layer == 0:
            totals.append(own_step)
            continue
        terms = sympy.S.One if layer == layers - 1 else _HALF
        totals.append(sympy.Max(own_step, totals[-1] + terms - p.a[layer] - p.b[layer]))
    return CoordinatePowers(tuple(backward), tuple(own_steps), tuple(totals))


def forward_powers(parametrisation: Parametrisation) -> list[sympy.Expr]:
    """Return the powers of h of the activations of the hidden layers at initialisation (of degree 1)."""
    p = parametrisation
    sizes = [-(p.a[0] + p.b[0])]
    for a, b in zip(p.a[1:-1], p.b[1:-1], strict=True):
        sizes.append(sizes[-1] + _HALF - a - b)
    return sizes


def depth_power(optimizer: Optimizer, branch: sympy.Expr | float, rate: sympy.Expr | float):
    """Return the power of the depth in the change of a residual stream: branches L^(-p), rates L^(-q).

    Examples
    --------
    >>> depth_power("sgd", 0.5, 0), depth_power("adam", 0.5, 0.5)
    (0.0, 0.0)
    """
    if optimizer == "sgd":
        return 1 - 2 * branch - rate
    if optimizer == "adam":
        return 1 - branch - rate
    raise InputError("optimizer", optimizer, "its step is not derived", "Use sgd or adam")


@dataclass(frozen=True)
class AttentionPowers:
    """Powers of h of what goes into the softmax of attention."""

    initial: sympy.Expr  #: of the logits at the start
    gradient: tuple[sympy.Expr, sympy.Expr]  #: of the loss's gradient by a logit: at the start, and later
    change: tuple[sympy.Expr, sympy.Expr]  #: of the change of the logits: after one step, and later


def attention_powers(
    optimizer: Optimizer,
    scale: sympy.Expr | float,
    *,
    rate: sympy.Expr | float = 0,
    multiplier: sympy.Expr | float = 0,
    backward: sympy.Expr | float = -1,
    inherited: sympy.Expr | float = 0,
) -> AttentionPowers:
    """Return how the logits h^(-alpha) q·k of attention move in a few steps.

    Parameters
    ----------
    optimizer : {"sgd", "adam"}
    scale : exponent alpha
    rate, multiplier : exponents c and a of the layers of queries, keys and values
        Their inputs and outputs are of size 1 at the start.
    backward : power of the loss's gradient by a neuron of the mixed values
    inherited : power of the change of the layers' inputs

    Examples
    --------
    >>> attention_powers("sgd", 1).change, attention_powers("sgd", _HALF).change
    ((-1/2, 0), (1/2, 1))
    >>> attention_powers("adam", 1, rate=1).change, attention_powers("adam", _HALF, rate=1).change
    ((0, 0), (1/2, 1/2))
    """

    def layer_step(gradient):
        return own_step_power(
            optimizer, rate=rate, multiplier=multiplier, backward=gradient, inputs=0, wide_inputs=True
        )

    start = backward + _HALF
    gradient = start, sympy.Max(start, backward + 1 + layer_step(backward))
    passed_on = inherited + _HALF - scale
    first, later = (sympy.Max(layer_step(by_logit - scale) + 1 - scale, passed_on) for by_logit in gradient)
    return AttentionPowers(_HALF - scale, gradient, (first, sympy.Max(first, later)))


def feature_rates(parametrisation: Parametrisation, optimizer: Optimizer) -> tuple[sympy.Expr, ...]:
    """Return the rate exponents c_l at which every layer's own step moves its preactivations by a power 0 of h.

    Examples
    --------
    >>> from theory.parametrisation import parametrisations_in_use
    >>> standard = parametrisations_in_use(2)[0]
    >>> feature_rates(standard, "adam")
    (0, 1, 1)
    """
    zero = [sympy.S.Zero] * len(parametrisation.a)
    return coordinate_powers(parametrisation, optimizer, zero).own_step
