"""Ends what a worker has started, wherever that went: children inherit a mark in their environment.

Run as a program it waits for the end of a session, however that comes, and ends what the session has left.
"""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from secrets import token_hex

import psutil

MARK = "FCNBENCH_WORKER"
"""The variable; it holds :data:`SESSION` and the number of the worker."""
SESSION = token_hex(8)
"""Of this process and of no other one."""
LOOKS, PAUSE_S = 100, 0.01
"""How often processes are looked for again, since one may start another while it is ended."""
STARTING = threading.Lock()


def end_marked(mark: str) -> None:
    """Kill every process whose mark begins so, until none is left. Those that nobody may look at are not ours."""
    for _ in range(LOOKS):
        marked = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(MARK, "").startswith(mark):
                    marked.append(process)
        if not marked:
            return
        for process in marked:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(PAUSE_S)


def guard() -> None:
    """Have a process of its own end all marked workers when this one has ended, by whatever cause."""
    with STARTING:  # of two the one that is not kept would see the end of its input, and end everything
        start_guard()


@cache
def start_guard() -> "subprocess.Popen[bytes]":
    """Start it. Its input closes when this process is gone; nobody else holds the other end."""
    return subprocess.Popen(
        [sys.executable, "-P", __file__, SESSION],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd="/" if os.name == "posix" else None, start_new_session=True,
    )  # fmt: skip


if __name__ == "__main__":
    sys.stdin.buffer.read()
    end_marked(sys.argv[1])
