"""The arms that an experiment may have: what is trained beside each network."""

from __future__ import annotations

#: name -> what it is: the values of the dimension ``arm``
ARMS = {
    "network": "the network itself",
    "initial_kernel": "the frozen tangent kernel of the network before training",
    "final_kernel": "the frozen tangent kernel of the trained network",
    "initial_features": "the frozen kernel of the last layer before training",
    "final_features": "the frozen kernel of the last layer of the trained network",
}
