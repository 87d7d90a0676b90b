"""A GPU measured in a quarter of an hour: agreement with the CPU, throughput, launches, and the published main grid.

    python -m benchmarks.gpu [--minutes 13] [--store S.zarr] [--out DIR] [--data FILE.npz] [--device cuda] [--tiny]
                             [--only PART ...]

Parts run one after the other, each in a process of its own and with its own time limit: one that fails, hangs or is
killed does not stop the next. Rows go to DIR/PART.jsonl as they are measured; a part that was finished is not run again
when the same command is, and the grid goes on in its store. DIR/gpu.json and a table come last. Without --data points
are on the sphere in 784 dimensions and images are scikit-learn's digits, so that neither a network nor torchvision is
needed; for the published grid give Fashion-MNIST as an npz file (x_train, y_train, x_test, y_test). --tiny shrinks all
sizes: `--device cpu --tiny` tests the program itself.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

#: shares of the time; the grid takes what is left
LIMITS = {"device": 0.05, "agreement": 0.15, "gemm": 0.08, "launches": 0.08, "throughput": 0.5, "grid": 1.0}
_GRACE = 20.0  # seconds that a part has to end by itself after it was told to
_DONE = {"part": "finished"}


def main() -> None:
    """Run all parts, or (in a process of its own) one of them."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.part:
        _run_part(options)
        return
    deadline = time.monotonic() + 60.0 * options.minutes
    for part, share in LIMITS.items():
        if part not in options.only or _DONE in _rows(options.out, part):
            continue
        if part != "grid":
            (options.out / f"{part}.jsonl").unlink(missing_ok=True)
        left = deadline - time.monotonic() - _GRACE / 2
        _in_a_process(options, part, max(1.0, min(60.0 * options.minutes * share, left)))
        _write(options.out)
    print(_table(options.out))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=13.0, help="for all parts together")
    parser.add_argument("--store", help="of the grid: a new one, or one to go on with  [default: DIR/main-grid.zarr]")
    parser.add_argument("--out", type=Path, default=Path("gpu"))
    parser.add_argument("--data", help="an npz file with images")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="sizes that take a second")
    parser.add_argument("--only", nargs="+", choices=tuple(LIMITS), default=list(LIMITS), help="parts to run")
    parser.add_argument("--part", choices=tuple(LIMITS), help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.store = options.store or str(options.out / "main-grid.zarr")
    return options


def _in_a_process(options: argparse.Namespace, part: str, seconds: float) -> None:
    """Run a part in a process of its own; end it when its time is over."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--part", part, "--seconds", str(seconds)]
    command += ["--out", str(options.out), "--store", options.store, "--device", options.device]
    command += ["--data", options.data] if options.data else []
    command += ["--tiny"] if options.tiny else []
    with (options.out / f"{part}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            code = process.wait(timeout=seconds + _GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        except BaseException:
            process.kill()
            raise
    if code:
        lines = (options.out / f"{part}.log").read_text(encoding="utf-8").strip().splitlines()
        error = f"exit status {code}" + (f": {lines[-1]}" if lines else "")
        _append(options.out, part, {"what": "not finished", "error": error})


def _run_part(options: argparse.Namespace) -> None:
    """Measure, row by row; stop when told to, by the clock or by a signal."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, options.seconds)
    started = time.monotonic()
    try:
        from benchmarks.gpu_parts import PARTS, Setting  # torch

        setting = Setting(options.device, options.tiny, options.data, options.store, options.seconds)
        for row in PARTS[options.part](setting):
            _append(options.out, options.part, {**row, "at_s": round(time.monotonic() - started, 1)})
            print(json.dumps(row), flush=True)
    except KeyboardInterrupt:
        _append(options.out, options.part, {"what": "stopped by its time limit", "at_s": round(options.seconds, 1)})
        return
    if options.part != "grid":  # its store knows better
        _append(options.out, options.part, _DONE)


def _append(out: Path, part: str, row: dict[str, Any]) -> None:
    with (out / f"{part}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _rows(out: Path, part: str) -> list[dict[str, Any]]:
    path = out / f"{part}.jsonl"
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:  # the last line of a process that was killed
            continue
    return rows


def _write(out: Path) -> None:
    """Write what there is, whole or not at all."""
    new = out / "gpu.json.new"
    new.write_text(json.dumps({part: _rows(out, part) for part in LIMITS}, indent=1) + "\n", encoding="utf-8")
    new.replace(out / "gpu.json")


def _table(out: Path) -> str:
    lines = []
    for part in LIMITS:
        lines.append(f"\n{part}")
        for row in _rows(out, part):
            if row != _DONE:
                numbers = "  ".join(f"{k} {v}" for k, v in row.items() if k not in ("what", "at_s"))
                lines.append(f"  {row['what']:48} {numbers}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
