"""Commands in surroundings that fail them, and files that no reader expects: do they end in a sentence, nothing lost?

    TMPDIR=/dev/shm nice -n 10 python -m benchmarks.reliability.surroundings [--only TEXT] [--journal FILE]

Every command is run as a process in each of the surroundings (a line of the shell), and on each of the hostile files of
`benchmarks.reliability.hostile_files`. A command may end as it does in good surroundings, or with a documented code and
one sentence (``error: …``), within `SECONDS`. Where standard error is closed or full nobody can be told, and the code
alone is asked for. Anything else is unexpected: a traceback, a fault of lazyrich, a signal, another code. After it the
store beside the command must be whole, and what a command that writes did not finish it must finish where nothing fails
it.

With ``--journal FILE`` the run can be broken off and gone on with by the same command.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.reliability import hostile_files, nonsense, stand_in
from simulate import Store

SECONDS = 300.0  # a machine may be busy
FILE_MEMORY = 6e9  #: bytes of addresses that a command has for a hostile file: torch and its threads take up to 4e9

#: every command; what it reads is made by `make_files`
COMMANDS = {
    "theory": "-m lazyrich theory tanh",
    "theory --compare": "-m theory --compare relu tanh",
    "simulate run": "-m simulate good.toml --out new.zarr --workers 2",
    "simulate status": "-m lazyrich simulate status store.zarr",
    "simulate verify": "-m simulate verify store.zarr",
    "simulate repair": "-m simulate repair harmed.zarr --workers 1",
    "simulate reproduce": "-m simulate reproduce store.zarr --network experiment=e,width=3,root_h_alpha=0.1,seed=0",
    "simulate unlock": "-m simulate unlock store.zarr",
    "simulate export csv": "-m simulate export store.zarr new.csv",
    "simulate export nc": "-m simulate export store.zarr new.nc",
    "report": "-m fit.report store.zarr --out out",
    "report of a table": "-m lazyrich report measured.csv --out out",
    "audit": "-m fit.audit model.py:make --before before.pt --after after.pt --data probe.npz --out audit",
    "audit --widths": "-m fit.audit model.py:wide --widths 8 16 32 --seeds 2 --data probe.npz --out audit",
}

#: those that write what is looked for again
WRITING = ("simulate run", "simulate repair", "simulate export csv", "simulate export nc", "report", "audit")

#: what a shell is told; @ is the command
SURROUNDINGS = {
    "good": "@",
    "standard output full": "@ > /dev/full",
    "standard output closed": "@ >&-",
    "standard output cut off": "@ | head -c 1",
    "standard error full": "@ 2> /dev/full",
    "standard error closed": "@ 2>&-",
    "all streams closed": "@ <&- >&- 2>&-",
    "ASCII output": "PYTHONIOENCODING=ascii @",
    "C locale without UTF-8": "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 @",
    "unknown MPLBACKEND": "MPLBACKEND=nonsense @",
    "MPLCONFIGDIR that can't be written": "MPLCONFIGDIR=/proc/none @",
    "PYTHONOPTIMIZE=2": "PYTHONOPTIMIZE=2 @",
    "working folder deleted": "mkdir gone; cd gone; rmdir ../gone; @",
    "no temporary folder": "TMPDIR=/nowhere @",
    "no home": "HOME=/nowhere XDG_CACHE_HOME=/proc/none @",
    "OMP_NUM_THREADS without a sense": "OMP_NUM_THREADS=nonsense @",
    "0.3 GB of memory": "ulimit -v 300000; @",
    "3 GB of memory": "ulimit -v 3000000; @",
    "8 open files": "ulimit -n 8; @",
    "32 open files": "ulimit -n 32; @",
    "files of no bytes": "ulimit -f 0; @",
    "files of 64 KiB": "ulimit -f 64; @",
}
#: options that ask for what there is not, for the commands that have them
OPTIONS = {
    "--threads": ("100000000000000000000", "10**20", "-1"),
    "--workers": ("100000000000000000000",),
    "--device": ("gpu", "mps", "cuda:7"),
}

_MODEL = """import torch
def make(): return wide(8)
def wide(width): return torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.ReLU(), torch.nn.Linear(width, 1))
"""


@dataclass(frozen=True)
class Trial:
    """One command in one surrounding: the line of the shell, with @ for the command, and whether nobody can be told."""

    surrounding: str
    command: str
    line: str
    arguments: str
    is_mute: bool = False


def main() -> None:
    """Run it and write ``results/surroundings.json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="surroundings and files that have this in their name"
    )
    parser.add_argument("--journal", type=Path, metavar="FILE", help="go on with the run of which this is the journal")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), options.only, options.journal)
    if options.only:
        print(json.dumps(result, indent=1))
    else:
        stand_in.keep("surroundings", result)


def measure(folder: Path, only: str = "", journal: Path | None = None) -> dict[str, Any]:
    """Return the counts, and how what ended unexpectedly ended."""
    made = folder / "made"
    make_files(made)
    known = journal.read_text(encoding="utf-8").splitlines() if journal and journal.exists() else []
    rows = {(row["surrounding"], row["command"]): row for row in map(json.loads, known)}
    for trial in trials():
        key = (trial.surrounding, trial.command)
        if only not in trial.surrounding or key in rows:
            continue
        rows[key] = asdict(trial) | tried(trial, made, folder / "place")
        print(": ".join(key), rows[key]["code"], rows[key]["sentence"], file=sys.stderr, flush=True)
        if journal:
            with journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[key]) + "\n")
    ended = Counter(row["ended"] for row in rows.values())
    unexpected = [row for row in rows.values() if row["ended"] not in ("as in good surroundings", "refused")]
    return {
        "tried": len(rows),
        "commands": len(COMMANDS),
        "surroundings": len({row["surrounding"] for row in rows.values()}),
        "ended": dict(sorted(ended.items())),
        "unexpected": len(unexpected),
        "first_unexpected": unexpected[:20],
    }


def trials() -> Iterator[Trial]:
    """Commands on every hostile file, with every option of `OPTIONS` that they have, and in every surrounding."""
    limit = f"ulimit -v {FILE_MEMORY / 1024:.0f}; @"
    for name, (_, commands) in hostile_files.FILES.items():
        for arguments in commands:
            yield Trial(name, arguments, limit, arguments)
    flags = {path: {flag for flag, _ in options} for path, options in nonsense._commands().items()}
    for option, values in OPTIONS.items():
        for command, arguments in COMMANDS.items():
            path = max((path for path in flags if command.startswith(path)), key=len, default="simulate run")
            if option in flags[path]:
                for value in values:
                    yield Trial(f"{option} {value}", command, "@", f"{arguments} {option} '{value}'")
    for surrounding, line in SURROUNDINGS.items():
        for command, arguments in COMMANDS.items():
            yield Trial(surrounding, command, line, arguments, is_mute="2>" in line)


def tried(trial: Trial, made: Path, place: Path) -> dict[str, Any]:
    """Run one command in its surrounding; return its exit code, its sentence, and how that is judged."""
    shutil.copytree(made, place)
    if trial.surrounding in hostile_files.FILES:
        hostile_files.FILES[trial.surrounding][0](place)
    try:
        code, sentence, report = run_in(trial.line, trial.arguments, place)
        ended = judged(code, sentence, report, trial.is_mute)
        if Store.open(place / "store.zarr").verify():
            ended = "the store beside it is damaged"
        elif ended == "refused" and trial.surrounding in SURROUNDINGS and trial.command in WRITING:
            again, said, _ = run_in("@", trial.arguments, place)
            if again != 0:
                ended, sentence = "not finished in good surroundings", f"{sentence}; then {again}: {said}"
    finally:
        shutil.rmtree(place)
    return {"code": code, "sentence": sentence, "ended": ended}


def make_files(made: Path) -> None:
    """What the commands read: files of `nonsense`, a damaged store, a table, a model before and after training."""
    nonsense.make_files(made)
    shutil.copytree(made / "store.zarr", made / "harmed.zarr")
    chunks = (made / "harmed.zarr" / "e" / "kernel_change" / "c").rglob("*")
    next(path for path in chunks if path.is_file()).write_bytes(b"harm")
    rows = [
        f"{width},{a},{seed},{0.1 * a**-0.5 * (1 + 0.01 * seed)},relu,1"
        for width in (64, 128, 256) for a in (1e-3, 3e-3, 1e-2, 3e-2) for seed in range(4)
    ]  # fmt: skip
    head = "width,root_h_alpha,seed,kernel_change,activation,depth"
    (made / "measured.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    (made / "model.py").write_text(_MODEL, encoding="utf-8")
    torch.manual_seed(0)
    scope: dict[str, Any] = {}
    exec(_MODEL, scope)
    for name in ("before", "after"):
        torch.save(scope["make"]().state_dict(), made / f"{name}.pt")
    generator = np.random.default_rng(0)
    np.savez(made / "probe.npz", inputs=generator.normal(size=(6, 3)).astype("float32"))


def run_in(line: str, arguments: str, place: Path) -> tuple[int | str, str, str]:
    """Run a command by a line of the shell; return its exit code, the sentence of an error, and all that it says."""
    root = Path(__file__).parents[2]
    python_path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": python_path, "TMPDIR": str(place)}
    call = ["bash", "-o", "pipefail", "-c", line.replace("@", f"{sys.executable} {arguments}")]
    process = subprocess.Popen(
        call, cwd=place, env=environment, text=True, errors="replace", start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_no_core_files,
    )  # fmt: skip
    try:
        _, report = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return "timeout", "", ""
    plain = [text.strip("│ ") for text in report.splitlines()]
    sentence = next((text for text in plain if text.startswith(("error:", "No such option", "Invalid value"))), "")
    return process.returncode, sentence or (plain[-1] if plain and process.returncode else ""), report


def judged(code: int | str, sentence: str, report: str, is_mute: bool) -> str:
    """Return how a command ended: as in good surroundings, refused with a sentence, or unexpected."""
    if "Traceback" in report or "a fault of lazyrich" in report:
        return "unexpected"
    if code == 0:
        return "as in good surroundings"
    told = is_mute or sentence.startswith(("error:", "No such option", "Invalid value"))
    return "refused" if code in (2, 5) and told else "unexpected"


def _no_core_files() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
