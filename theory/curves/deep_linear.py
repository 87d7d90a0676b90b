r"""Deep linear networks of infinite width at fixed A = sqrt(h)·alpha: closed matrix algebra, exact at any depth.

Every preactivation h^l_i and every backward signal g^l_i (i: an instant and a datum) is, neuron by neuron, a linear
combination of two families of Gaussians, u^l_j with covariance Phi^{l-1} and r^l_j with covariance G^{l+1}
(Bordelon & Pehlevan, arXiv:2205.09653; deep linear networks there):

    h^l_i = u^l_i + sum_j [A^{l-1}_ij + q_j Phi^{l-1}_ij / A] g^l_j,    A^l = dh^l/dr^l,
    g^l_i = r^l_i + sum_j [B^l_ij + q_j G^{l+1}_ij / A] h^l_j,          B^l = dg^{l+1}/du^{l+1},
    Phi^l = <h^l h^l>,  G^l = <g^l g^l>,  Phi^0 = x·x'/d,  G^{L+1} = 1,  F_i = A <h^L_i g^L_i>,
    Theta = sum_l Phi^l * G^{l+1},

with the forces q_j of all earlier instants: j precedes i, so that everything follows row by row, without iteration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazyrich.errors import InputError
from theory.curves.crossover_curve import CrossoverCurve, relative_change
from theory.curves.function_space_flow import train
from theory.curves.margin_loss import margin_loss
from theory.curves.training_set import TrainingSet, amplitudes, training_set

REFERENCE = "dynamical mean-field theory of deep linear networks: arXiv:2205.09653"
LARGEST = 4000  #: points × instants: the matrices have this side


@dataclass(frozen=True)
class _Row:
    """One instant: its forces so far, and rows of the matrices against all earlier sources and itself."""

    forces: np.ndarray  #: (sources,) q of each
    forward: list[np.ndarray]  #: Phi^0..Phi^L, each (p, sources + p)
    backward: list[np.ndarray]  #: G^1..G^{L+1}, each (p, sources + p)
    #: coefficients of h^1..h^L and g^1..g^L in u and in r, each (p, sources)
    h_u: list[np.ndarray]
    h_r: list[np.ndarray]
    g_u: list[np.ndarray]
    g_r: list[np.ndarray]
    output: np.ndarray


class _DeepLinear:
    """A `theory.curves.function_space_flow.System`: instants that have exerted a force are kept as sources."""

    def __init__(self, data: TrainingSet, depth: int, a: float) -> None:
        self.depth, self.a = depth, a
        self.output_scale = 0.3 * min(1.0, a)
        self.n = len(data.inputs)
        points = np.concatenate([data.inputs, data.evaluation])
        self._gram = points @ points.T
        self._points = len(points)
        self._sources = 0
        side = 64 * self._points
        self._phi = [np.zeros((side, side)) for _ in range(depth + 1)]
        self._back = [np.zeros((side, side)) for _ in range(depth + 1)]
        self._h_u, self._h_r, self._g_u, self._g_r = ([np.zeros((side, side)) for _ in range(depth)] for _ in range(4))
        self._start = self._row(np.empty(0))

    def start(self) -> _Row:
        return self._start

    def output(self, instant: _Row) -> np.ndarray:
        return instant.output[: self.n]

    def kernel(self, instant: _Row, other: _Row) -> np.ndarray:
        return self.whole_kernel(instant, other)[: self.n, : self.n]

    def whole_kernel(self, instant: _Row, other: _Row) -> np.ndarray:
        """Theta between training and evaluation points; ``instant`` is ``other`` or one of its sources."""
        first = len(instant.forces)
        columns = slice(first, first + self._points)
        return sum(f[:, columns] * b[:, columns] for f, b in zip(other.forward, other.backward, strict=True)).T

    def move(self, base: _Row, forces: Sequence[tuple[_Row, np.ndarray]]) -> _Row:
        q = base.forces
        for source, force in forces:
            self._register(source)
            padded = np.zeros(self._points)
            padded[: self.n] = force
            first = len(source.forces)
            q = np.concatenate([q, np.zeros(max(0, first + self._points - len(q)))])
            q[first : first + self._points] += padded
        return self._row(q)

    def _register(self, row: _Row) -> None:
        """Make an instant a source; sources that came after it belong to a step that was given up."""
        first, last = len(row.forces), len(row.forces) + self._points
        self._sources = last
        if last > LARGEST:
            raise InputError(
                "x", self._points, f"points times instants exceed {LARGEST}", "Take fewer points or a larger tolerance"
            )
        new_source = slice(first, last)
        identity = np.eye(self._points)
        for rows, stored in ((row.forward, self._phi), (row.backward, self._back)):
            for level, block in enumerate(rows):
                matrix = _grown(stored, level, last)
                matrix[new_source, :last] = block
                matrix[:last, new_source] = block.T
        for coefficients, stored, diagonal in (
            (row.h_u, self._h_u, identity), (row.h_r, self._h_r, 0.0), (row.g_u, self._g_u, 0.0),
            (row.g_r, self._g_r, identity),
        ):  # fmt: skip
            for level, block in enumerate(coefficients):
                matrix = _grown(stored, level, last)
                matrix[new_source, :first], matrix[new_source, first:last] = block, diagonal

    def _row(self, q: np.ndarray) -> _Row:
        m, p, depth = len(q), self._points, self.depth
        push = q / self.a
        sources = slice(0, m)
        forward = [np.tile(self._gram, (1, m // p + 1))]
        h_u: list[np.ndarray] = []
        h_r: list[np.ndarray] = []
        x_u: list[np.ndarray] = []
        for layer in range(depth):
            response = h_r[-1] if layer else 0.0
            c = response + push * forward[-1][:, :m]
            u, r = (c @ g[layer][sources, sources] for g in (self._g_u, self._g_r))
            # covariance of the u-part of h with all u's, and of its r-part with all r's
            with_u = u @ self._phi[layer][sources, sources] + forward[-1][:, :m]
            with_r = r @ self._back[layer + 1][sources, sources] if layer + 1 <= depth else r
            with_itself = with_u @ u.T + u @ forward[-1][:, :m].T + forward[-1][:, m:] + with_r @ r.T
            with_sources = with_u @ self._h_u[layer][sources, sources].T + with_r @ self._h_r[layer][sources, sources].T
            forward.append(np.concatenate([with_sources, with_itself], axis=1))
            h_u.append(u)
            h_r.append(r)
            x_u.append(with_u)
        backward = [np.ones((p, m + p))]
        g_u: list[np.ndarray] = []
        g_r: list[np.ndarray] = []
        for layer in reversed(range(depth)):
            response = g_u[0] if g_u else 0.0
            d = response + push * backward[0][:, :m]
            u, r = (d @ h[layer][sources, sources] for h in (self._h_u, self._h_r))
            with_r = r @ self._back[layer + 1][sources, sources] + backward[0][:, :m]
            with_u = u @ self._phi[layer][sources, sources]
            with_itself = with_r @ r.T + r @ backward[0][:, :m].T + backward[0][:, m:] + with_u @ u.T
            with_sources = with_r @ self._g_r[layer][sources, sources].T + with_u @ self._g_u[layer][sources, sources].T
            backward.insert(0, np.concatenate([with_sources, with_itself], axis=1))
            g_u.insert(0, u)
            g_r.insert(0, r)
        # <h^L g^L>: h has u's own Gaussian, g has r's own
        overlap = np.sum(x_u[-1] * g_u[-1], axis=1)
        overlap = overlap + np.sum(h_r[-1] * (g_r[-1] @ self._back[depth][sources, sources] + 1.0), axis=1)
        return _Row(q, forward, backward, h_u, h_r, g_u, g_r, self.a * overlap)


def _grown(stored: list[np.ndarray], level: int, side: int) -> np.ndarray:
    """Return a stored matrix, enlarged if it is too small."""
    if len(stored[level]) < side:
        larger = np.zeros((2 * side, 2 * side))
        old = len(stored[level])
        larger[:old, :old] = stored[level]
        stored[level] = larger
    return stored[level]


def deep_linear_curve(
    depth: int,
    x: np.ndarray,
    y: np.ndarray,
    root_h_alpha: Sequence[float] | np.ndarray | float,
    x_eval: np.ndarray | None = None,
    *,
    loss: str = "softhinge",
    tolerance: float = 0.02,
) -> CrossoverCurve:
    """Return the whole crossover of an infinitely wide deep linear network, without sampling.

    Parameters
    ----------
    depth : int
        Hidden layers L >= 1.
    x, y : arrays of shape (n, d) and (n,)
        Training points and labels ±1.
    root_h_alpha : floats
        Values of A = sqrt(h)·alpha.
    x_eval : array of shape (m, d), optional
        Points on which kernels are compared; default: x (which then cost nothing more).

    Raises
    ------
    InputError
        If an argument can't be used, or points × instants exceed 4,000.

    Notes
    -----
    Cost for M = points × instants (two instants a step, some 30 to 80 steps): about 12·L·M³/3 flops and 6·L·M² numbers.
    """
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1:
        raise InputError("depth", depth, "a network has a hidden layer", "Give 1 or more")
    data, grid = training_set(x, y, x_eval), amplitudes(root_h_alpha)
    if x_eval is None:
        data = TrainingSet(data.inputs, data.labels, data.inputs[:0])
    chosen = margin_loss(loss)
    compared = slice(None, len(data.labels)) if x_eval is None else slice(len(data.labels), None)
    results = []
    for a in grid:
        system = _DeepLinear(data, depth, float(a))
        trained = train(system, data.labels, chosen, tolerance)
        before, after = (
            system.whole_kernel(instant, instant)[compared, compared] for instant in (system.start(), trained.end)
        )
        results.append((relative_change(after, before), trained.time_half, trained.time_end))
    change, half, end = np.array(results).T
    return CrossoverCurve(grid, change, np.zeros_like(change), half, end, REFERENCE)
