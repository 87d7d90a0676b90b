"""All claims: whatever file lies in `theory.laws`."""

from __future__ import annotations

import theory.laws
from lazyrich.discovery import import_all
from theory.claim import Claim, registered


def claims() -> tuple[Claim, ...]:
    """Return all claims by their order, those of the same order by name."""
    import_all(theory.laws)
    return tuple(sorted(registered().values(), key=lambda claim: (claim.order, claim.name)))
