"""The store of a campaign: what is kept, where, and how damage is found."""

from simulate.store.backend import StoreError
from simulate.store.damage import Damage
from simulate.store.store import Store, claimed, reading

__all__ = ["Damage", "Store", "StoreError", "claimed", "reading"]
