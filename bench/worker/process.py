"""One cell, one fresh process, one answer. The parent sleeps while the child is timed.

Two threads of the parent block in the operating system, one for the child's lines and one for its end, and the parent
waits for either with a deadline: nothing polls. The child leads a process group of its own, so that a timeout, Ctrl-C
or an error takes whatever it started with it.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.machine.cpus import available_cpus
from bench.worker import answer, interpreters, requests
from bench.worker.answer import Answer
from bench.worker.messages import Ended
from bench.worker.requests import EntryPoint, Request, Step
from impls.environment import environment
from impls.registry import Entry

LOG_TAIL_LINES = 20
M = TypeVar("M")


@dataclass(frozen=True)
class Placement:
    """Where a process runs. The number of its threads is that of its CPUs: the mask and the variables agree."""

    device: str
    cpus: tuple[int, ...]
    precision: str = "float32"

    @classmethod
    def of(cls, device: str, threads: int | None = None, precision: str = "float32") -> "Placement":
        """On the first of the CPUs that may be used, as many as ``threads``; else on all of them."""
        return cls(device, available_cpus()[:threads], precision)

    def variables(self, entry: Entry) -> dict[str, str]:
        """What is added to the environment of a process that runs an implementation here."""
        return environment(entry, self.device, len(self.cpus), precision=self.precision)


def entry_point(entry: Entry) -> EntryPoint:
    """Where a worker finds an implementation."""
    return EntryPoint(entry.module, entry.attribute, tuple(entry.packages))


def ask(entry: Entry, request: Request, placement: Placement, log: Path, timeout_s: float) -> Answer:
    """Run a worker to its end and return its answer. Never raises for what the child does."""
    worker = Worker(entry, placement, log)
    try:
        worker.send(request)
        worker.hear(timeout_s)
    finally:
        told = worker.answer(timeout_s)
    return told


class Worker:
    """A worker that was started: it is sent requests, what it says is waited for, and its :meth:`answer` ends it."""

    def __init__(self, entry: Entry, placement: Placement, log: Path) -> None:
        """Start it, under the interpreter of its row; what it prints goes to ``log``."""
        self.started, self.spent = time.perf_counter(), Spent()
        self.heard: list[bytes] = []
        self.late = False
        command = interpreters.command(entry)
        with log.open("wb") as log_file, affinity(placement.cpus):
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                env={**os.environ, **placement.variables(entry), **python_path(command)},
                start_new_session=True,
            )
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.reader = threading.Thread(target=read_lines, args=(self.process, self.lines), daemon=True)
        self.reader.start()
        threading.Thread(target=wait, args=(self.process, self.lines), daemon=True).start()

    def send(self, request: Request | Step) -> None:
        """Write a request and leave the pipe open: its end tells the child that its parent is gone."""
        assert self.process.stdin is not None
        with suppress(OSError):  # it died; its exit status will say so
            self.process.stdin.write(requests.encode_request(request))
            self.process.stdin.flush()

    def hear(self, timeout_s: float, kind: type[M] | None = None) -> M | None:
        """Keep what it says, asleep in between, until a message of that kind, which is returned and not kept.

        None where the child ended before, or was not done when its time was over, also where it never stopped talking.
        Where no kind is given nothing is even read before :meth:`answer`: something may be timed meanwhile.
        """
        deadline = time.perf_counter() + timeout_s
        while (line := self.line(deadline)) is not None:
            if kind is not None and isinstance(message := understood(line), kind):
                return message
            self.heard.append(line)
        return None

    def line(self, deadline: float) -> bytes | None:
        """The next line; None when the child has ended, or has not by ``deadline``, a reading of ``perf_counter``."""
        try:
            line = self.lines.get(timeout=max(0.0, deadline - time.perf_counter()))
        except queue.Empty:
            self.late = True
            return None
        self.late = line is not None and time.perf_counter() > deadline
        return None if self.late else line

    def answer(self, timeout_s: float) -> Answer:
        """End it; all that it has said within the seconds that it was given, and how it ended."""
        lines = [*self.heard, *self.end()]
        wall_s, (parent_cpu_s, child_cpu_s) = time.perf_counter() - self.started, self.spent.so_far()
        status = None if self.late else self.process.wait()
        said, invalid = answer.understood(lines)
        child_cpu_s += sum(message.helpers_cpu_s for message in said if isinstance(message, Ended))
        return Answer(said, status, timeout_s, wall_s, parent_cpu_s, child_cpu_s, invalid)

    def end(self) -> list[bytes]:
        """End it and all that it started; what it had still to say."""
        kill_group(self.process)
        self.reader.join(timeout=1.0)  # a grandchild that left the group may hold the channel open for ever
        left = []
        while not self.lines.empty():
            left.append(self.lines.get() or b"")
        return [line for line in left if line]


class Spent:
    """CPU seconds of this process and of its children that have ended, since it was made."""

    def __init__(self) -> None:
        self.own_s, self.children_s = time.process_time(), children_s()

    def so_far(self) -> tuple[float, float]:
        """This process's, and its ended children's."""
        return time.process_time() - self.own_s, children_s() - self.children_s


def children_s() -> float:
    """CPU seconds of all children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def python_path(command: tuple[str, ...]) -> dict[str, str]:
    """The child finds this very package, wherever the parent was started; another interpreter none of our packages."""
    if command[0] != sys.executable:
        return {"PYTHONPATH": ""}
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(interpreters.ROOT), *([inherited] if inherited else [])])}


@contextmanager
def affinity(cpus: tuple[int, ...]) -> Iterator[None]:
    """Start children on ``cpus`` only: children inherit the mask, so the parent sets its own while it starts one."""
    if not hasattr(os, "sched_setaffinity"):  # macOS and Windows: the thread count alone must do
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


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


def understood(line: bytes) -> Any:
    """The message of a line; None for what is none, which is told when all lines are read."""
    try:
        return answer.decoded(line)
    except ValueError:
        return None


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
