"""The store of a campaign: what is kept, where, and how damage is found.

Names are imported when they are asked for: whoever only reads a store does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulate.store.backend import StoreError
    from simulate.store.damaged_store import Damage, DamagedStoreError
    from simulate.store.opening import naming_damage, open_tree
    from simulate.store.store import Store, exclusive_lock

__all__ = ["Damage", "DamagedStoreError", "Store", "StoreError", "exclusive_lock", "naming_damage", "open_tree"]

#: exported name -> its module
_MODULES = {
    "Damage": "damaged_store",
    "DamagedStoreError": "damaged_store",
    "Store": "store",
    "StoreError": "backend",
    "exclusive_lock": "store",
    "naming_damage": "opening",
    "open_tree": "opening",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
