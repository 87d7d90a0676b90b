"""Every command in surroundings that fail it, and on files that nobody expects; all of them are tried by
``python -m benchmarks.reliability.surroundings``.
"""

import pytest

from benchmarks.reliability import hostile_files, nonsense, surroundings
from benchmarks.reliability.surroundings import SURROUNDINGS, Trial, judged, tried


def test_every_command_is_tried_in_all_surroundings():
    paths = {path for path in nonsense._commands() if not any(c.startswith(path) for c in surroundings.COMMANDS)}
    assert paths == set()
    every = {(trial.surrounding, trial.command) for trial in surroundings.trials()}
    assert every >= {(surrounding, command) for surrounding in SURROUNDINGS for command in surroundings.COMMANDS}
    assert {"--threads 10**20", "--device mps"} <= {surrounding for surrounding, _ in every}


@pytest.mark.parametrize(
    ("code", "sentence", "report", "is_mute", "ended"),
    [
        (0, "", "", False, "as in good surroundings"),
        (2, "error: device = 'gpu': no such device.", "", False, "refused"),
        (5, "", "", True, "refused"),  # nobody can be told
        (5, "", "", False, "unexpected"),
        (1, "error: x", "", False, "unexpected"),
        (-11, "", "", True, "unexpected"),
        ("timeout", "", "", True, "unexpected"),
        (0, "", "Traceback (most recent call last)", False, "unexpected"),
        (2, "error: x", "error: a fault of lazyrich (KeyError)", False, "unexpected"),
    ],
)
def test_the_judge_is_not_blind(code, sentence, report, is_mute, ended):
    assert judged(code, sentence, report, is_mute) == ended


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("surroundings") / "made"
    surroundings.make_files(folder)
    return folder


@pytest.mark.parametrize("surrounding", ["standard output full", "files of no bytes", "0.3 GB of memory"])
def test_theory_ends_in_a_sentence(surrounding, made, tmp_path):
    trial = Trial(surrounding, "theory", SURROUNDINGS[surrounding], "-m theory relu --json")
    assert tried(trial, made, tmp_path / "place")["ended"] in ("as in good surroundings", "refused")


@pytest.mark.slow  # what is imported is compiled anew without docstrings
@pytest.mark.parametrize("surrounding", ["unknown MPLBACKEND", "PYTHONOPTIMIZE=2"])
def test_a_report_does_without_a_backend_and_without_docstrings(surrounding, made, tmp_path):
    line = f"{SURROUNDINGS[surrounding]} && ls out/figures/*.svg"
    trial = Trial(surrounding, "report of a table", line, "-m lazyrich report measured.csv --out out --quiet")
    assert tried(trial, made, tmp_path / "place")["code"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("surrounding", ["files of 64 KiB", "8 open files"])
def test_a_run_that_was_refused_is_finished_in_good_surroundings(surrounding, made, tmp_path):
    command = "simulate run"
    trial = Trial(surrounding, command, SURROUNDINGS[surrounding], surroundings.COMMANDS[command])
    assert tried(trial, made, tmp_path / "place")["ended"] == "refused"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in hostile_files.FILES if name.startswith("a pipe")])
def test_a_pipe_is_refused_and_not_waited_for(name, made, tmp_path):
    for trial in surroundings.trials():
        if trial.surrounding == name and "--dry-run" not in trial.arguments:
            result = tried(trial, made, tmp_path / "place")
            assert (result["code"], result["ended"]) == (2, "refused"), trial.arguments
