"""Commands in surroundings that fail them: outputs closed or full, limits, odd environments. Do they end in a sentence?

    nice -n 10 python -m benchmarks.reliability.surroundings [--only TEXT]

Each of five commands is run as a process in each of the surroundings; a line of the shell says what these are. A
command may end as it would anywhere (0), or with a documented code and one sentence (`error: …`), within `SECONDS`.
Where standard error is closed or full nobody can be told, and the code alone is asked for. Anything else is unexpected:
a traceback, a fault of lazyrich, a signal.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.reliability import nonsense, stand_in

SECONDS = 300.0  # a machine may be busy

COMMANDS = {
    "simulate": "-m simulate good.toml --out new.zarr --workers 2",
    "report": "-m fit.report store.zarr --out out",
    "theory": "-m theory relu",
    "audit": "-m fit.audit model.py:make --before before.pt --after after.pt --data probe.npz --out audit",
    "lazyrich": "-m lazyrich simulate status store.zarr",
}

#: what a shell is told; @ is the command
SURROUNDINGS = {
    "as it should be": "@",
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
    "no threads for OpenMP": "OMP_NUM_THREADS=nonsense @",
    "0.3 GB of memory": "ulimit -v 300000; @",
    "1 GB of memory": "ulimit -v 1000000; @",
    "2 GB of memory": "ulimit -v 2000000; @",
    "3 GB of memory": "ulimit -v 3000000; @",
    "8 open files": "ulimit -n 8; @",
    "16 open files": "ulimit -n 16; @",
    "32 open files": "ulimit -n 32; @",
    "files of no bytes": "ulimit -f 0; @",
    "files of 2 KiB": "ulimit -f 2; @",
    "files of 64 KiB": "ulimit -f 64; @",
    "10**20 threads": "@ --threads 100000000000000000000",
    "device gpu": "@ --device gpu",
    "device mps": "@ --device mps",
}

_MODEL = "import torch\ndef make():\n    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))\n"  # fmt: skip  # noqa: E501


def main() -> None:
    """Run it and write ``results/surroundings.json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="surroundings that have this in their name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), options.only)
    stand_in.keep("surroundings", result) if not options.only else print(result)


def measure(folder: Path, only: str = "") -> dict[str, Any]:
    """Return the counts, and how each command ended in each of the surroundings."""
    inputs = folder / "made"
    make_files(inputs)
    ended: Counter[str] = Counter()
    rows = []
    for surrounding, line in SURROUNDINGS.items():
        if only not in surrounding:
            continue
        for command, arguments in COMMANDS.items():
            place = folder / "place"
            shutil.copytree(inputs, place)
            code, sentence = run_in(line, arguments, place)
            shutil.rmtree(place)
            how = judged(code, sentence, "2>" in line)
            ended[how] += 1
            rows.append({"surrounding": surrounding, "command": command, "code": code, "said": sentence, "how": how})
            print(f"{surrounding}, {command}: {code} {sentence}", file=sys.stderr, flush=True)
    return {"tried": len(rows), "ended": dict(ended), "unexpected": ended["unexpected"], "rows": rows}


def make_files(inputs: Path) -> None:
    """What the commands read: those of `nonsense`, and a model before and after training."""
    nonsense.make_files(inputs)
    (inputs / "model.py").write_text(_MODEL, encoding="utf-8")
    torch.manual_seed(0)
    scope: dict[str, Any] = {}
    exec(_MODEL, scope)
    for name in ("before", "after"):
        torch.save(scope["make"]().state_dict(), inputs / f"{name}.pt")
    generator = np.random.default_rng(0)
    np.savez(inputs / "probe.npz", inputs=generator.normal(size=(6, 3)).astype("float32"))


def run_in(line: str, arguments: str, place: Path) -> tuple[int | str, str]:
    """Run a command by a line of the shell; return its exit code and the first line that it says of an error."""
    root = Path(__file__).parents[2]
    python_path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": python_path, "TMPDIR": str(place)}
    call = ["bash", "-o", "pipefail", "-c", line.replace("@", f"{sys.executable} {arguments}")]
    try:
        done = subprocess.run(
            call, cwd=place, env=environment, capture_output=True, timeout=SECONDS, check=False, text=True,
            errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "timeout", ""
    for text in done.stderr.splitlines():
        plain = text.strip("│ ")
        if plain.startswith(("error:", "Traceback", "No such option")) or "Error" in plain:
            return done.returncode, plain
    return done.returncode, "" if done.returncode == 0 else done.stderr[-300:]


def judged(code: int | str, sentence: str, is_mute: bool) -> str:
    """Return how a command ended: as anywhere, refused with a sentence, or unexpected."""
    if code == 0 and "Traceback" not in sentence:
        return "as anywhere"
    has_sentence = sentence.startswith(("error:", "No such option")) or is_mute
    return "refused with a sentence" if code in (2, 5) and has_sentence else "unexpected"


if __name__ == "__main__":
    main()
