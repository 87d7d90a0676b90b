"""Which training points an update of stochastic dynamics sees.

The draws depend on (base_seed, architecture, depth, width, input dimension, seed) and the epoch only, as initial
weights do: networks that differ in alpha see the same minibatches.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from simulate.networks.architecture import Architecture


class MinibatchDraws:
    """Draws for a batch of networks: member m has seed ``seeds[seed_of[m]]``, with ``seed_of`` of shape (members,)."""

    def __init__(self, network: Architecture, base_seed: int, seeds: Sequence[int], seed_of: Tensor) -> None:
        shape = f"{network.name}/{network.depth}/{network.width}/{network.input_dim}"
        self.keys = [f"{base_seed}/{shape}/{seed}/minibatches" for seed in seeds]
        self.seed_of = seed_of

    def points_of_epoch(self, seed: int, epoch: int, n: int, size: int) -> np.ndarray:
        """Return the training points of each of an epoch's updates, (updates, size); ``seed`` is a row of ``seeds``."""
        updates = math.ceil(n / size)
        if size == n:
            return np.arange(n)[None]
        digest = hashlib.sha256(f"{self.keys[seed]}/{epoch}".encode()).digest()
        generator = np.random.Generator(np.random.Philox(int.from_bytes(digest[:16], "little")))
        return np.stack([generator.choice(n, size, replace=False) for _ in range(updates)])
