"""The arms that an experiment may have: what is trained beside each network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Arm:
    """One arm: a frozen kernel in place of the network's own, or the network itself."""

    description: str
    weights: Literal["initial", "final"] | None = None  #: the weights whose kernel is frozen; None for the network
    last_layer_only: bool = False  #: whether the kernel is that of the last layer (its features) alone


#: by name: the values of the dimension ``arm``
ARMS = {
    "network": Arm("the network itself"),
    "initial_kernel": Arm("the frozen tangent kernel of the network before training", "initial"),
    "final_kernel": Arm("the frozen tangent kernel of the trained network", "final"),
    "initial_features": Arm("the frozen kernel of the last layer before training", "initial", last_layer_only=True),
    "final_features": Arm("the frozen kernel of the last layer of the trained network", "final", last_layer_only=True),
}
