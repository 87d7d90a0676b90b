"""Options that several commands have, under one name and with one help text each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def _folder(text: str | Path) -> Path:
    if not str(text).strip():  # a variable of the shell that is not set, say; as a path it would be this folder
        raise typer.BadParameter("it is empty. Give the path of a folder.")
    return Path(text)


#: of an option that names a folder to write into
FOLDER: dict[str, Any] = {"parser": _folder, "metavar": "FOLDER"}

Device = Annotated[str, typer.Option(help="cpu, cuda (all GPUs that are visible) or cuda:N.")]
Workers = Annotated[int | None, typer.Option(help="Processes (default: one a core).")]
Threads = Annotated[int, typer.Option(help="Threads of each process; for networks that keep several cores busy.")]
DataRoot = Annotated[Path | None, typer.Option(help="Folder with image data (default: LAZYRICH_DATA).")]
Download = Annotated[bool, typer.Option("--download", help="Let torchvision fetch missing data.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and stop.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")]
