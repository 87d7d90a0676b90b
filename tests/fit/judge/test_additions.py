"""How many seeds or widths decide: the rule, applied to the campaign that was planned, decides."""

import dataclasses

import numpy as np
import pytest
import xarray as xr
from synthetic_campaign import experiment, tree

from fit import assess
from fit.estimators.estimate import Estimate
from fit.judge.additions import TARGET, Grid, additions

NOW = Grid((64, 128, 256), 10, 5)


@pytest.fixture(scope="module")
def row():
    """A verdict to be given other numbers."""
    return next(v for v in assess(tree(experiment())) if v.claim == "weight_change_lazy" and v.estimate is not None)


def undecided(row, value, error, *, dof=29, band=(-1.6, -1.4), points=None):
    return dataclasses.replace(
        row, decided_by=Estimate(value, error, dof), band=band, n_seeds=10, n_widths=3, variable="root_h_alpha",
        points=points, verdict="inconclusive",
    )  # fmt: skip


def test_seeds_shrink_the_error_of_a_power_of_a_as_their_root(row):
    seeds = [additions(undecided(row, -1.5, error), NOW, 1, 0, 0)[0].seeds for error in (0.06, 0.12)]
    # of an estimate on the prediction twice the error takes four times the seeds, and more for its larger uncertainty
    assert 3.5 <= seeds[1] / seeds[0] <= 6
    # 1.6 + 1.5 standard errors have to fit into the margin at least
    assert 0.06 * np.sqrt(10 / seeds[0]) * 3.1 < 0.1


def test_more_laws_judged_at_once_take_no_fewer_seeds(row):
    one, many = (additions(undecided(row, -1.75, 0.09), NOW, tested, 0, 0)[0].seeds for tested in (1, 50))
    assert one < many


def test_slopes_that_drift_with_the_width_need_widths(row):
    drifting = dataclasses.replace(undecided(row, -1.5, 0.038, dof=8), n_widths=9)
    now = Grid((16, 23, 32, 45, 64, 91, 128, 181, 256), 10, 5)
    assert additions(drifting, now, 1, 0, 0) == []
    option = additions(drifting, now, 1, 0, 6)[0]
    assert option.widths
    assert option.probability >= TARGET


def test_seeds_help_a_mean_over_fixed_widths(row):
    """Its degrees of freedom, Welch's, may be fewer than the widths less one, which drifting slopes have."""
    now = Grid((16, 32, 64, 128, 256, 512, 1024, 2048, 4096), 5, 2)
    fixed = dataclasses.replace(undecided(row, -1.5, 0.06, dof=6.3), n_widths=9, n_seeds=5)
    assert additions(fixed, now, 1, 0, 0)[0].seeds > 5


def test_seeds_add_no_freedom_at_two_widths(row):
    """t(2) asks for a smaller error than t(29): 2.92 + 4.3 against 1.70 + 2.05 of them, roughly."""
    two = dataclasses.replace(undecided(row, -1.5, 0.06, dof=2), n_widths=2, n_seeds=10)
    many = dataclasses.replace(undecided(row, -1.5, 0.06, dof=19), n_widths=2, n_seeds=10)
    now = Grid((64, 128), 10, 5)
    few_freedom, much = (additions(law, now, 1, 0, 0)[0].seeds for law in (two, many))
    assert few_freedom > 2 * much


def test_an_estimate_at_the_edge_is_decided_by_nothing_feasible(row):
    assert additions(undecided(row, -1.4, 0.005), NOW, 50, 0, 0) == []


def line(scatter):
    """Points of a figure: six widths about h^(-1/2), with ten seeds' intervals of 5 % and a scatter of their own."""
    h = np.array([32.0, 64, 128, 256, 512, 1024])
    y = h**-0.5 * np.exp(scatter * np.array([1, -1, 0.5, -0.5, 1, -1]))
    columns = {"width": h, "y": y, "y_low": y * np.exp(-0.1), "y_high": y * np.exp(0.1), "used": np.ones(6, bool)}
    return xr.Dataset({name: ("point", column) for name, column in columns.items()}, attrs={"x": "width"})


def test_the_scatter_of_widths_is_not_reduced_by_seeds(row):
    now = Grid((32, 64, 128, 256, 512, 1024), 10, 1)
    quiet, scattered = (
        dataclasses.replace(
            undecided(row, -0.5, 0.05, dof=58, band=(-0.55, -0.45), points=line(scatter)), variable="width"
        )
        for scatter in (0.0, 0.15)
    )
    assert additions(quiet, now, 1, 0, 0)
    assert additions(scattered, now, 1, 0, 0) == []
