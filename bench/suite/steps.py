"""A worker that is driven one step at a time, for a harness that asks for each epoch itself."""

import time
from dataclasses import replace
from pathlib import Path

from bench.errors import FcnBenchError, NotHere
from bench.session import record
from bench.session.session import Session
from bench.store.records.cell import Cell
from bench.store.records.training import TrainingResult
from bench.worker.answer import Answer
from bench.worker.messages import StepDone
from bench.worker.process import Worker, entry_point
from bench.worker.requests import Finish, ImportProgram, Prepare, Step, TrainByStep


class SteppedTraining:
    """One process after the other for the same cell, each from :meth:`start` to :meth:`finish` or :meth:`end`.

    The parent sleeps while a step is done. Nothing is left behind: the process is ended with its group, and ends by
    itself when this process does.
    """

    def __init__(self, session: Session, cell: Cell, data: Path, disable_gc: bool = False) -> None:
        """Start nothing yet; ``data`` is the directory to train and test on."""
        self.session, self.cell, self.data, self.disable_gc = session, cell, data, disable_gc
        self.log = session.log(cell)
        self.worker: Worker | None = None
        self.inside_ns = 0
        self.waits_s: list[float] = []

    def clock(self) -> float:
        """Seconds that all processes of this cell together have spent between their own readings of the clock.

        The difference between two calls is what the steps in between took, without the way there and back.
        """
        return self.inside_ns / 1e9

    def start(self) -> None:
        """Start a fresh process, which imports nothing yet; the one before is ended."""
        self.end()
        cell, entry = self.cell, self.session.entries[self.cell.implementation]
        self.worker = Worker(entry, self.session.placement(cell), self.log)
        task = replace(self.session.task(cell), data=str(self.data))
        self.worker.send(TrainByStep(entry_point(entry), task, self.disable_gc))

    def begin(self) -> None:
        """Start a fresh process and have it import, build and load: it is ready to train and to predict."""
        self.start()
        self.ask(ImportProgram())
        self.ask(Prepare())

    def ask(self, step: Step) -> float | None:
        """Have the process do a step; its seconds, where it is timed.

        Raises :class:`NotHere` where the implementation cannot run here, FcnBenchError where the process failed, died
        or did not answer in time.
        """
        assert self.worker is not None
        asked = time.perf_counter()
        self.worker.send(step)
        done = self.worker.hear(self.session.timeout_s, StepDone)
        if done is not None:
            seconds = done.seconds or 0.0
            self.waits_s.append(time.perf_counter() - asked - seconds)
            self.inside_ns += round(seconds * 1e9)
            return done.seconds
        status, reason = self.answer().outcome
        problem = f"{self.cell.implementation} on {self.cell.workload.name}: {step.name}: {reason}"
        raise NotHere(problem) if status == "skipped" else FcnBenchError(f"{problem}; its log is {self.log}")

    def finish(self) -> TrainingResult:
        """Let the process say what is left to say, and end; the record of what it has done."""
        assert self.worker is not None
        self.worker.send(Finish())
        self.worker.hear(self.session.timeout_s)
        result = record.result(self.cell, self.answer(), self.session.circumstances(self.cell))
        assert isinstance(result, TrainingResult)
        return result

    def answer(self) -> Answer:
        """All that the process has said, which is ended now."""
        assert self.worker is not None
        worker, self.worker = self.worker, None
        return worker.answer(self.session.timeout_s)

    def end(self) -> None:
        """End the process, if there is one, without waiting for anything that it may still want to say."""
        if self.worker is not None:
            self.worker.end()
            self.worker = None
