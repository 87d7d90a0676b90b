"""Measurements: the variables of a store, the observers that fill them, and the engine that trains one task."""
