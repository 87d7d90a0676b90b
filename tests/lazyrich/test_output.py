"""Outputs that fail: a reader that has gone is no error, one that can't be written is said once."""

import errno
import io
import os
import subprocess
import sys

import pytest

from lazyrich.output import GuardedStream


class Failing(io.TextIOWrapper):
    """A stream on a descriptor of its own, every write to which fails."""

    def __init__(self, error):
        self.descriptor = os.open(os.devnull, os.O_WRONLY)
        super().__init__(os.fdopen(self.descriptor, "wb"), write_through=True)
        self.error, self.writes = error, 0

    def write(self, text):
        self.writes += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "kept"),
    [(BrokenPipeError(errno.EPIPE, "Broken pipe"), False), (OSError(errno.ENOSPC, "No space left on device"), True)],
    ids=["pipe", "full"],
)
def test_a_failure_is_kept_once_and_nothing_more_is_written(error, kept):
    with Failing(error) as stream:
        guarded = GuardedStream(stream)
        assert guarded.write("abc") == 3
        assert guarded.write("def") == 3
        guarded.flush()
        assert stream.writes == 1
        assert guarded.error is (error if kept else None)


def test_what_can_be_written_is_and_attributes_are_the_streams():
    stream = io.StringIO()
    guarded = GuardedStream(stream)
    assert guarded.write("abc") == 3
    guarded.flush()
    assert stream.getvalue() == "abc"
    assert guarded.error is None
    assert guarded.closed is stream.closed


SCRIPT = """
import sys
from lazyrich.output import guarded_output
with guarded_output() as output:
    print("größe \\ud800" * 10_000)
sys.exit(7 if output.error else 0)
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_a_full_output_is_said_on_the_other_stream():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 7
    assert done.stderr == "error: standard output can't be written (No space left on device).\n"


def test_letters_that_the_output_lacks_are_replaced():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("gr??e ?")
