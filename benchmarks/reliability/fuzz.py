"""Property-based fuzzing of every door: is whatever comes in understood, or refused in one sentence?

    TMPDIR=/dev/shm nice -n 10 python -m benchmarks.reliability.fuzz [--inputs 20000] [--processes 300]

Doors are campaign files, command lines, tables, netCDF files, predictions, npz files, formulas, names and paths,
environments, and stores harmed in their structure. Inputs are drawn by hypothesis, no two alike, and go through each
door in this process; others meet the commands as processes. An input is understood (it is read, or the command ends
with 0), refused (an expected error; 2 to 5 with one sentence), or unexpected: any other exception, a fault of lazyrich,
more than `SECONDS`. Of harmed stores more is asked: ``verify`` lists every object that was harmed, or the store is
refused; after ``repair`` and a run it is the old one, byte for byte.

With ``--journal FILE`` the run can be broken off and gone on with by the same command.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.reliability import nonsense, stand_in
from benchmarks.reliability.doors import DOORS, Door
from lazyrich.errors import ExpectedError

SECONDS = 60.0  # that one input may take: formulas have deadlines of their own
PROCESS_SECONDS = 300.0  # that a command may take: it may train, and a machine may be busy
PART = 250  # inputs between two entries of the journal


def main() -> None:
    """Run it and write ``results/fuzz.json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--doors", nargs="*", default=[*DOORS], choices=[*DOORS], metavar="NAME")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="go on with the run of which this is the journal")
    options = parser.parse_args()
    journal = Journal(options.journal)
    with tempfile.TemporaryDirectory() as folder:
        in_process = measure(Path(folder, "in"), options.inputs, options.seed, options.doors, journal)
        as_processes = measure_processes(Path(folder, "as"), options.processes, options.seed, options.doors, journal)
    stand_in.keep("fuzz", {"in_process": in_process, "as_processes": as_processes})


@dataclass
class Tally:
    """How the inputs of one door ended; ``digests`` are those of the inputs."""

    ended: Counter[str] = field(default_factory=Counter)
    unexpected: list[dict[str, str]] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)

    def add_unexpected(self, given_input: object, error: str) -> None:
        """Keep an input that ended in a way that it should not."""
        self.ended["unexpected"] += 1
        self.unexpected.append({"input": _shown(given_input)[:1000], "error": error[-1000:]})

    def merge(self, part: Tally) -> None:
        """Add another tally of the same door."""
        self.ended += part.ended
        self.unexpected += part.unexpected
        self.digests |= part.digests


class Journal:
    """Tallies of finished parts by name: a line of JSON each, in a file if there is one."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._tallies: dict[str, Tally] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self._tallies[entry["part"]] = Tally(
                    Counter(entry["ended"]), entry["unexpected"], set(entry["digests"])
                )

    def __getitem__(self, part: str) -> Tally | None:
        return self._tallies.get(part)

    def __setitem__(self, part: str, tally: Tally) -> None:
        self._tallies[part] = tally
        if self._path is None:
            return
        entry = {"ended": tally.ended, "unexpected": tally.unexpected, "digests": sorted(tally.digests)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"part": part, **entry}) + "\n")


def measure(
    folder: Path, inputs: int, chosen: int, doors: list[str] | None = None, journal: Journal | None = None
) -> dict[str, Any]:
    """Send inputs through the doors in this process; return the counts, and what was unexpected (ten of each door)."""
    tallies = {}
    for name, count in _shares(inputs, doors):
        place = folder / name.replace(" ", "-")
        place.mkdir(parents=True)
        tallies[name] = _in_parts(f"{chosen} in process {name}", count, journal, _Entering(DOORS[name], place))
    return _summary(tallies)


def measure_processes(
    folder: Path, processes: int, chosen: int, doors: list[str] | None = None, journal: Journal | None = None
) -> dict[str, Any]:
    """Let inputs meet the commands as processes; return as `measure` does."""
    made = folder / "made"
    folder.mkdir(parents=True)
    nonsense.make_files(made)
    tallies = {}
    for name, count in _shares(processes, doors) if processes else ():
        calling = _Calling(DOORS[name], folder / "place", made)
        tallies[name] = _in_parts(f"{chosen} as processes {name}", count, journal, calling, part=10)
    return _summary(tallies)


def _shares(inputs: int, doors: list[str] | None) -> list[tuple[str, int]]:
    weights = {name: DOORS[name].weight for name in doors or DOORS}
    return [(name, max(1, round(inputs * weight / sum(weights.values())))) for name, weight in weights.items()]


def _summary(tallies: dict[str, Tally]) -> dict[str, Any]:
    return {
        "inputs": sum(tally.ended.total() for tally in tallies.values()),
        "different": sum(len(tally.digests) for tally in tallies.values()),  # parts by several processes may share some
        "unexpected": sum(tally.ended["unexpected"] for tally in tallies.values()),
        "doors": {
            name: {**dict(sorted(tally.ended.items())), "first_unexpected": tally.unexpected[:10]}
            for name, tally in tallies.items()
        },
    }


def _in_parts(name: str, count: int, journal: Journal | None, judge: _Entering | _Calling, part: int = PART) -> Tally:
    """Judge ``count`` inputs, part by part; parts that are in the journal are not judged again."""
    journal = journal or Journal()
    whole = Tally()
    for start in range(0, count, part):
        key = f"{name} {start} {count}"
        tally = journal[key]
        if tally is None:
            tally = _judged(judge, min(part, count - start), key, whole.digests)
            journal[key] = tally
            print(f"{key}: {dict(tally.ended)}", file=sys.stderr, flush=True)
        whole.merge(tally)
    return whole


def _judged(judge: _Entering | _Calling, count: int, chosen: str, seen: set[str]) -> Tally:
    """Draw and judge ``count`` inputs, no two alike and none of those seen before."""
    tally = Tally()

    @seed(chosen)
    @settings(
        max_examples=4 * count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(judge.door.inputs)
    def send(given_input: Any) -> None:
        digest = hashlib.sha256(pickle.dumps(given_input)).hexdigest()[:16]
        if len(tally.digests) >= count or digest in tally.digests or digest in seen:
            return
        tally.digests.add(digest)
        judge(given_input, tally)

    send()
    return tally


class _Entering:
    """Judges inputs by what a door does with them in this process."""

    def __init__(self, door: Door, folder: Path) -> None:
        self.door = door
        self._folder = folder
        self._enter = door.prepare(folder)

    def __call__(self, given_input: Any, tally: Tally) -> None:
        try:
            with _deadline(SECONDS), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tally.ended[self._enter(given_input) or "understood"] += 1
        except ExpectedError as error:
            if "\n" in str(error).strip():
                tally.add_unexpected(given_input, f"more than one line: {error}")
            else:
                tally.ended["refused"] += 1
        except Exception:
            tally.add_unexpected(given_input, traceback.format_exc())


class _Calling:
    """Judges inputs by how the command that meets them ends, as a process in a folder with good files."""

    def __init__(self, door: Door, place: Path, made: Path) -> None:
        self.door = door
        self._place = place
        self._made = made

    def __call__(self, given_input: Any, tally: Tally) -> None:
        shutil.copytree(self._made, self._place)
        try:
            with nonsense.inside(self._place):
                words = nonsense.affordable(self.door.as_command(given_input, self._place))
                code, out, error = nonsense.as_process(words, PROCESS_SECONDS)
        except subprocess.TimeoutExpired:
            tally.add_unexpected(given_input, f"more than {PROCESS_SECONDS:.0f} s")
        else:
            refusal = nonsense.refused(code, error)
            if refusal is None:
                tally.add_unexpected((words, given_input), f"code {code}: {error or out}")
            else:
                tally.ended[refusal] += 1
        finally:
            shutil.rmtree(self._place)


def _shown(given_input: object) -> str:
    try:
        return repr(given_input)
    except ValueError:  # integers of thousands of digits
        return f"{type(given_input).__name__} with a number too long to be shown"


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    def late(signum: int, frame: object) -> None:
        raise TimeoutError(f"more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    main()
