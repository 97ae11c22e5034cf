"""One cell, one fresh process, one answer. The parent sleeps while the child is timed.

Two threads of the parent block in the operating system, one for the child's lines and one for its end, and the parent
waits for either with a deadline: nothing polls. The child leads a process group of its own and has a mark in its
environment, so that a timeout, Ctrl-C or an error takes whatever it started with it.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO, TypeVar

from bench import files
from bench.machine import meters
from bench.machine.cpus import available_cpus
from bench.machine.metering import Surroundings
from bench.worker import answer as answers
from bench.worker import interpreters, leftovers, requests
from bench.worker.answer import Answer
from bench.worker.requests import EntryPoint, Request, Step
from impls.environment import environment
from impls.registry import Entry

MOST_BYTES, LINE_BYTES = 2**28, 64
"""What a worker may say, and what each line counts beside its bytes: it is all kept in memory."""
NUMBERS = count(1)
M = TypeVar("M")
J = TypeVar("J")
A = TypeVar("A")


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


def ask(entry: Entry, request: Request, placement: Placement, log: Path | IO[bytes], timeout_s: float) -> Answer:
    """Run a worker to its end and return its answer. Never raises for what the child does."""
    worker = Worker(entry, placement, log)
    try:
        worker.send(request)
        worker.hear(timeout_s)
    finally:
        answer = worker.answer(timeout_s)
    return answer


def run_all(
    jobs: Sequence[J], work: Callable[[J, tuple[int, ...]], A], cpus: tuple[int, ...], at_once: int
) -> Iterator[tuple[J, A]]:
    """Do several untimed jobs at the same time, each on CPUs of its own: each job with what ``work`` returned for it.

    As many at a time as ``at_once``, but no more than there are CPUs. What ``work`` raises is raised here. It is called
    by daemon threads: when this one is interrupted, the processes end with it.
    """
    waiting: queue.SimpleQueue[J] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[J, A] | BaseException] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def one_after_the_other(share: tuple[int, ...]) -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answers.put((job, work(job, share)))
            except BaseException as error:  # raised again below, where somebody waits for it
                answers.put(error)

    number = max(1, min(at_once, len(cpus)))
    size = len(cpus) // number
    for start in range(0, number * size, size):
        threading.Thread(target=one_after_the_other, args=(cpus[start : start + size],), daemon=True).start()
    for _ in jobs:
        answer = answers.get()
        if isinstance(answer, BaseException):
            raise answer
        yield answer


class Worker:
    """A worker that was started: it is sent requests, what it says is waited for, and its :meth:`answer` ends it.

    The system kills it when the *thread* that started it ends, so that thread has to live as long.
    """

    def __init__(self, entry: Entry, placement: Placement, log: Path | IO[bytes]) -> None:
        """Start it, under the interpreter of its row; what it prints goes to ``log``."""
        leftovers.guard()
        self.device, self.started, self.cpu_before = placement.device, time.perf_counter(), cpu_s()
        self.moment = now()
        self.meters = meters.start("process", Surroundings(self.device))
        self.heard: list[bytes] = []
        self.late = self.too_much = False
        self.mark = f"{leftovers.SESSION}.{next(NUMBERS)}."
        command = interpreters.command(entry)
        with log_file(log) as written, affinity(placement.cpus):
            self.process = subprocess.Popen(
                [*command, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                env={**os.environ, **placement.variables(entry), **python_path(command), leftovers.MARK: self.mark},
                start_new_session=True,
            )
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        threading.Thread(target=self.wait, daemon=True).start()

    def read(self) -> None:
        """Move its lines into the queue as they come, until nobody holds the other end or it has said too much."""
        assert self.process.stdout is not None
        left = MOST_BYTES
        with self.process.stdout:  # closed here: closing it elsewhere would wait for this thread
            while line := self.process.stdout.readline(max(0, left)):
                left -= len(line) + LINE_BYTES
                self.lines.put(line)
        if left <= 0:
            self.too_much = True
            self.lines.put(None)

    def wait(self) -> None:
        """Put None into the queue when it has ended."""
        self.process.wait()
        self.lines.put(None)

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
            if kind is not None:
                with suppress(ValueError):  # :meth:`answer` says what is wrong with it
                    message = answers.decoded(line)
                    if isinstance(message, kind):
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
        lines = [*self.heard, *self.stop()]
        wall_s = time.perf_counter() - self.started
        parent_cpu_s, child_cpu_s = (now - before for now, before in zip(cpu_s(), self.cpu_before, strict=True))
        status = None if self.late else self.process.wait()
        messages, invalid = answers.understood(lines)
        if self.too_much:
            invalid = f"said more than {MOST_BYTES:,} bytes"
        child_cpu_s += answers.helpers_cpu_s(messages)
        readings = self.meters.stop(Surroundings(self.device, child_cpu_s=child_cpu_s))
        leftovers.end_marked(self.mark)  # which takes CPU time that is nobody's reading
        return Answer(messages, status, timeout_s, wall_s, parent_cpu_s, child_cpu_s, invalid, self.moment, readings)

    def end(self) -> None:
        """End it and all that it started, also what left its group."""
        self.stop()
        leftovers.end_marked(self.mark)

    def stop(self) -> list[bytes]:
        """End it with its group; what it had still to say."""
        kill_group(self.process)
        self.reader.join(timeout=1.0)  # what left the group may hold the channel open
        left = []
        while not self.lines.empty():
            left.append(self.lines.get() or b"")
        return [line for line in left if line]


def log_file(log: Path | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """The log, open for what a process prints. Raises FcnBenchError where it cannot be written."""
    if not isinstance(log, Path):
        return nullcontext(log)
    with files.writing(log):
        return log.open("wb")


def now() -> str:
    """The moment, as records hold it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def cpu_s() -> tuple[float, float]:
    """CPU seconds of this process, and of all its children that have ended."""
    times = os.times()
    return time.process_time(), times.children_user + times.children_system


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
