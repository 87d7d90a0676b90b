"""What an audit was made with."""

from __future__ import annotations

from typing import Any


def made_now() -> dict[str, Any]:
    """Return versions of packages, the commit, and the time."""
    from simulate.store.provenance import commit, now, versions

    return {"versions": versions(), "commit": commit(), "created": now()}
