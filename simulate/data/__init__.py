"""Data sets as the networks see them."""

from simulate.data.loading import Data, load_data

__all__ = ["Data", "load_data"]
