"""Work shared by processes: the same results in the same order, and no process where there is little to do."""

import math
import subprocess
import sys

import pytest

from fit.processes import WORTH_IT, shared


def test_few_networks_stay_in_this_process():
    with shared(WORTH_IT - 1) as apply:
        assert apply is map


def test_many_networks_are_shared_and_results_keep_their_order(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    with shared(WORTH_IT) as apply:
        assert apply is not map
        assert list(apply(math.sqrt, range(40))) == [math.sqrt(i) for i in range(40)]
        with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
            list(apply(math.sqrt, [1, -1, 4]))


def test_reading_reports_wait_for_no_torch():
    told = subprocess.run(
        [sys.executable, "-c", "import sys, fit.report; print('torch' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "False"
