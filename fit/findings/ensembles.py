"""Test errors of averages over networks of different seeds."""

from __future__ import annotations

import numpy as np
import xarray as xr

#: Random partitions of the seeds into ensembles.
PARTITIONS = 50


def ensemble_errors(outputs: xr.DataArray, label: xr.DataArray, members: int) -> xr.DataArray:
    """Return jackknife pseudo-values of the mean error of ensembles of ``members`` different seeds, (amplitude, seed).

    The mean over all subsets (a U-statistic) is sampled by random partitions; without seed s it is the mean over the
    ensembles that s is not in.
    """
    rng = np.random.default_rng(0)
    values = outputs.transpose("amplitude", "seed", "test_point").values
    seeds = values.shape[1]
    per_partition = seeds // members
    ensembles = np.stack(
        [rng.permutation(seeds)[: per_partition * members] for _ in range(PARTITIONS)]
    ).reshape(-1, members)  # fmt: skip
    errors = np.array([np.mean(values[:, seed_set].mean(axis=1) * label.values <= 0, axis=1) for seed_set in ensembles])
    contains = np.zeros((len(ensembles), seeds), dtype=bool)
    np.put_along_axis(contains, ensembles, True, axis=1)
    mean_error = errors.mean(axis=0)
    without_seed = np.array([errors[~contains[:, s]].mean(axis=0) for s in range(seeds)])
    return xr.DataArray((seeds * mean_error - (seeds - 1) * without_seed).T, dims=("amplitude", "seed"))
