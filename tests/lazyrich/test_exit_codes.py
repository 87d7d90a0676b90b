"""Each way in which a command ends has its own exit code, and every class of errors uses one of them."""

from lazyrich import exit_codes
from lazyrich.errors import ExpectedError, InputError
from simulate.store import DamagedStoreError, StoreError

CODES = {name: value for name, value in vars(exit_codes).items() if name.isupper()}


def test_the_codes_are_those_that_are_documented():
    assert CODES == {
        "DONE": 0, "FAULT": 1, "INPUT": 2, "NETWORKS": 3, "DAMAGE": 4, "SYSTEM": 5, "INTERRUPTED": 130
    }  # fmt: skip


def test_errors_end_with_them():
    assert InputError.exit_code == ExpectedError.exit_code == exit_codes.INPUT
    assert DamagedStoreError.exit_code == exit_codes.DAMAGE
    assert StoreError.exit_code == exit_codes.SYSTEM
