r"""Power counting: what follows from the model's scaling form, by linear equations in exponents.

Every quantity is a monomial h^p A^q (A = sqrt(h)·alpha), kept as the linear form p·log h + q·log A of two sympy
symbols; a sum is its largest term, so that relations between quantities become linear equations, and the conditions
under which a term dominates become inequalities in s = log A / log h. Two balances solve the model:

* *initial weights dominate* (lazy): every layer passes signals on with its initial gain, and what training adds to it
  is smaller by a factor u_l;
* *grown weights dominate* (feature): every layer has a gain g_l that gradient flow has built up coherently.

With T = t/alpha (weights move by T times the gradient of f), x_l and z_l the sizes of activations and preactivations
per neuron, d_l = df/dz_l per neuron, and sums over the h neurons of a layer coherent (a factor h),

    forward    z_{l+1} = g_l x_l,  x_l = z_l^k,  f = h^(1-e) v x_L
    backward   d_L = h^(-e) v x_L/z_L,  d_l = g_l d_{l+1} x_l/z_l
    flow       dz_{l+1} = T·h^(1-2m) x_l² d_{l+1} (input layer: T·d_1),  dv = T·h^(-e) x_L
    stop       alpha·(f - f_0) ~ A^target

Source of the model: arXiv:1906.08034 (abstract and published code); the balances are solved here, nothing is looked up.
"""

from __future__ import annotations

from theory.scaling.feature import Feature, neuron_growth
from theory.scaling.initial import Initial
from theory.scaling.lazy import Lazy
from theory.scaling.linear_forms import ALPHA, A, H, fluctuations, interval, power

__all__ = ["ALPHA", "A", "Feature", "H", "Initial", "Lazy", "fluctuations", "interval", "neuron_growth", "power"]
