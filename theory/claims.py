"""All claims: whatever file lies in `theory.laws`."""

from __future__ import annotations

import theory.laws
from lazyrich.discovery import import_all
from theory.claim import Claim, registered


def claims() -> tuple[Claim, ...]:
    """Return all claims: in the order of `theory.laws.ORDER`, then others by name."""
    import_all(theory.laws)
    order = {name: place for place, name in enumerate(theory.laws.ORDER)}
    return tuple(sorted(registered().values(), key=lambda one: (order.get(one.name, len(order)), one.name)))
