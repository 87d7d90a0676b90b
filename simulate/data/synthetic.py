"""Points whose structure is known: uniform on the sphere ||x||² = d, labelled by a rule of one or two directions.

Uniform points have no structure of their own, and the label depends on x_1 alone, or on x_1 and x_2, which are nearly
standard normal variables. The rules are those of the compression study (Paccolat et al., arXiv:2007.11471, where the
other directions carry nothing), applied to the points on the sphere, so that each is exactly a function of what the
network sees. (The published code labels normal points before it projects them.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DIMENSION = 10  #: of the points, unless a campaign gives another
STRIPE = 1.5  # width; narrower stripes are not learnt from a few hundred points in ten dimensions
CYLINDER = 1.5  # radius²: half of the points of ten dimensions are inside


@dataclass(frozen=True)
class Rule:
    """A label of points: true is +1. ``relevant`` directions decide it, the first ones; ``description`` is in words."""

    positive: Callable[[np.ndarray], np.ndarray]  #: of points, (count, dimension)
    description: str
    relevant: int = 1


def _sign(x: np.ndarray) -> np.ndarray:
    return x[:, 0] > 0


def _stripe(x: np.ndarray) -> np.ndarray:
    # the numbers of the published code: half of a standard normal variable's mass is between them
    return (x[:, 0] > -0.3) & (x[:, 0] < 1.18549)


def _stripes(x: np.ndarray) -> np.ndarray:
    return np.rint(x[:, 0] / STRIPE).astype(np.int64) % 2 == 0


def _cylinder(x: np.ndarray) -> np.ndarray:
    return x[:, 0] ** 2 + x[:, 1] ** 2 < CYLINDER


#: name of the data set -> its rule
RULES: dict[str, Rule] = {
    "sphere": Rule(_sign, "label sign(x_1)"),
    "one_direction": Rule(_stripe, "label +1 between x_1 = -0.3 and 1.18549, -1 on both sides"),
    "stripes": Rule(_stripes, f"label the parity of x_1 / {STRIPE} rounded: stripes of width {STRIPE}"),
    "cylinder": Rule(_cylinder, f"label +1 where x_1² + x_2² < {CYLINDER}, -1 outside of that cylinder", relevant=2),
}


def draw_points(dataset: str, count: int, dimension: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``count`` points (count, dimension), ||x||² = dimension, and their labels, +1 and -1 in turn.

    The first points do not depend on how many are drawn.

    Examples
    --------
    >>> x, y = draw_points("stripes", 4, 10, seed=0)
    >>> y
    array([ 1., -1.,  1., -1.])
    >>> np.array_equal(x[:2], draw_points("stripes", 2, 10, seed=0)[0])
    True
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    labels = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    if dataset == "sphere":  # every point can be used, reflected where its sign is not the wanted one
        x = _on_sphere(generator.normal(size=(count, dimension)))
        x[:, 0] = np.abs(x[:, 0]) * labels
        return x, labels
    blocks: list[np.ndarray] = []
    positive = np.zeros(0, dtype=bool)
    while min(positive.sum(), (~positive).sum()) < (count + 1) // 2:
        blocks.append(_on_sphere(generator.normal(size=(count + 8, dimension))))
        positive = np.concatenate([positive, RULES[dataset].positive(blocks[-1])])
    drawn = np.concatenate(blocks)
    x = np.empty((count, dimension))
    for label, members in ((1.0, positive), (-1.0, ~positive)):
        of_label = labels == label
        x[of_label] = drawn[members][: of_label.sum()]
    return x, labels


def _on_sphere(x: np.ndarray) -> np.ndarray:
    x *= np.sqrt(x.shape[1]) / np.linalg.norm(x, axis=1, keepdims=True)
    return x
