"""A block in rounds: each program has a process of its own, and they train in turns, epoch by epoch.

All that wait are stopped, so that no spinning thread of theirs disturbs the one that is timed. Neighbouring epochs see
the same machine, and what drifts goes into all programs alike.
"""

import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import psutil

from bench import files
from bench.machine import meters
from bench.machine.metering import Surroundings
from bench.session.session import Session
from bench.store.records.cell import Cell, Readings, Result
from bench.worker.messages import Ended, TurnDone
from bench.worker.process import Worker, children_s
from bench.worker.requests import TakeTurn

CAN_STOP = hasattr(signal, "SIGSTOP")
"""Whether this system stops processes. Where it does not, one trains after the other."""
SPARE = 1.5
"""How many times the memory of the largest process so far must be free before another one is started."""


def measured(session: Session, cells: Sequence[Cell], draw: random.Random) -> Iterator[Result]:
    """The cells of a block, measured in turns; each result as soon as its process has ended.

    Import, build, load and the first epoch of each come first, while the others are not there or stopped. Then one
    epoch of each makes a round, in random order. A program that fails, dies or is late is out; the rounds go on. Where
    memory does not hold all programs at once, those that found no room follow when the others have ended.
    """
    waiting = draw.sample(cells, len(cells))
    while waiting:
        programs: list[TurnedProcess] = []
        try:
            while waiting and has_room(programs):
                program = TurnedProcess(session, waiting.pop(0))
                programs.append(program)
                program.start()
                program.train()
            for number in range(2, max(program.cell.epochs for program in programs) + 1):
                due = [program for program in programs if number <= program.cell.epochs]
                for program in draw.sample(due, len(due)):
                    program.train()
            for program in programs:
                yield program.finish(len(programs) - 1)
        finally:
            for program in programs:
                program.end()


def has_room(programs: Sequence["TurnedProcess"]) -> bool:
    """Whether one more process may be started beside those that are stopped."""
    if not programs:
        return True
    largest = max(program.memory_bytes() for program in programs)
    return CAN_STOP and psutil.virtual_memory().available > SPARE * largest


class TurnedProcess:
    """The process of one cell, which runs during its turns and is stopped between them.

    Its time, its CPU seconds and what disturbs it are counted during its turns.
    """

    def __init__(self, session: Session, cell: Cell) -> None:
        """Start nothing yet."""
        self.session, self.cell, self.log = session, cell, session.log(cell)
        self.started = datetime.now(UTC)
        self.worker: Worker | None = None
        self.alive = True
        self.pieces: list[Readings] = []
        self.wall_s = self.total_cpu_s = 0.0

    def start(self) -> None:
        """Start the process and have it do everything that comes before the first epoch."""
        request = replace(self.session.request(self.cell), in_turns=True)
        with files.writing(self.log), self.turn():
            self.worker = Worker(self.session.entries[self.cell.implementation], self.session.placement(self.cell), self.log)
            self.worker.send(request)
            self.wait()

    def train(self) -> None:
        """Have it train one epoch; nothing where it is out."""
        if self.alive and self.worker is not None:
            with self.turn():
                self.worker.send(TakeTurn())
                self.wait()

    def wait(self) -> None:
        """Sleep until its turn is over, or it has ended, or its time has."""
        assert self.worker is not None
        self.alive = self.worker.hear(self.left_s(), TurnDone) is not None

    def finish(self, alongside: int) -> Result:
        """Have it do what comes after the last epoch; its result, beside ``alongside`` others that were stopped."""
        assert self.worker is not None
        ended_s = children_s()
        with self.turn():
            if self.alive:
                self.worker.send(TakeTurn())
                self.worker.hear(self.left_s())
            answer = self.worker.answer(self.session.timeout_s)
            self.total_cpu_s = children_s() - ended_s + sum(end.helpers_cpu_s for end in answer.all(Ended))
        self.worker = None
        answer = replace(answer, wall_s=self.wall_s, child_cpu_s=self.total_cpu_s)
        return self.session.record(self.cell, answer, self.started, meters.joined(self.pieces), alongside)

    def end(self) -> None:
        """End it, whatever it is doing."""
        if self.worker is not None:
            self.worker.end()
            self.worker = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let it run; whatever happens, it is stopped afterwards."""
        at = Surroundings(self.cell.device)
        read, begun, spent_s = meters.start("process", at), time.perf_counter(), self.cpu_s()
        self.signal("SIGCONT")
        try:
            yield
        finally:
            self.signal("SIGSTOP")
            self.wall_s += time.perf_counter() - begun
            self.pieces.append(read.stop(replace(at, child_cpu_s=self.cpu_s() - spent_s)))

    def signal(self, name: str) -> None:
        """Send a signal to the process and to all of its group; nothing where it has ended or never started."""
        if CAN_STOP and self.worker is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.worker.process.pid, signal.Signals[name])

    def left_s(self) -> float:
        """The seconds that are left to it."""
        return max(0.0, self.session.timeout_s - self.wall_s)

    def cpu_s(self) -> float:
        """CPU seconds so far of the process and of all that it has started; 0 before it was."""
        try:
            return sum(sum(process.cpu_times()[:4]) for process in self.tree())
        except psutil.NoSuchProcess:
            return self.total_cpu_s

    def memory_bytes(self) -> int:
        """What the process and all that it has started hold in memory."""
        try:
            return sum(int(process.memory_info().rss) for process in self.tree())
        except psutil.NoSuchProcess:
            return 0

    def tree(self) -> list[psutil.Process]:
        """The process and all that it has started; empty before it was. Raises psutil.NoSuchProcess after its end."""
        if self.worker is None:
            return []
        process = psutil.Process(self.worker.process.pid)
        return [process, *process.children(recursive=True)]
