"""The architecture of an experiment's networks, to be asked which laws are about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from simulate.campaign.experiment import Experiment

if TYPE_CHECKING:
    from simulate.networks.architecture import Architecture


def names_architecture(experiment: Measurements) -> bool:
    """Whether a source says of which architecture its networks are."""
    return "architecture" in experiment.description


def network_class(experiment: Measurements) -> type[Architecture] | None:
    """Return the class of an experiment's networks; None where it is a user's own that is not registered here.

    Where the source names no architecture it is that of campaigns that name none. Importing the classes imports torch.
    """
    from simulate.networks.registry import architecture_class

    default = Experiment.model_fields["architecture"].default
    try:
        return architecture_class(experiment.description.get("architecture", default))
    except InputError:
        return None
