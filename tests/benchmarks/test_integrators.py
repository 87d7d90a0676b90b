"""The comparison with Euler's method, with tiny sizes: on a GPU it has sizes of its own."""

import pytest

from benchmarks import integrators

TINY = {"n_train": 10, "n_test": 10, "widths": [8], "root_h_alpha": [1.0], "seeds": 2, "dataset": "sphere"}


@pytest.mark.parametrize("case", sorted(integrators.CASES))
def test_on_a_gpu_batches_are_larger_and_few_networks_are_trained_alone(case):
    _, one = integrators.experiment(case, "cpu")
    _, gpu = integrators.experiment(case, "cuda")
    assert len(gpu.amplitudes) * gpu.seeds > 3 * len(one.amplitudes) * one.seeds
    assert len(gpu.amplitudes) <= 3
    assert (gpu.n_train, gpu.widths, gpu.depth) == (one.n_train, one.widths, one.depth)


def test_a_case_says_what_it_has_measured_and_how_far_the_two_are_apart(monkeypatch, capsys):
    """Two tasks count as one batch."""
    monkeypatch.setitem(integrators.CASES, "small", {**integrators.CASES["small"], **TINY})
    monkeypatch.setattr("simulate.planning.tasks._NETWORKS_PER_TASK", 1)
    monkeypatch.setattr(integrators, "ROUNDS", 1)
    result = integrators.compared("small", "cpu", "float64", 0.05)
    assert result["networks_in_batch"] == 2
    assert len(result["rows"]) == 1
    assert result["rows"][0]["kernel_change_ratio"] == pytest.approx(1.0, abs=0.2)  # the tolerance is coarse
    said = capsys.readouterr().err
    assert [line.split(":")[0] for line in said.splitlines()] == [
        "batch", "one at a time", "Euler, one at a time", "Euler, batch",
    ]  # fmt: skip
