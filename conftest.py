"""Tests run in as many processes as there are cores: one thread each, unless the environment says otherwise."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
