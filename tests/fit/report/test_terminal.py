"""The terminal explains itself: titles, whole words at 60 columns, no LaTeX, and why nothing was decided."""

import io

import pytest
from rich.console import Console
from synthetic_campaign import experiment, tree

from fit import assess
from fit.measurements.reading import measurements
from fit.report.terminal import print_verdicts
from simulate.training.status import Status


def printed(width, tmp_path, **changes):
    data = tree(experiment(**changes))
    out = Console(file=io.StringIO(), width=width)
    print_verdicts(out, assess(data), tmp_path, measurements(data))
    return out.file.getvalue()


@pytest.mark.parametrize("width", [60, 80])
def test_lines_fit_and_words_are_whole(width, tmp_path):
    text = printed(width, tmp_path)
    lines = [line for line in text.splitlines() if "report.html" not in line]
    assert max(map(len, lines)) <= width
    words = printed(200, tmp_path).split()
    assert sorted(text.split()) == sorted(words)


def test_titles_stand_for_identifiers_and_nothing_is_latex(tmp_path):
    text = printed(80, tmp_path)
    assert "Kernel change, feature regime (power of A)" in text
    assert "L = 3" in text
    assert "kernel_change_feature" not in text
    assert "\\" not in text


def test_what_is_undecided_says_why(tmp_path):
    text = printed(80, tmp_path, root_h_alpha=(1e-4, 1e-2, 1.0, 3.0, 10.0, 1e3, 1e4))
    assert "undecided (2 amplitudes of 3)" in text


def test_where_no_network_was_trained_nothing_stands_for_the_laws(tmp_path):
    data = experiment()
    data["status"].values[...] = Status.MAX_STEPS
    out = Console(file=io.StringIO(), width=300)
    print_verdicts(out, assess(tree(data)), tmp_path, measurements(tree(data)))
    text = out.file.getvalue()
    assert "No law could be measured with these data.\n" in text
    assert "Measurements" not in text
    assert "outcome" not in text
