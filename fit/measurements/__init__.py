"""Measurements of others and of our own, as labelled arrays."""
