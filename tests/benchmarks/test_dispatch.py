"""Counts of launches and waits: of operations whose counts are known."""

import torch

from benchmarks.dispatch import counting


def test_operations_are_launches_and_views_and_empty_tensors_are_none():
    x = torch.ones(4, 3)
    with counting() as counts:
        y = x.view(3, 4)[1:].transpose(0, 1)
        torch.empty_like(y)
        assert counts.launches == 0
        (y + 1.0).mul_(2.0)
    assert (counts.launches, counts.waits) == (2, 0)


def test_what_the_host_must_see_is_a_wait():
    x = torch.ones(4, 3)
    with counting() as counts:
        assert (x > 0.0).all()
        x.sum().item()
        torch.nonzero(x)
        assert len(x[x > 0.0]) == 12
        x.tolist()
    assert counts.waits == 5


def test_an_index_of_integers_is_no_wait():
    x, index = torch.ones(4, 3), torch.tensor([2, 0])
    with counting() as counts:
        x[index]
        x[index] = 0.0
    assert counts.waits == 0


def test_places_are_functions_of_the_package():
    from simulate.dynamics.losses import LOSSES

    margins = torch.ones(3)
    with counting(record_lines=True) as counts:
        LOSSES["square"].value(margins)
    assert counts.places == {"dynamics/losses.py:_square": 2}
