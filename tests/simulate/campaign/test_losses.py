"""The losses that a campaign may name are those that have formulas."""

from simulate.campaign.losses import LOSS_NAMES
from simulate.dynamics.losses import LOSSES


def test_names_and_formulas_are_the_same_set():
    assert len(LOSS_NAMES) == len(set(LOSS_NAMES))
    assert set(LOSS_NAMES) == set(LOSSES)
