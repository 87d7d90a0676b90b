"""What is asked for: campaigns of experiments, and the presets that come with the package."""

from simulate.campaign.campaign import Campaign, list_presets
from simulate.campaign.experiment import Experiment

__all__ = ["Campaign", "Experiment", "list_presets"]
