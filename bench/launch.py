"""One cell, one fresh process, one answer. The parent sleeps while the child is timed.

Two threads of the parent block in the operating system, one for the child's lines and one for its end, and the parent
waits for either with a deadline: nothing polls. The child leads a process group of its own, so that a timeout, Ctrl-C
or an error takes whatever it started with it.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.records import Event
from impls.registry import Entry

ROOT = Path(__file__).parent.parent
LOG_TAIL_LINES = 20


@dataclass(frozen=True)
class Answer:
    """What a child said and how it ended. ``exit_status`` is negative for a signal, None if it had to be killed."""

    events: tuple[Event, ...]
    exit_status: int | None
    wall_s: float
    parent_cpu_s: float
    child_cpu_s: float

    def end(self, timeout_s: float) -> tuple[str, str]:
        """Status and reason: the child's own word, or what its death says."""
        for event in self.events:
            if event.name == "end":
                return event.values["status"], event.values["reason"]
        if self.exit_status is None:
            return "failed", f"no answer within {timeout_s:g} s: killed (give it more with --timeout)"
        if self.exit_status < 0:
            name = signal_name(-self.exit_status)
            hint = ": often the system, out of memory" if name == "SIGKILL" else ""
            return "failed", f"the process was ended by {name}{hint}"
        return "failed", f"the process ended with exit status {self.exit_status} before it had answered"


def signal_name(number: int) -> str:
    """``SIGKILL`` for 9; the real-time signals have a number only."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def request(job: str, entry: Entry, **asked: Any) -> dict[str, Any]:
    """What a worker reads: which job, with which implementation, and what that job asks for besides."""
    named = {"module": entry.module, "attribute": entry.attribute, "packages": entry.packages}
    return {"job": job, **named, **asked}


def launch(
    request: Mapping[str, Any],
    environment: Mapping[str, str],
    cpus: tuple[int, ...],
    log: Path,
    timeout_s: float,
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "bench.worker"),
) -> Answer:
    """Run a worker to its end and return its answer. Never raises for what the child does."""
    started, cpu_started, before = time.perf_counter(), time.process_time(), os.times()
    lines: queue.Queue[bytes | None] = queue.Queue()
    with log.open("wb") as log_file, affinity(cpus):
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            env={**os.environ, **environment, "PYTHONPATH": python_path()},
            start_new_session=True,
        )
    reader = threading.Thread(target=read_lines, args=(child, lines), daemon=True)
    waiter = threading.Thread(target=wait, args=(child, lines), daemon=True)
    received: list[bytes] = []
    deadline = started + timeout_s
    timed_out = False
    try:
        send(child, request)
        reader.start()
        waiter.start()
        while (line := lines.get(timeout=max(0.0, deadline - time.perf_counter()))) is not None:
            received.append(line)
            if time.perf_counter() > deadline:  # a queue that is never empty would let a chatterbox live for ever
                raise queue.Empty
    except queue.Empty:
        timed_out = True
    finally:
        kill_group(child)
    wall_s = time.perf_counter() - started
    after = os.times()
    reader.join(timeout=1.0)  # what it wrote last; a grandchild that left the group may hold the channel open for ever
    while not lines.empty():
        received.append(lines.get() or b"")
    return Answer(
        events=tuple(events(received)),
        exit_status=None if timed_out else child.wait(),
        wall_s=wall_s,
        parent_cpu_s=time.process_time() - cpu_started,
        child_cpu_s=after.children_user + after.children_system - before.children_user - before.children_system,
    )


def python_path() -> str:
    """The child finds this very package, wherever the parent was started."""
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(ROOT), *([inherited] if inherited else [])])


@contextmanager
def affinity(cpus: tuple[int, ...]) -> Iterator[None]:
    """Start children on ``cpus`` only: the mask is inherited, so the parent wears it for that moment."""
    if not hasattr(os, "sched_setaffinity"):  # macOS and Windows: the thread count alone must do
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def send(child: subprocess.Popen[bytes], request: Mapping[str, Any]) -> None:
    """Write the request and leave the pipe open: its end tells the child that its parent is gone."""
    assert child.stdin is not None
    with suppress(BrokenPipeError):  # it died at once; its exit status will say so
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()


def read_lines(child: subprocess.Popen[bytes], lines: "queue.Queue[bytes | None]") -> None:
    """Move the child's lines into the queue as they come, until nobody holds the other end."""
    assert child.stdout is not None
    with child.stdout:  # closed here: closing it elsewhere would wait for this thread
        for line in child.stdout:
            lines.put(line)


def wait(child: subprocess.Popen[bytes], lines: "queue.Queue[bytes | None]") -> None:
    """Put None into the queue when the child has ended."""
    child.wait()
    lines.put(None)


def events(lines: list[bytes]) -> Iterator[Event]:
    """The events among the lines. Anything else was printed before the worker took the channel, and is no answer."""
    for line in lines:
        try:
            yield Event(**json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started, if anything of it is left."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # nothing is left, or on macOS only what is dead already
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.wait()
    assert child.stdin is not None
    with suppress(OSError):  # an unsent request in the buffer of a dead child's pipe
        child.stdin.close()


def log_tail(log: Path) -> str:
    """The last lines of a log, as text."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])
