"""Whatever ends a command ends it in one sentence and its exit code; what standard streams do is no fault of it."""

import os
import re
import signal
import subprocess
import sys
import textwrap

import pytest
import typer
from typer.testing import CliRunner

from lazyrich.boundary import Command, command
from lazyrich.errors import ExpectedError, InputError

# a command of which nothing heavy is imported
SCRIPT = """
import os, sys, time
import typer
from lazyrich.console import Command, console, start
from lazyrich.errors import InputError

app = typer.Typer(add_completion=False)

@app.command(cls=Command)
def main(what: str, length: int = 3):
    out = console()
    for line in range(length):
        out.print(f"line {line}: \\u03b1\\u00b7h [/red] :smile: \\udcff")
    if what == "input":
        raise InputError("what", what, "it is bad", "Give another")
    if what == "fault":
        raise KeyError("nobody expects it")
    if what == "code":
        raise typer.Exit(3)
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "backend":
        out.print(os.environ["MPLBACKEND"])
    if what == "wait":
        print("waiting", flush=True)
        time.sleep(60)

start(app, "x")
"""


def shell(line, tmp_path, **environment):
    """Run a shell's line in which ``X`` is the command."""
    script = tmp_path / "x.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    line = line.replace("X", f"{sys.executable} {script}")
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.getcwd(), **environment}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, env=environment, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("X fine", 0, ""),
        ("X input", 2, "error: what = 'input': it is bad. Give another."),
        ("X code", 3, ""),
        ("X interrupt", 130, "interrupted: what was finished is kept; run the same command again to go on."),
        ("X fine > /dev/full", 5, "error: standard output can't be written (No space left on device)."),
        ("X input > /dev/full", 2, "error: what = 'input': it is bad. Give another."),
        ("X fine >&-", 0, ""),
        ("X input >&-", 2, "error: what = 'input': it is bad. Give another."),
        ("X fine <&- >&- 2>&-", 0, ""),
        ("X input 2>&-", 2, ""),
        ("X code --length 5000 | head -1", 3, ""),
    ],
)
def test_streams_that_are_closed_full_or_cut_off_change_no_exit_code(line, code, told, tmp_path):
    ended, _, error = shell(line, tmp_path)
    assert ended == code
    assert error.splitlines()[:1] == ([told] if told else [])
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "utf-8"},
        {"PYTHONOPTIMIZE": "2"},
        {"MPLBACKEND": "nonsense"},
        {"TERM": "nonsense", "COLUMNS": "x"},
    ],
)
def test_letters_that_an_output_lacks_and_odd_environments_stop_nothing(environment, tmp_path):
    code, out, error = shell("X fine", tmp_path, **environment)
    assert (code, error) == (0, "")
    # markup and emoji of a user's text are text
    assert re.match(r"line 0: .+h \[/red\] :smile: .", out)


def test_figures_are_drawn_without_a_window_whatever_the_environment_says(tmp_path):
    code, out, error = shell("X backend --length 0", tmp_path, MPLBACKEND="nonsense")
    assert (code, out, error) == (0, "agg\n", "")


def test_a_fault_is_one_line_and_its_report_lies_in_a_file(tmp_path):
    code, _, error = shell("X fault", tmp_path)
    (line,) = error.splitlines()
    said = re.fullmatch(
        r"error: a fault of lazyrich \(KeyError: 'nobody expects it'\); the report of it lies in (.+)\.", line
    )
    assert code == 1
    with open(said[1], encoding="utf-8") as file:
        report = file.read()
    assert "x.py fault" in report
    assert "lazyrich " in report
    assert "Traceback" in report


def test_with_debug_a_fault_shows_where_it_arose(tmp_path):
    code, _, error = shell("X fault --debug", tmp_path)
    assert code == 1
    assert "in main" in error
    assert not list(tmp_path.glob("lazyrich-fault-*"))


def test_a_fault_is_told_where_no_file_can_be_written(tmp_path):
    code, _, error = shell("ulimit -f 0; X fault", tmp_path)
    assert code == 1
    assert error.startswith("error: a fault of lazyrich (KeyError")


def test_too_little_memory_is_told_before_a_library_ends_the_process(tmp_path):
    code, _, error = shell("ulimit -v 300000; X fine", tmp_path)
    assert code == 5
    assert error == (
        "error: the system has not enough memory to begin: 293 MiB are allowed (ulimit -v) and at least 512 needed.\n"
    )


def test_a_folder_that_is_no_longer_there_is_told(tmp_path):
    (tmp_path / "gone").mkdir()
    code, _, error = shell(f"cd {tmp_path}/gone; rmdir {tmp_path}/gone; X fine", tmp_path)
    assert code == 2
    assert error.splitlines()[-1].startswith("error: the folder that this command was started in is no longer there")


def test_a_termination_is_an_interruption(tmp_path):
    script = tmp_path / "x.py"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    process = subprocess.Popen(
        [sys.executable, script, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    while b"waiting" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate()
    assert process.returncode == 130
    assert error.startswith(b"interrupted: ")


def test_every_command_has_a_version_and_says_it(tmp_path):
    assert shell("X --version", tmp_path)[:2] == (0, "lazyrich 0.1.0\n")
    assert "--debug" in shell("X --help", tmp_path)[1]


class _Own(ExpectedError):
    exit_code = 4


def ended_by(error):
    app = typer.Typer()

    @app.command(cls=Command)
    def main():
        raise error

    return CliRunner().invoke(app, [])


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (InputError("a", 1, "b", "C"), 2, "error: a = 1: b. C."),
        (_Own("said"), 4, "error: said"),
        (OSError(28, "No space left on device", "/x"), 5, "error: the system refuses: No space left on device (/x)"),
        (OSError(24, "Too many open files"), 5, "error: the system refuses: Too many open files"),
        (OSError(27, "File too large", "/x"), 5, "error: the system refuses: File too large (/x)"),
        (RuntimeError("can't start new thread"), 5, "error: the system refuses: no thread can be started"),
        (MemoryError(), 5, "error: no memory is left"),
        (RecursionError("too deep"), 1, "error: a fault of lazyrich (RecursionError: too deep)"),
    ],
)
def test_errors_end_as_they_say(error, code, told, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = ended_by(error)
    assert result.exit_code == code
    assert result.stderr.startswith(told)
    assert len(result.stderr.splitlines()) == 1


def test_boundaries_inside_of_boundaries_change_nothing(capsys):
    with pytest.raises(typer.Exit) as ended, command(), command():
        raise _Own("said once")
    assert ended.value.exit_code == 4
    assert capsys.readouterr().err == "error: said once\n"


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        ("KeyboardInterrupt", 130, "interrupted: nothing was begun.\n"),
        ("ImportError('libx.so: failed to map segment from shared object')", 5, "error: the system has not enough "),
        ("MemoryError", 5, "error: the system has not enough "),
        ("KeyError('x')", 1, "Traceback"),
    ],
)
def test_what_ends_imports_ends_them_in_a_sentence(error, code, told, tmp_path):
    """As Ctrl-C does in the first seconds of a command, before its boundary is there."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text(f"import lazyrich\nraise {error}\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.getcwd()}"}
    call = [sys.executable, "-m", "mine"]
    done = subprocess.run(call, capture_output=True, env=environment, check=False, text=True)
    assert done.returncode == code
    assert done.stderr.startswith(told)
