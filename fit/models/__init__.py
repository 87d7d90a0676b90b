"""Scaling laws of any form, fitted to any table: ``loss = E + A/N^alpha + B/D^beta``."""

from fit.models.assess import ModelReport, assess_models
from fit.models.statement import ModelStatement, model, read_models

__all__ = ["ModelReport", "ModelStatement", "assess_models", "model", "read_models"]
