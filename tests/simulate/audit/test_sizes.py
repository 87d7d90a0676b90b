"""Sizes and seeds of models that are compared."""

import pytest

from lazyrich.errors import InputError
from simulate.audit.sizes import check_seeds, check_sizes, size_seed


def test_sizes_are_put_in_order():
    assert check_sizes([256, 64, 128]) == [64, 128, 256]


@pytest.mark.parametrize(
    ("sizes", "says"),
    [([64, 64, 128], "given twice"), ([64], "two sizes or more"), ([0, 64], "of 1 or more"), ([], "two")],
)
def test_sizes_without_a_power_are_refused_under_the_name_of_their_axis(sizes, says):
    with pytest.raises(InputError, match=says) as refused:
        check_sizes(sizes, "depth")
    assert refused.value.field == "depths"


def test_one_seed_has_no_interval():
    check_seeds(2)
    check_seeds(1, least=1)
    with pytest.raises(InputError, match="at least 2"):
        check_seeds(1)


def test_every_size_and_seed_has_its_own_draw_the_same_every_time():
    seeds = {size_seed(size, seed) for size in (32, 64, 128) for seed in range(20)}
    assert len(seeds) == 60
    assert size_seed(64, 3) == size_seed(64, 3)
