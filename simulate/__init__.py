"""What does happen: gradient flow of ensembles of networks, measured into an xarray store.

Names are imported when they are asked for: whoever only reads a store does not wait for torch.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if (_lazyrich := find_spec("lazyrich")) is not None and _lazyrich.submodule_search_locations is None:
    raise SystemExit(f"error: {_lazyrich.origin} hides the package lazyrich. Rename it.")

from lazyrich.hidden import refuse_hidden

refuse_hidden("theory")

if TYPE_CHECKING:
    from simulate.campaign.campaign import Campaign, list_presets
    from simulate.campaign.experiment import Experiment
    from simulate.data import Data, load_data
    from simulate.measure.engine import run_task
    from simulate.networks.architecture import Architecture
    from simulate.networks.registry import register as register_architecture
    from simulate.networks.torch_functions import register_activation
    from simulate.planning.tasks import campaign_tasks
    from simulate.running.runner import Progress, RunResult, run
    from simulate.running.runner import RunResult as Outcome
    from simulate.store import Store, StoreError
    from simulate.training.status import Status

__all__ = [
    "Architecture",
    "Campaign",
    "Data",
    "Experiment",
    "Outcome",
    "Progress",
    "RunResult",
    "Status",
    "Store",
    "StoreError",
    "campaign_tasks",
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
    "Outcome": ("running.runner", "RunResult"),  # its former name
    "Progress": ("running.runner", "Progress"),
    "RunResult": ("running.runner", "RunResult"),
    "Status": ("training.status", "Status"),
    "Store": ("store", "Store"),
    "StoreError": ("store", "StoreError"),
    "campaign_tasks": ("planning.tasks", "campaign_tasks"),
    "list_presets": ("campaign", "list_presets"),
    "load_data": ("data", "load_data"),
    "register_activation": ("networks.torch_functions", "register_activation"),
    "register_architecture": ("networks.registry", "register"),
    "run": ("running.runner", "run"),
    "run_task": ("measure.engine", "run_task"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOME[name]
    value = getattr(import_module(f"simulate.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
