"""Damage as the cause of a failure."""

import pytest

from lazyrich.errors import InputError
from simulate.store.damaged_store import Damage, DamagedStoreError, damage_as_cause

DAMAGE = [Damage("one/zarr.json", "is missing"), Damage("two/zarr.json", "is missing")]


def test_the_first_damage_is_named_with_the_number_of_others():
    error = DamagedStoreError.from_damage("s.zarr", DAMAGE)
    assert "one/zarr.json is missing, and 1 more" in str(error)
    assert "verify s.zarr" in str(error)
    assert error.exit_code == 4


def test_damage_replaces_the_failure_that_it_has_caused():
    with pytest.raises(DamagedStoreError) as caught, damage_as_cause("s.zarr", lambda: DAMAGE):
        raise KeyError("status")
    assert isinstance(caught.value.__cause__, KeyError)


def test_without_damage_a_failure_travels_on():
    with pytest.raises(KeyError, match="status"), damage_as_cause("s.zarr", list):
        raise KeyError("status")


def test_what_has_its_own_sentence_is_not_looked_into():
    def verify():
        raise AssertionError("not to be called")

    with pytest.raises(InputError, match="too low"), damage_as_cause("s.zarr", verify):
        raise InputError("seeds", 0, "too low", "Raise it")
