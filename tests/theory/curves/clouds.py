"""Points for curves: one datum, and a few on a sphere."""

import numpy as np

ONE = np.array([[1.0]]), np.array([1.0])


def cloud(n=6, d=4, seed=0):
    """A few points on a sphere, labelled by a random plane."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    x *= np.sqrt(d) / np.linalg.norm(x, axis=1, keepdims=True)
    return x, np.where(x[:, 0] > 0, 1.0, -1.0)
