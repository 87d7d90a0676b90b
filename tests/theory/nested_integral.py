"""E[f(u) f(v)] by an integral inside of an integral: slow, and another way than the package's."""

import numpy as np

REACH = 11.0
REGULAR = np.linspace(-REACH, REACH, 9)
OFFSETS = np.array([-8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0])
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def nested_integral(pair, sigma_1, sigma_2, correlation):
    """What `pair(sigma_1, sigma_2, correlation)` is, for deviations and 1 - correlation² above zero.

    The inner integral is split where v meets a kink, the outer one where u does, and in steps that shrink with the
    width sqrt(1 - c²) around the places where averaging rounds v's kinks off.
    """
    width = np.sqrt((1.0 - correlation) * (1.0 + correlation))
    slope = correlation if abs(correlation) > 1e-9 else 1.0  # v does not depend on x
    edges = [REGULAR, pair.edges / sigma_1, pair.edges / (sigma_2 * slope)]
    edges.append(((pair.kinks / (sigma_2 * slope))[:, None] + width / abs(slope) * OFFSETS).ravel())
    x, weight = composite(np.unique(np.clip(np.concatenate(edges), -REACH, REACH)))
    total = np.zeros(len(pair.functions))
    for rows in np.array_split(np.arange(len(x)), max(1, len(x) // 64)):
        center = correlation * x[rows, None]
        inner = np.clip((pair.edges / sigma_2 - center) / width, -REACH, REACH)
        regular = np.broadcast_to(REGULAR, (len(rows), len(REGULAR)))
        y, y_weight = composite(np.sort(np.concatenate([regular, inner], axis=1), axis=1))
        v = sigma_2 * (center + width * y)
        total += [weight[rows] @ (f(sigma_1 * x[rows]) * np.sum(y_weight * f(v), axis=1)) for f in pair.functions]
    return total


def composite(edges):
    """Gauss and Legendre's nodes and weights, times the normal density, on the panels of each row of edges."""
    half = 0.5 * np.diff(edges)
    x = (edges[..., :-1] + half)[..., None] + half[..., None] * NODES
    weight = half[..., None] * WEIGHTS * np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
    return x.reshape(*edges.shape[:-1], -1), weight.reshape(*edges.shape[:-1], -1)
