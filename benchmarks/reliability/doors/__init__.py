"""Every way into lazyrich, and hostile inputs for each (`benchmarks.reliability.fuzz`)."""

from benchmarks.reliability.doors import data_files, stores, texts
from benchmarks.reliability.doors.door import Door

DOORS: dict[str, Door] = {**texts.DOORS, **data_files.DOORS, **stores.DOORS}
