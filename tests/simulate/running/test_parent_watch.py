"""A worker ends with the process that started it, and not by interrupts."""

import signal
import subprocess
import sys
import time

from simulate.running import parent_watch

#: starts a worker that follows it, prints the worker's process number, and is killed
PARENT = """
import multiprocessing, os, signal, time
from simulate.running.parent_watch import follow_parent

def worker(pipe):
    follow_parent()
    pipe.send(os.getpid())
    time.sleep(60)

if __name__ == "__main__":
    near, far = multiprocessing.Pipe()
    multiprocessing.get_context("fork").Process(target=worker, args=(far,)).start()
    print(near.recv(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_whose_parent_is_killed_ends(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    result = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert result.returncode == -signal.SIGKILL, result.stderr
    worker = int(result.stdout)
    for _ in range(200):
        if not is_running(worker):
            break
        time.sleep(0.05)
    assert not is_running(worker)


def test_interrupts_are_left_to_the_parent(monkeypatch):
    """What Ctrl-C sends to all processes of a terminal does not end a worker."""
    started = []
    monkeypatch.setattr(parent_watch.threading, "Thread", lambda **options: started.append(options) or Started())
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        parent_watch.follow_parent()
        assert all(signal.getsignal(number) is signal.SIG_IGN for number in before)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert started == [{"target": parent_watch._end_with_parent, "daemon": True}]


class Started:
    def start(self):
        pass
