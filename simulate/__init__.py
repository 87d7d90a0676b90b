"""What does happen: gradient flow of ensembles of networks, measured into an xarray store."""

from simulate.campaign import Campaign, Experiment, list_presets
from simulate.data import Data, load_data
from simulate.engine import run_task
from simulate.networks.architecture import Architecture
from simulate.networks.architecture import register as register_architecture
from simulate.networks.own_activation import register_activation
from simulate.running.runner import Outcome, Progress, run
from simulate.schema import Status
from simulate.store import Store, StoreError

__all__ = [
    "Architecture",
    "Campaign",
    "Data",
    "Experiment",
    "Outcome",
    "Progress",
    "Status",
    "Store",
    "StoreError",
    "list_presets",
    "load_data",
    "register_activation",
    "register_architecture",
    "run",
    "run_task",
]
