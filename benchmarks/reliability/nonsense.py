"""Nonsense at the door: does every campaign file and command line either run or end with a named error?

    TMPDIR=/dev/shm nice -n 10 python -m benchmarks.reliability.nonsense [--examples 10000] [--processes 100]

Campaign files are a small good one with fields changed to something plausible or to anything, left out or misspelled,
then harmed as text, or no text at all; command lines are those of all commands, as they are meant and harmed, or with
options drawn freely, on files that are good, harmed, empty, of another kind or not there. Both are drawn by hypothesis
and run in this process (``examples`` in all, half of each, no two alike), and ``processes`` of them again as processes
of their own. What is good and small runs to its end, what is good and large is planned only.

Allowed are exit code 0 with no traceback, and 2 with a message that begins with ``error:`` (or, for options that there
are not, Typer's ``Error``); for what did run, 3 (networks that did not end), 4 (damage found) and 5 (storage). The
store beside them must be whole at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from benchmarks.reliability import stand_in
from lazyrich.command_line import app
from lazyrich.errors import InputError
from simulate import Campaign, Experiment, Store, run
from simulate.running.dry_run import plan

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_SECONDS = 0.3  # what is estimated to take longer is planned only
_GOOD = {
    "name": "e", "dataset": "sphere", "n_train": 4, "n_test": 6, "depth": 1, "activation": "relu", "widths": [3, 4],
    "root_h_alpha": [0.1, 10.0], "seeds": 2, "max_steps": 50,
}  # fmt: skip
# values that a field may have, so that files are also good ones
_PLAUSIBLE = {
    "dataset": ["digits", "sphere", "mnist"], "depth": [1, 2, 3], "activation": ["tanh", "z*sigmoid(z)", "gelu"],
    "loss": ["square", "hinge", "logistic"], "seeds": [1, 3], "n_train": [2, 6], "n_test": [1, 9], "dimension": [5],
    "pca": [3], "bias": [0.5], "dtype": ["float32", "float64"], "arms": [["network", "initial_kernel"]],
    "alpha": [[0.5, 2.0]], "root_h_alpha": [{"start": 0.1, "stop": 10, "per_decade": 1}], "tolerance": [1e-2],
    "checkpoints": [2, [0.1, 1.0]], "time_limit": [1e-3, 60.0], "max_steps": [1, 20], "subtract_initial": [False],
    "normalise": [False], "base_seed": [7], "data_seed": [7], "n_kernel": [1, 5], "widths": [[1], [2, 8]],
    "dynamics": [{"name": "sgd", "batch_size": 2, "learning_rate": 0.1}, {"name": "adam"}, {"name": "momentum"}],
    "architecture": ["cnn", "fc"],
}  # fmt: skip
# command lines as they are meant, to be harmed
_MEANT = (
    "theory relu --depth 2", "theory tanh --json", "theory --compare relu gelu", "simulate good.toml --out new.zarr",
    "simulate run good.toml --out store.zarr --workers 1 --quiet", "simulate good.toml --dry-run --json",
    "simulate --preset smoke --dry-run", "simulate status store.zarr --json", "simulate verify store.zarr",
    "simulate verify cut.zarr", "simulate repair store.zarr --workers 1", "simulate export store.zarr out.csv",
    "simulate export store.zarr out.nc", "simulate unlock store.zarr",
    "simulate reproduce store.zarr --network experiment=e,width=3,root_h_alpha=0.1,seed=0",
    "report store.zarr --out folder --quiet", "report store.nc --json", "report table.csv", "report --dry-run",
    "report store.zarr --predictions laws.toml", "report --activation z**2 --dry-run", "simulate --list-presets",
)  # fmt: skip
# what the files beside a command line are called
_FILES = (
    "good.toml", "bad.toml", "binary.toml", "empty.toml", "missing.toml", "laws.toml", "store.zarr", "cut.zarr",
    "folder", "empty.csv", "table.csv", "cut.nc", "store.nc", ".", "", "memory://nothing", "nowhere://x", "new.zarr",
    "out.csv", "out.nc", "out.xyz", "/proc/none",
)  # fmt: skip

_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), max_size=12)
_NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.integers(),
    st.floats(),
    st.sampled_from([0, 1, -1, 10**6, 10**12, 2**63, 1e-300, 1e300, float("nan"), float("inf")]),
)
FORMULAS = st.recursive(
    st.sampled_from(["z", "1", "0", "2.5", "x", "pi", "1e400", "9", "-1", "__import__", "'a'", "relu", "()", ""]),
    lambda inner: st.one_of(
        st.builds(
            "({}{}{})".format, inner, st.sampled_from(["+", "-", "*", "/", "**", "%", "//", "@", ".", ","]), inner
        ),
        st.builds(
            "{}({})".format,
            st.sampled_from(["relu", "tanh", "exp", "log", "sqrt", "erf", "eval", "open", "lambda z:", "max", "where"]),
            inner,
        ),
    ),
    max_leaves=6,
)
_SCALARS = st.one_of(_NUMBERS, st.booleans(), _WORDS, FORMULAS, st.just(datetime.date(2020, 1, 1)))
VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["start", "stop", "per_decade", "name", "x"]), inner, max_size=3),
    ),
    max_leaves=5,
)


def main() -> None:
    """Run it and write ``results/nonsense.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), options.examples, options.processes, options.seed)
        stand_in.keep("nonsense", results)


def measure(folder: Path, examples: int, processes: int, chosen: int) -> dict:
    """Return the counts, and what was neither run nor refused as it should."""
    inputs = folder / "made"
    make_files(inputs)
    before = stand_in.pieces(inputs / "store.zarr")
    drawn = [*_draw(campaign_files(), examples // 2, chosen), *_draw(command_lines(), examples - examples // 2, chosen)]
    in_process, wrong = outcomes(drawn, folder, inputs, in_this_process)
    # evenly from both kinds
    again = [drawn[i * len(drawn) // max(processes, 1)] for i in range(processes)]
    by_processes, more = outcomes(again, folder, inputs, as_process)
    return {
        "in_process": in_process,
        "as_processes": by_processes,
        "wrong": [*wrong, *more][:20],
        "number_wrong": len(wrong) + len(more),
        "store_beside_them_unchanged": stand_in.pieces(inputs / "store.zarr") == before,
        "store_beside_them_damaged": len(Store.open(inputs / "store.zarr").verify()),
    }


@st.composite
def campaign_files(draw: st.DrawFn) -> tuple[bytes, tuple[str, ...]]:
    """A campaign file, and the command line that reads it."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=60)), ("simulate", "given.toml", "--dry-run")
    fields = dict(_GOOD)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([*Experiment.model_fields])) if draw(st.integers(0, 19)) else draw(_WORDS)
        match draw(st.sampled_from(["plausible"] * 6 + ["any", "none"])):
            case "plausible" if name in _PLAUSIBLE:
                fields[name] = draw(st.sampled_from(_PLAUSIBLE[name]))  # type: ignore[arg-type]
                for other in {"alpha", "root_h_alpha"} - {name} if name in ("alpha", "root_h_alpha") else ():
                    fields.pop(other, None)
            case "none":
                fields.pop(name, None)
            case _:
                fields[name] = draw(VALUES)
    campaign: dict = {"name": "n", "experiment": [fields]}
    if draw(st.integers(0, 9)) == 0:
        campaign = {"name": draw(_SCALARS), "experiment": [fields] * draw(st.integers(0, 2))}
    if draw(st.integers(0, 9)) == 0:
        campaign[draw(st.sampled_from(["defaults", "description", "experiments", "x"]))] = draw(VALUES)
    text = "".join(f"{_key(name)} = {toml(value)}\n" for name, value in campaign.items())
    if draw(st.integers(0, 9)) == 0:
        start, stop = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        text = text[:start] + draw(_WORDS) + text[stop:]
    return text.encode("utf-8", "surrogatepass"), ("simulate", "given.toml", "--out", "given.zarr", "--workers", "1")


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[bytes, tuple[str, ...]]:
    """No file, and a command line."""
    if draw(st.integers(0, 2)):
        words = draw(st.sampled_from(_MEANT)).split()
        for _ in range(draw(st.integers(0, 2))):
            place = draw(st.integers(1, len(words)))
            harm = [draw(_arguments())] if draw(st.booleans()) else []
            words[place : place + draw(st.integers(0, 1))] = harm
        return b"", tuple(word.replace("\0", "") for word in words)
    chosen = draw(st.sampled_from([*_commands()]))
    options = _commands()[chosen]
    words = []
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.integers(0, 3)) == 0 or not options:
            words.append(draw(_arguments()))
            continue
        name, takes_value = draw(st.sampled_from(options))
        words.append(name if draw(st.integers(0, 19)) else name[:-1])
        if takes_value and draw(st.integers(0, 9)):
            words.append(draw(_arguments()))
    return b"", (*chosen.split(), *(word.replace("\0", "") for word in words))


def _arguments() -> st.SearchStrategy[str]:
    numbers = _NUMBERS.map(str)
    network = st.sampled_from(["experiment=e,width=3,root_h_alpha=0.1,seed=0", "width=3", "seed=x,seed=1", "=,="])
    names = st.sampled_from(
        ["cpu", "cuda", "cuda:9", "meta", "relu", "smoke", "quick", "a:b", "math:sin", "tcp://127.0.0.1:1"]
    )
    return st.one_of(st.sampled_from(_FILES), st.sampled_from(_FILES), names, numbers, FORMULAS, _WORDS, network)


@functools.cache
def _commands() -> dict[str, list[tuple[str, bool]]]:
    """Every command with its options: a name, and whether it takes a value."""
    root = get_command(app())
    options_by_command = {}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        deeper = getattr(command, "commands", None)
        for path, one in {f"{name} {n}": c for n, c in deeper.items()}.items() if deeper else [(name, command)]:
            options = [p for p in one.params if p.param_type_name == "option"]
            options_by_command[path] = [(flag, not p.is_flag) for p in options for flag in p.opts]
    return options_by_command


def _draw(strategy: st.SearchStrategy, count: int, chosen: int) -> list:
    drawn: dict = {}

    @seed(chosen)
    @settings(
        max_examples=4 * count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(one) -> None:
        if len(drawn) < count:
            drawn[one] = None

    take()
    return list(drawn)


def outcomes(drawn: list, folder: Path, inputs: Path, call) -> tuple[dict, list]:
    """Run all of them; return how often they ended how, and those that ended in another way."""
    ended: Counter[str] = Counter()
    wrong = []
    for content, words in drawn:
        place = folder / "place"
        if content:
            place.mkdir()
        else:
            shutil.copytree(inputs, place)
        (place / "given.toml").write_bytes(content)
        with inside(place):
            full = affordable(words)
            code, out, error = call(full)
            refusal = refused(code, error)
        shutil.rmtree(place)
        ended[refusal or "not as it should"] += 1
        if refusal is None:
            message = (error or out)[-400:]
            wrong.append({"words": list(full), "file": repr(content), "code": code, "said": message})
    return {"examples": len(drawn), **{name: ended[name] for name in sorted(ended)}}, wrong


def refused(code: object, error: str) -> str | None:
    """How it ended, if that is one of the ways in which it may."""
    error = _ESCAPES.sub("", error)  # of terminals, which FORCE_COLOR asks for
    if "Traceback" in error:
        return None
    match code:
        case 0:
            return "ran"
        case 2 if "Error" in error or any(line.lstrip("│ ").startswith("error:") for line in error.splitlines()):
            return "refused by name"
        case 3 | 4:
            return f"ended with {code}"
        case 5 if "error:" in error:
            return "ended with 5"
    return None


def affordable(words: tuple[str, ...]) -> tuple[str, ...]:
    """The same if it trains no or few networks, in one process; with ``--dry-run`` if it would train many."""
    if words[:1] == ("theory",) or "--help" in words:
        return words
    if words[0] == "simulate" and words[1:2] == ("repair",):
        return (*words, "--workers", "1")
    if words[0] == "simulate" and words[1:2] != ("run",) and words[1:2] and not words[1].endswith(".toml"):
        return words
    campaigns = []
    for word in words:
        with contextlib.suppress(InputError, OSError, ValueError):
            campaigns.append(Campaign.from_toml(word))
    small = words[0] == "simulate" and "--preset" not in words
    try:
        plans = [plan(c, 1, "cpu") for c in campaigns]
        small = small and all(p.seconds < _SECONDS and p.memory < 0.1 for p in plans)
    except Exception:  # the command is to say what is wrong, not this
        small = False
    if words[0] == "report":
        small = words[1:2] != () and words[1].endswith((".zarr", ".csv", ".nc"))
    if small:
        return words if words[0] == "report" or "--workers" in words else (*words, "--workers", "1")
    return words if "--dry-run" in words else (*words, "--dry-run")


def in_this_process(words: tuple[str, ...]) -> tuple[object, str, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(app(), list(words), prog_name="lazyrich")
    trouble = result.exception
    if trouble is not None and not isinstance(trouble, SystemExit):
        return "raised", result.output, f"Traceback: {type(trouble).__name__}: {trouble}"
    return result.exit_code, result.stdout, result.stderr


def as_process(words: tuple[str, ...], seconds: float = 300.0) -> tuple[object, str, str]:
    """Run a command as a process; return its exit code and what it wrote on both streams."""
    code = "from lazyrich.command_line import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, timeout=seconds, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@contextlib.contextmanager
def inside(place: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)


def make_files(inputs: Path) -> None:
    """What command lines may name: a good campaign and its store, harmed ones, tables, folders."""
    inputs.mkdir()
    good = {"name": "good", "experiment": [_GOOD]}
    text = "".join(f"{name} = {toml(value)}\n" for name, value in good.items())
    (inputs / "good.toml").write_text(text, encoding="utf-8")
    (inputs / "bad.toml").write_text(text.replace("widths", "width"), encoding="utf-8")
    (inputs / "binary.toml").write_bytes(bytes(range(256)))
    (inputs / "empty.toml").touch()
    (inputs / "laws.toml").write_text('[[law]]\nquantity = "kernel_change"\n', encoding="utf-8")
    (inputs / "folder").mkdir()
    (inputs / "empty.csv").touch()
    (inputs / "table.csv").write_text("width,alpha,seed,kernel_change\n1,2,3,4\n2,x,3,\n", encoding="utf-8")
    run(Campaign.from_dict(good), inputs / "store.zarr", workers=1)
    shutil.copytree(inputs / "store.zarr", inputs / "cut.zarr")
    (inputs / "cut.zarr" / "zarr.json").write_bytes((inputs / "cut.zarr" / "zarr.json").read_bytes()[:100])
    with inside(inputs):
        done = CliRunner().invoke(app(), ["simulate", "export", "store.zarr", "store.nc"])
    assert done.exit_code == 0, done.output
    (inputs / "cut.nc").write_bytes((inputs / "store.nc").read_bytes()[:500])


def _key(name: str) -> str:
    return json.dumps(name)


def toml(value: object) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value)
        case list() | tuple():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{_key(str(k))} = {toml(v)}" for k, v in value.items()) + "}"
        case datetime.date():
            return value.isoformat()
    return repr(value)


if __name__ == "__main__":
    main()
