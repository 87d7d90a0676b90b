"""Whole curves that theory gives without a free parameter, and how well they fit."""
