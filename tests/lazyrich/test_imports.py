"""Every module can be the first one that is imported: none depends on the order in which others were."""

import subprocess
import sys

# third-party modules stay loaded: importing them 150 times would take minutes
EACH_FIRST = """
import importlib, pkgutil, sys
OWN = ("theory", "simulate", "fit", "reports")
found = [m.name for p in OWN for m in pkgutil.walk_packages(importlib.import_module(p).__path__, p + ".")]
for name in found:
    if not name.endswith("__main__"):
        for loaded in [m for m in sys.modules if m.partition(".")[0] in OWN]:
            del sys.modules[loaded]
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(name, error)
print(len(found))
"""


def test_every_module_can_be_imported_first():
    told = subprocess.run([sys.executable, "-c", EACH_FIRST], capture_output=True, text=True, check=True)
    *failed, count = told.stdout.splitlines()
    assert not failed
    assert int(count) > 100
