"""An interruption while ``python -m`` still imports ends in a sentence; faults keep their traceback."""

import errno
import sys

import pytest

from lazyrich import early_end


class Ended(Exception):
    """In place of the end of the process."""


@pytest.fixture(autouse=True)
def no_exit(monkeypatch):
    def end(code):
        raise Ended(code)

    monkeypatch.setattr(early_end.os, "_exit", end)


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (KeyboardInterrupt(), "interrupted: nothing was begun.", 130),
        (MemoryError(), "error: the system has not enough memory, threads or files to begin.", 5),
        (OSError(errno.EMFILE, "Too many open files"), "error: the system has not enough memory", 5),
        (RuntimeError("can't start new thread"), "error: the system has not enough memory", 5),
    ],
    ids=["interrupt", "memory", "files", "threads"],
)
def test_what_the_system_does_to_imports_is_a_sentence(error, sentence, code, capsys):
    with pytest.raises(Ended) as ended:
        early_end._end(type(error), error, None)
    assert ended.value.args == (code,)
    shown = capsys.readouterr().err
    assert shown.startswith(sentence)
    assert len(shown.splitlines()) == 1


def test_a_fault_is_shown_as_python_shows_it(capsys):
    error = ValueError("a fault")
    early_end._end(ValueError, error, None)
    assert "ValueError: a fault" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "installed"), [(["-m"], True), (["script.py"], False), ([], False)])
def test_it_is_for_commands_alone(arguments, installed, monkeypatch):
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    early_end.install()
    assert (sys.excepthook is early_end._end) is installed
