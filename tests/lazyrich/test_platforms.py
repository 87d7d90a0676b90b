"""On a system without the modules of Unix everything can be imported, and a store is locked in another way."""

import subprocess
import sys

WITHOUT = """
import sys
import os, torch  # which has need of what is taken away here
for name in ("sched_getaffinity", "register_at_fork"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("fcntl", "resource"):
    sys.modules[name] = None  # an import of it fails
import simulate, simulate.command, fit, lazyrich
from simulate import Campaign, Store, StoreError, run
campaign = Campaign.from_dict({"name": "n", "experiment": [{"name": "e", "dataset": "sphere", "n_train": 4, "n_test": 4,
    "depth": 1, "activation": "relu", "widths": [3], "root_h_alpha": [1.0], "seeds": 1, "max_steps": 5}]})
store = run(campaign, sys.argv[1], workers=1).store
with store.lock():
    try:
        run(campaign, sys.argv[1])
    except StoreError as error:
        print(error)
with open(sys.argv[1] + "/.lazyrich/lock", "w") as file:
    file.write('{"host": "node7", "process": 7, "since": "2026-01-01"}')
try:
    run(campaign, sys.argv[1])
except StoreError as error:
    print(error)
print(store.backend.break_lock(), store.backend.break_lock(), store.verify())
"""


def test_without_the_modules_of_unix_a_store_is_made_and_locked(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path / "s")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    held, left, end = done.stdout.splitlines()
    assert "another run is writing to it (process " in held
    assert "process 7 on node7, since 2026-01-01; if it is dead: lazyrich simulate unlock" in left
    assert end == "True False []"
