"""The losses that a campaign may name are those that have formulas."""

from simulate.campaign.losses import LOSS_NAMES, MARGIN_LOSSES
from simulate.dynamics.losses import LOSSES


def test_names_and_formulas_are_the_same_set():
    assert len(LOSS_NAMES) == len(set(LOSS_NAMES))
    assert set(LOSS_NAMES) == set(LOSSES)


def test_losses_of_a_margin_are_those_that_stop_at_one():
    at_a_margin = {name for name, loss in LOSSES.items() if "margin" in loss.stop}
    assert set(MARGIN_LOSSES) == at_a_margin
    assert at_a_margin < set(LOSSES)
