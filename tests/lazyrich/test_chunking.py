"""Few chunks of nearly equal size, of whole units where these are small."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazyrich.chunking import chunk_size


@given(st.integers(1, 10_000), st.integers(1, 500))
def test_chunks_are_as_few_as_possible_and_as_even_as_possible(count, most):
    size = chunk_size(count, most)
    chunks = math.ceil(count / size)
    assert size <= most
    assert chunks == math.ceil(count / most)
    # one less would be too small for as many chunks
    assert (size - 1) * chunks < count


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 300))
def test_chunks_have_whole_units_unless_a_unit_is_far_too_large(units, unit, most):
    size = chunk_size(units * unit, most, unit)
    if 2 * most >= unit:
        assert size % unit == 0
        assert size <= max(most, unit)
    else:
        assert size <= most


@pytest.mark.parametrize(("count", "most"), [(0, 5), (7, None)])
def test_without_a_limit_or_items_there_is_one_chunk(count, most):
    assert chunk_size(count, most) == count
