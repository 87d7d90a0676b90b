"""The data that an experiment's networks were trained on, read again and recognised by their checksum."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError

if TYPE_CHECKING:  # where they are asked for they are imported, with torch and scikit-learn: two seconds
    from simulate.campaign.experiment import Experiment
    from simulate.data import Data


def training_data(measurements: Measurements, data_root: str | Path | None = None) -> tuple[Experiment, Data] | None:
    """Return the experiment and its data; None if these are not at hand, or theory's curves are not about its networks.

    The curves are about fully connected networks without bias, trained on F = alpha (f - f_0). Data are at hand if
    their SHA-256 is the one that the source recorded.

    Parameters
    ----------
    measurements : Measurements
    data_root : path, optional
        Folder with the image data; default: the environment variable ``LAZYRICH_DATA``.
    """
    recorded = measurements.data.attrs.get("data")
    if isinstance(recorded, str):  # of a netCDF file, which has no nested attributes
        with contextlib.suppress(ValueError):
            recorded = json.loads(recorded)
    if not isinstance(recorded, dict) or "sha256" not in recorded:
        return None
    from simulate.campaign.experiment import Experiment
    from simulate.data import load_data

    try:
        experiment = Experiment.model_validate(measurements.description)
        data = load_data(experiment, data_root)
    except (InputError, ValueError):  # a table of others, or images that this machine lacks
        return None
    if recorded["sha256"] != data.sha256:
        return None
    covered = experiment.network_class.known_to_theory and not experiment.bias and experiment.subtract_initial
    return (experiment, data) if covered else None
