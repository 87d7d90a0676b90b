"""The map of the regimes: a planted plane comes back, and networks that do not fit are left out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from benchmarks import regime_map
from simulate import Status

WIDTHS, POINTS = (16, 32, 64), (50, 100, 200)
H, N = -0.5, 0.25  # by which the difference changes where h, n doubles, in per cent


def planted(h, n, draw):
    """A plane in log2 h, log2 n about -2 %, and an offset of the draw."""
    return -2.0 + H * np.log2(h / 32) + N * np.log2(n / 100) + 0.3 * (draw - 2)


@pytest.fixture
def experiments():
    """Five draws of three widths and numbers of points; of two seeds the second does not fit at n = 200, h = 16."""
    found = {}
    for n in POINTS:
        for draw in range(5):
            lazy = np.full((3, 1, 2), 0.2) + np.array([0.0, 0.01])
            gap = 0.01 * np.array([planted(h, n, draw) for h in WIDTHS])[:, None, None]
            error = np.concatenate([lazy + gap, lazy], axis=1)
            status = np.full(error.shape, Status.CONVERGED, dtype="int8")
            if n == 200:
                error[0, 0, 1], status[0, 0, 1] = 0.9, Status.MAX_STEPS
            dims = ("width", "root_h_alpha", "seed")
            found[f"fc-L3-n{n}-draw{draw}"] = xr.Dataset(
                {"test_error": (dims, error), "status": (dims, status)},
                {"width": list(WIDTHS), "root_h_alpha": [1e-4, 1e4]},
            )
    return found


def test_a_plane_comes_back_with_the_draws_as_units(experiments):
    differences = regime_map.error_differences(experiments)
    assert len(differences) == 5 * 9
    means = regime_map.cell_means(differences)
    for n in POINTS:
        for h in WIDTHS:
            estimate = means["fc", 3, n, h]
            assert estimate.value == pytest.approx(planted(h, n, 2), abs=1e-9)
            # offsets -0.6 ... 0.6 of five draws: s = 0.474, Student's 2.776 s/sqrt(5)
            assert estimate.interval()[1] - estimate.value == pytest.approx(2.776 * 0.4743 / 5**0.5, rel=1e-3)
    slopes = regime_map.slopes(differences)
    assert slopes.loc[("fc", 3), "h"].value == pytest.approx(H, abs=1e-9)
    assert slopes.loc[("fc", 3), "n"].value == pytest.approx(N, abs=1e-9)


def test_a_cell_says_which_intervals_exclude_zero_and_what_is_missing(experiments):
    lines = regime_map.tables(regime_map.error_differences(experiments))
    assert lines[0] == "Fully connected, L = 3:"
    row = next(line for line in lines if line.startswith("| 100 |"))
    assert row == "| 100 | **−1.5 [−2.1, −0.9]** | **−2.0 [−2.6, −1.4]** | **−2.5 [−3.1, −1.9]** |"
    assert regime_map._cell(None) == "–"


def test_pairs_that_do_not_fit_are_left_out(experiments):
    for draw in range(5):
        experiments[f"fc-L3-n200-draw{draw}"]["status"][0] = Status.MAX_STEPS
    differences = regime_map.error_differences(experiments)
    assert pd.isna(differences[(differences.n == 200) & (differences.width == 16)]["difference"]).all()
    assert regime_map.cell_means(differences)["fc", 3, 200, 16] is None
    assert regime_map.slopes(differences).loc[("fc", 3), "h"].value == pytest.approx(H, abs=1e-9)


def test_the_map_of_the_documentation_is_the_one_that_is_kept():
    page = (Path(__file__).parents[2] / "docs" / "findings.md").read_text(encoding="utf-8")
    assert "\n".join(regime_map.tables(pd.read_csv(regime_map.KEPT))).strip() in page
