"""The store of a campaign: what is kept, where, and how damage is found."""

from simulate.store.backend import StoreError
from simulate.store.damage import Damage
from simulate.store.opening import naming_damage, open_tree
from simulate.store.root import DamagedStoreError
from simulate.store.store import Store, exclusive_lock

__all__ = ["Damage", "DamagedStoreError", "Store", "StoreError", "exclusive_lock", "naming_damage", "open_tree"]
