"""A process that works in turns: one epoch, then it is stopped until it is its turn again."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import psutil

from bench.machine import meters
from bench.machine.metering import Surroundings
from bench.session import record
from bench.session.session import Session
from bench.store.records.cell import Cell, Readings
from bench.store.records.training import TrainingResult
from bench.worker import answer as answers
from bench.worker.messages import StepDone
from bench.worker.process import Worker, cpu_s
from bench.worker.requests import Finish, TrainEpoch

CAN_STOP = hasattr(signal, "SIGSTOP")
"""Whether this system stops processes. Where it does not, one trains after the other."""
STOPPED_LOOKS, STOPPED_PAUSE_S = 200, 0.005
"""How often, and how far apart, it is looked whether a process has stopped."""


class TurnedProcess:
    """The process of one cell, which runs during its turns and is stopped between them.

    Its time, its CPU seconds and what disturbs it are counted during its turns alone.
    """

    def __init__(self, session: Session, cell: Cell, together: "Sequence[TurnedProcess]") -> None:
        """Start nothing yet; ``together`` are the processes that are there beside it, and itself."""
        self.session, self.cell, self.together = session, cell, together
        self.asked = 0
        self.worker: Worker | None = None
        self.alive = False
        self.pieces: list[Readings] = []
        self.wall_s = self.child_cpu_s = 0.0
        self.start_s = 0.0
        self.epochs_s: list[float] = []

    def start(self) -> None:
        """Start the process and have it do everything that comes before the first epoch."""
        session, cell = self.session, self.cell
        with self.turn():
            self.worker = Worker(session.entries[cell.implementation], session.placement(cell), session.log(cell))
            self.worker.send(session.request(cell))
            self.alive = self.worker.hear(self.left_s(), StepDone) is not None
        self.start_s = self.wall_s

    def train(self) -> None:
        """Have it train one epoch; nothing where it is out."""
        if self.alive and self.worker is not None:
            before_s, self.asked = self.wall_s, self.asked + 1
            with self.turn():
                self.worker.send(TrainEpoch())
                self.alive = self.worker.hear(self.left_s(), StepDone) is not None
            self.epochs_s.append(self.wall_s - before_s)

    def finish(self, alongside: int) -> TrainingResult:
        """Have it do what comes after the last epoch, and end; its result.

        ``alongside`` is the number of processes that were stopped while this one trained.
        """
        assert self.worker is not None
        _, ended_before_s = cpu_s()
        with self.turn():
            if self.alive:
                self.worker.send(Finish())
                self.worker.hear(self.left_s())
            answer, self.worker = self.worker.answer(self.session.timeout_s), None
            self.child_cpu_s = cpu_s()[1] - ended_before_s + answers.helpers_cpu_s(answer.messages)
        answer = replace(answer, wall_s=self.wall_s, child_cpu_s=self.child_cpu_s, readings=meters.joined(self.pieces))
        result = record.result(self.cell, answer, self.session.circumstances(self.cell), self.session.data, self.asked)
        assert isinstance(result, TrainingResult)
        return replace(result, alongside=alongside)

    def end(self) -> None:
        """End it, whatever it is doing."""
        if self.worker is not None:
            self.worker.end()
            self.worker = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let it run; whatever happens, it is stopped afterwards."""
        at = Surroundings(self.cell.device, ours=lambda: sum(process.worker is not None for process in self.together))
        read, begun, spent_s = meters.start("process", at), time.perf_counter(), self.cpu_s()
        self.signal("SIGCONT")
        try:
            yield
        finally:
            self.signal("SIGSTOP")
            self.see_stopped()
            self.wall_s += time.perf_counter() - begun
            self.pieces.append(read.stop(replace(at, child_cpu_s=self.cpu_s() - spent_s)))

    def signal(self, name: str) -> None:
        """Send a signal to the process and to all of its group; nothing where it has ended or never started."""
        if CAN_STOP and self.worker is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.worker.process.pid, signal.Signals[name])

    def see_stopped(self) -> None:
        """Wait until it has stopped or ended: on a CPU that it shares it may still run after the signal was sent."""
        if CAN_STOP and self.worker is not None and hasattr(os, "waitid"):
            for _ in range(STOPPED_LOOKS):  # somebody else may let it run again
                with suppress(ChildProcessError):
                    pid, looked = self.worker.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG
                    if os.waitid(os.P_PID, pid, looked) is None:
                        time.sleep(STOPPED_PAUSE_S)
                        continue
                return

    def left_s(self) -> float:
        """The seconds that are left to it."""
        return max(0.0, self.session.timeout_s - self.wall_s)

    def cpu_s(self) -> float:
        """CPU seconds so far of the process and of all that it has started, in user and system mode."""
        with suppress(psutil.Error):  # it has ended
            self.child_cpu_s = sum(sum(process.cpu_times()[:4]) for process in self.tree()) or self.child_cpu_s
        return self.child_cpu_s

    def memory_bytes(self) -> int:
        """What the process and all that it has started hold in memory."""
        with suppress(psutil.Error):
            return sum(int(process.memory_info().rss) for process in self.tree())
        return 0

    def tree(self) -> list[psutil.Process]:
        """The process and all that it has started. Raises psutil.Error where it has ended."""
        if self.worker is None:
            return []
        process = psutil.Process(self.worker.process.pid)
        return [process, *process.children(recursive=True)]
