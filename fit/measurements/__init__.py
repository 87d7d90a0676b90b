"""Measurements from any source, as labelled arrays."""
