r"""Two-layer networks of infinite width at fixed A = sqrt(h)·alpha, for any activation and data: interacting particles.

At fixed A a wide two-layer network is a gradient flow of the distribution of its neurons (Mei, Montanari, Nguyen 2018;
Rotskoff & Vanden-Eijnden 2018; Chizat & Bach 2018; the two-layer case of Bordelon & Pehlevan, arXiv:2205.09653). With
particles (w, v), w ~ N(0, 1)^d and v ~ N(0, 1),

    F_i = A <v phi(w·x_i/sqrt d)>,   dw/dt = A^-1 sum_i q_i v phi'_i x_i/sqrt d,   dv/dt = A^-1 sum_i q_i phi_i,
    Theta_ij = <phi_i phi_j> + <v² phi'_i phi'_j> x_i·x_j/d,   q_i = -l'(F_i y_i) y_i/n.

Particles come in pairs (w, v), (w, -v): F(0) = 0 exactly, and the change of Theta of first order in 1/A, which has mean
zero and is a network's fluctuation, cancels within a pair, so that few particles show the infinite network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.curves.crossover_curve import CrossoverCurve, relative_change
from theory.curves.function_space_flow import train
from theory.curves.margin_loss import margin_loss
from theory.curves.training_set import TrainingSet, amplitudes, training_set

REFERENCE = "two-layer mean-field dynamics: arXiv:2205.09653 (two-layer case), arXiv:1804.06561"


@dataclass(frozen=True)
class _Instant:
    """Particles, and their activations on the training points."""

    w: np.ndarray  #: (particles, r)
    v: np.ndarray  #: (particles,)
    phi: np.ndarray  #: (n, particles)
    slope: np.ndarray  #: v·phi', (n, particles)


class _Particles:
    """A cloud of particles at one A as a `theory.curves.function_space_flow.System`."""

    def __init__(self, activation: Activation, data: TrainingSet, a: float, particles: int, seed: int) -> None:
        self.activation, self.data, self.a = activation, data, a
        self.output_scale = 0.3 * min(1.0, a)
        self._gram = data.inputs @ data.inputs.T
        rng = np.random.default_rng(seed)
        half = particles // 2
        w, v = rng.standard_normal((half, data.inputs.shape[1])), rng.standard_normal(half)
        self._start = self._instant(np.concatenate([w, w]), np.concatenate([v, -v]))

    def _instant(self, w: np.ndarray, v: np.ndarray) -> _Instant:
        z = self.data.inputs @ w.T
        return _Instant(w, v, self.activation(z), self.activation.slope(z) * v)

    def start(self) -> _Instant:
        return self._start

    def output(self, instant: _Instant) -> np.ndarray:
        return self.a / len(instant.v) * (instant.phi @ instant.v)

    def kernel(self, instant: _Instant, other: _Instant) -> np.ndarray:
        return (instant.phi @ other.phi.T + self._gram * (instant.slope @ other.slope.T)) / len(instant.v)

    def move(self, base: _Instant, forces: Sequence[tuple[_Instant, np.ndarray]]) -> _Instant:
        w, v = base.w, base.v
        for source, q in forces:
            w = w + (source.slope.T * (q / self.a)) @ self.data.inputs
            v = v + source.phi.T @ (q / self.a)
        return self._instant(w, v)

    def held_out_kernel(self, instant: _Instant) -> np.ndarray:
        """Theta on the evaluation points."""
        x = self.data.evaluation
        z = x @ instant.w.T
        phi, slope = self.activation(z), self.activation.slope(z) * instant.v
        return (phi @ phi.T + (x @ x.T) * (slope @ slope.T)) / len(instant.v)


def mean_field_curve(
    activation: Activation | str,
    x: np.ndarray,
    y: np.ndarray,
    root_h_alpha: Sequence[float] | np.ndarray | float,
    x_eval: np.ndarray | None = None,
    *,
    loss: str = "softhinge",
    particles: int = 10_000,
    repeats: int = 4,
    seed: int = 0,
    tolerance: float = 0.02,
) -> CrossoverCurve:
    """Return the whole crossover of an infinitely wide network with one hidden layer.

    Parameters
    ----------
    activation : Activation or str
        Of degree k <= 1 at infinity.
    x, y : arrays of shape (n, d) and (n,)
        Training points and labels ±1; the published runs have |x|² = d.
    root_h_alpha : floats
        Values of A = sqrt(h)·alpha.
    x_eval : array of shape (m, d), optional
        Points on which kernels are compared; default: x.
    particles : int
        In all repeats together; even shares.
    repeats : int
        Independent clouds, whose spread gives the Monte Carlo error.

    Raises
    ------
    InputError
        If the activation grows faster than linearly (the limit doesn't exist), or an argument can't be used.

    Notes
    -----
    Cost: about 60 steps, each of 4·n²·particles flops and as many evaluations of the activation as n·particles·4.
    """
    if isinstance(activation, str):
        activation = Activation(activation)
    if activation.degree > 1:
        raise InputError(
            "activation",
            activation.name,
            f"it grows as |z|^{activation.degree}, and with a degree above 1 there is no mean-field limit: single "
            "particles blow up in finite time whatever their number",
            "Choose a degree of 1 or less; for others a finite network is the thing itself",
        )
    if repeats < 2 or particles < 4 * repeats:
        raise InputError("particles", particles, f"too few for {repeats} repeats", "Give some thousands, and 2 repeats")
    data, grid = training_set(x, y, x_eval), amplitudes(root_h_alpha)
    chosen = margin_loss(loss)
    results = np.empty((3, len(grid), repeats))
    for i, a in enumerate(grid):
        for k in range(repeats):
            # the same clouds at every A: neighbouring values of the curve are then paired
            cloud = _Particles(activation, data, float(a), particles // repeats, seed + k)
            trained = train(cloud, data.labels, chosen, tolerance)
            before, after = cloud.held_out_kernel(cloud.start()), cloud.held_out_kernel(trained.end)
            results[:, i, k] = relative_change(after, before), trained.time_half, trained.time_end
    change, half, end = results.mean(axis=-1)
    error = results[0].std(axis=-1, ddof=1) / np.sqrt(repeats)
    return CrossoverCurve(grid, change, error, half, end, REFERENCE)
