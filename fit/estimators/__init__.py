"""Estimators: arrays in, estimates with small-sample intervals out. They know neither theory nor simulations."""
