"""What is damaged in a store, the error about it, and how a failure that damage has caused becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazyrich import exit_codes
from lazyrich.errors import ExpectedError, InputError

if TYPE_CHECKING:
    from simulate.planning.tasks import Task


@dataclass(frozen=True)
class Damage:
    """Something in a store that is not as it was written; ``task`` says whose results are lost, if any are."""

    path: str
    problem: str
    task: Task | None = None


class DamagedStoreError(InputError):
    """A store is not as it was written; ends a command with 4, as ``verify`` does."""

    exit_code = exit_codes.DAMAGE

    @classmethod
    def naming(cls, store: object, key: str, problem: str, count: int) -> DamagedStoreError:
        """Return the error about the first of ``count`` damaged objects."""
        more = f", and {count - 1} more" if count > 1 else ""
        remedy = (
            f"lazyrich simulate verify {store} lists what is damaged, and lazyrich simulate repair {store} makes "
            "only that again"
        )
        return cls("store", str(store), f"damaged: {key} {problem}{more}", remedy)

    @classmethod
    def from_damage(cls, store: object, damage: Sequence[Damage]) -> DamagedStoreError:
        """Return the error that names the first damage, how much there is, and what to do."""
        return cls.naming(store, damage[0].path, damage[0].problem, len(damage))


@contextmanager
def damage_as_cause(store: object, verify: Callable[[], Sequence[Damage]]) -> Iterator[None]:
    """Say which part of a store is damaged, if that is why what is done inside failed.

    ``verify`` returns what is damaged; it is called after a failure.

    Raises
    ------
    DamagedStoreError
        Naming the first damage; an exception that has another cause travels on.
    """
    try:
        yield
    except ExpectedError:
        raise
    except Exception as error:
        damage = verify()
        if not damage:
            raise
        raise DamagedStoreError.from_damage(store, damage) from error
