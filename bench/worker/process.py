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

from bench.worker import interpreters
from bench.worker.messages import PROTOCOL, Event

LOG_TAIL_LINES = 20
ONE_VERSION = f"this is protocol {PROTOCOL}: use one version of fcnbench for both"


@dataclass(frozen=True)
class Answer:
    """What a child said and how it ended. ``exit_status`` is negative for a signal, None if it had to be killed.

    ``child_cpu_s`` is the CPU time of the child and of all that it started and waited for, or still had at its end.
    """

    events: tuple[Event, ...]
    exit_status: int | None
    wall_s: float
    parent_cpu_s: float
    child_cpu_s: float

    @property
    def whole(self) -> bool:
        """Whether a cell was measured whole: whatever became of the child afterwards, its figures stand."""
        return any(event.name == "whole" for event in self.events)

    def end(self, timeout_s: float) -> tuple[str, str]:
        """Status and reason of what was asked: ``ok`` from the moment on when all of it had been answered."""
        return ("ok", "") if self.whole else self.last_word(timeout_s)

    def end_of_rest(self, timeout_s: float) -> str:
        """Why what follows upon a whole cell did not come to its end; empty where it did, or there was none."""
        return self.last_word(timeout_s)[1] if self.whole else ""

    def last_word(self, timeout_s: float) -> tuple[str, str]:
        """Status and reason of the process: the child's own word, or what its death says."""
        for event in self.events:
            if event.name == "hello" and event.values["protocol"] != PROTOCOL:
                return "failed", f"the worker speaks protocol {event.values['protocol']}, {ONE_VERSION}"
            if event.name == "end":
                reason: str = event.values["reason"]
                return event.values["status"], reason.encode(errors="replace").decode()  # it may hold half a character
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


class Child:
    """A worker that was started: it is sent requests, what it says is waited for, and its :meth:`answer` ends it."""

    def __init__(
        self,
        environment: Mapping[str, str],
        cpus: tuple[int, ...],
        log: Path,
        command: tuple[str, ...] = interpreters.COMMAND,
    ) -> None:
        """Start it; what it prints goes to ``log``."""
        self.started, self.spent = time.perf_counter(), Spent()
        self.heard: list[bytes] = []
        self.late = False
        with log.open("wb") as log_file, affinity(cpus):
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                env={**os.environ, **environment, **python_path(command)},
                start_new_session=True,
            )
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.reader = threading.Thread(target=read_lines, args=(self.process, self.lines), daemon=True)
        self.reader.start()
        threading.Thread(target=wait, args=(self.process, self.lines), daemon=True).start()

    def send(self, request: Mapping[str, Any]) -> None:
        """Write a request and leave the pipe open: its end tells the child that its parent is gone."""
        assert self.process.stdin is not None
        with suppress(OSError):  # it died; its exit status will say so
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()

    def hear(self, timeout_s: float, name: str = "") -> Event | None:
        """Keep what it says, asleep in between, until the event of that name, which is returned and not kept.

        None where the child ended before, or was not done when its time was over, also where it never stopped talking.
        What no event is looked for in is not even read before :meth:`answer`: something may be timed meanwhile.
        """
        deadline = time.perf_counter() + timeout_s
        while (line := self.line(deadline)) is not None:
            for event in events([line]) if name else ():
                if event.name == name:
                    return event
            self.heard.append(line)
        return None

    def line(self, deadline: float) -> bytes | None:
        """The next line; None when the child has ended, or has not by ``deadline``, a reading of ``perf_counter``."""
        try:
            found = self.lines.get(timeout=max(0.0, deadline - time.perf_counter()))
        except queue.Empty:
            self.late = True
            return None
        self.late = found is not None and time.perf_counter() > deadline
        return None if self.late else found

    def answer(self) -> Answer:
        """End it; all that it has said, and how it ended."""
        said = [*self.heard, *self.end()]
        wall_s, (parent_cpu_s, child_cpu_s) = time.perf_counter() - self.started, self.spent.so_far()
        status = None if self.late else self.process.wait()
        found = tuple(events(said))
        helpers_cpu_s = sum(event.values.get("helpers_cpu_s", 0.0) for event in found if event.name == "end")
        return Answer(found, status, wall_s, parent_cpu_s, child_cpu_s + helpers_cpu_s)

    def end(self) -> list[bytes]:
        """End it and all that it started; what it had still to say."""
        kill_group(self.process)
        self.reader.join(timeout=1.0)  # a grandchild that left the group may hold the channel open for ever
        left = []
        while not self.lines.empty():
            left.append(self.lines.get() or b"")
        return left


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


def launch(
    request: Mapping[str, Any],
    environment: Mapping[str, str],
    cpus: tuple[int, ...],
    log: Path,
    timeout_s: float,
    command: tuple[str, ...] = interpreters.COMMAND,
) -> Answer:
    """Run a worker to its end and return its answer. Never raises for what the child does."""
    child = Child(environment, cpus, log, command)
    try:
        child.send(request)
        child.hear(timeout_s)
    finally:
        answer = child.answer()
    return answer


def python_path(command: tuple[str, ...]) -> dict[str, str]:
    """The child finds this very package, wherever the parent was started; another interpreter none of our packages."""
    if command[0] != sys.executable:
        return {"PYTHONPATH": ""}
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(interpreters.ROOT), *([inherited] if inherited else [])])}


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
