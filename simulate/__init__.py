"""What does happen: gradient flow of ensembles of networks, measured into an xarray store.

Names are imported when they are asked for: whoever only reads a store does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

#: exported name -> its module, and its name there
_HOME = {
    "Architecture": ("networks.architecture", "Architecture"),
    "Campaign": ("campaign", "Campaign"),
    "Data": ("data", "Data"),
    "Experiment": ("campaign", "Experiment"),
    "Outcome": ("running.runner", "Outcome"),
    "Progress": ("running.runner", "Progress"),
    "Status": ("schema", "Status"),
    "Store": ("store", "Store"),
    "StoreError": ("store", "StoreError"),
    "list_presets": ("campaign", "list_presets"),
    "load_data": ("data", "load_data"),
    "register_activation": ("networks.own_activation", "register_activation"),
    "register_architecture": ("networks.architecture", "register"),
    "run": ("running.runner", "run"),
    "run_task": ("engine", "run_task"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own = _HOME[name]
    found = getattr(import_module(f"simulate.{module}"), own)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
