"""Where two campaigns differ, by the name of the field."""

from __future__ import annotations

from typing import Any


def first_difference(old: Any, new: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Return the path, the old and the new value of the first difference of two JSON documents; None if equal.

    Of lists of tables that differ in length, experiments say, the names are returned.

    Examples
    --------
    >>> first_difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]})
    ('a[1].b', 2, 3)
    """
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(k for k in new if k not in old)]
        parts = [(f"{path}.{key}" if path else key, old.get(key), new.get(key)) for key in keys]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        parts = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(old, new, strict=True))]
    else:
        return None if old == new else (path, _names(old), _names(new))
    differences = (first_difference(a, b, name) for name, a, b in parts)
    return next((difference for difference in differences if difference is not None), None)


def _names(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value):
        return [item["name"] for item in value]
    return value
