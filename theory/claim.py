"""A claim: a law under one name, its derivation, and how far a measurement may be from it; a file of `theory.laws`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import TypeVar

from theory.model import Model
from theory.prediction import Prediction

Derivation = Callable[[Model], Prediction | Iterable[Prediction]]
_D = TypeVar("_D", bound=Derivation)


@dataclasses.dataclass(frozen=True)
class Claim:
    """A law under one name.

    ``margin`` is how far a measured exponent may be from the predicted one and still be called the same; None for a
    claim that is no power, has a rule of its own, or (``because`` says how) a margin that depends on the depth.
    """

    name: str
    title: str  #: the heading of its section in a report
    derive: Derivation
    margin: float | None
    because: str  #: why this margin
    order: float = math.inf  #: its place in a report: ascending, those without one last

    @property
    def margin_text(self) -> str:
        """The margin as a table shows it."""
        return "by depth" if self.margin is None else f"{self.margin:g}"

    def laws(self, model: Model) -> tuple[Prediction, ...]:
        """Derive its predictions for a model."""
        derived = self.derive(model)
        laws = (derived,) if isinstance(derived, Prediction) else tuple(derived)
        return tuple(
            dataclasses.replace(
                law, margin=self.margin if law.margin is None else law.margin, title=law.title or self.title
            )
            for law in laws
        )


_claims: dict[str, Claim] = {}


def registered() -> dict[str, Claim]:
    """Return the claims whose files have been imported; `theory.claims.claims` imports them all."""
    return _claims


def claim(title: str, *, order: float = math.inf, margin: float | None = None, because: str = "") -> Callable[[_D], _D]:
    """Make a derivation the claim of its own name: a decorator.

    Parameters
    ----------
    title : str
        The heading of its section in a report.
    order : float
        Where a report has it: claims come in ascending order, those without one last, by name.
    margin : float, optional
        Of the exponent, fixed before any data: at most half the distance to the nearest rival law, so that no
        measurement is consistent with both, and at least twice the bias that the window itself causes, so that a true
        law can be confirmed. A `Prediction` that has a margin keeps its own.
    because : str
        Why this margin; of a claim whose predictions bring their own margins, how these come about.
    """

    def register(derive: _D) -> _D:
        name = derive.__name__
        _claims[name] = Claim(name, title, derive, margin, because, order)
        return derive

    return register
