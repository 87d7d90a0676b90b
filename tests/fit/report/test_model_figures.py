"""The figure of a fitted law: measured against fitted, and residuals against each variable."""

import numpy as np
import pandas as pd
import pytest

from fit.models.assess import assess_models
from fit.models.statement import model
from fit.report.model_figures import caption, residual_figure


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A power with 1 % of noise, and one point that is twice as large as it should be."""
    path = tmp_path_factory.mktemp("law") / "table.csv"
    x = np.geomspace(1, 1000, 40)
    y = 2 * x**-0.5 * np.exp(0.01 * np.random.default_rng(0).standard_normal(40))
    y[20] *= 2
    pd.DataFrame({"x": x, "y": y}).to_csv(path, index=False)
    return assess_models(path, [model("y = a/x^p", draws=50, starts=4)]).results[0]


def test_the_table_holds_what_is_drawn(result):
    table = residual_figure(result).table
    np.testing.assert_allclose(table["residual"], np.log(table["y"] / table["fitted"]), atol=1e-12)
    np.testing.assert_array_equal(table["x"], result.points.columns["x"])


def test_there_is_a_panel_for_the_fit_and_one_for_each_variable_in_per_cent(result):
    fitted, residuals = residual_figure(result).figure.axes
    assert (fitted.get_xlabel(), fitted.get_xscale()) == ("fitted y", "log")
    assert (residuals.get_xlabel(), residuals.get_ylabel()) == ("x", "residual, %")
    drawn = residuals.get_lines()[0].get_ydata()
    np.testing.assert_allclose(drawn, 100 * result.fit.residuals)


def test_a_point_outside_is_a_triangle_at_the_edge_and_counted_in_the_caption(result):
    residuals = residual_figure(result).figure.axes[1]
    low, high = residuals.get_ylim()
    triangles = [line for line in residuals.get_lines() if line.get_marker() == "^"]
    assert [line.get_ydata()[0] for line in triangles] == pytest.approx([high])
    assert low == -high
    assert "Triangles at an edge: 1 point further out." in caption(result)
    assert "residuals, in per cent, against x" in caption(result)
