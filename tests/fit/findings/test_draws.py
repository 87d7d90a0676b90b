"""Means over draws of the training points: over draws and initial weights where both vary, else over draws."""

import numpy as np
import pytest

from fit.findings.draws import in_words, joint_name, mean_over_rows


def test_a_family_is_named_by_what_its_members_share():
    assert joint_name(["a-fc-draw0", "a-fc-draw1", "a-fc-draw2"]) == "a-fc-draw0..2"
    assert joint_name(["left", "right"]) == "left + right"


def test_three_draws_of_several_initial_weights_bear_a_verdict():
    over = mean_over_rows(np.random.default_rng(0).standard_normal((3, 6)))
    assert over.undecided_because is None
    assert (over.components.n_draws, over.components.n_weights) == (3, 6)
    assert "3 draws of the training points × 6 initial weights" in in_words(over, 3)


@pytest.mark.parametrize(("draws", "decides"), [(4, False), (5, True)])
def test_with_one_seed_five_draws_are_needed(draws, decides):
    rows = np.random.default_rng(0).standard_normal((draws, 1))
    over = mean_over_rows(rows)
    assert (over.undecided_because is None) is decides
    assert over.components is None
    assert over.estimate.value == pytest.approx(rows.mean())
    assert over.estimate.standard_error == pytest.approx(rows.std(ddof=1) / np.sqrt(draws))
    assert "on these initial weights" in in_words(over, draws)


def test_two_draws_bear_none():
    assert "2 draws" in mean_over_rows(np.random.default_rng(0).standard_normal((2, 6))).undecided_because
