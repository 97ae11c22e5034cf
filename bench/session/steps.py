"""A cell whose process stays and is asked step by step, for a harness that keeps the clock's readings itself."""

import time
from datetime import UTC, datetime
from pathlib import Path

from bench import files
from bench.errors import FcnBenchError, NotHere
from bench.machine.cpus import available_cpus
from bench.machine.disturbances import Watch
from bench.session.session import Session
from bench.store.records.cell import Cell
from bench.store.records.training import Result
from bench.worker import interpreters
from bench.worker.process import Answer, Child


class Live:
    """One process after the other for the same cell, each from :meth:`start` to :meth:`finish` or :meth:`end`.

    The parent sleeps while a question is answered. Nothing is left behind: the process is ended with its group, and
    ends by itself when this process does.
    """

    def __init__(self, session: Session, cell: Cell, data: Path, disable_gc: bool = False) -> None:
        """Start nothing yet; ``data`` is the directory to train and test on."""
        self.session, self.cell, self.data, self.disable_gc = session, cell, data, disable_gc
        self.child: Child | None = None
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
        self.variables, self.log = self.session.variables(cell), self.session.log(cell)
        self.started, self.watch = datetime.now(UTC), Watch.start(cell.device)
        with files.writing(self.log):
            cpus = available_cpus()[: cell.threads]
            self.child = Child(self.variables, cpus, self.log, interpreters.command(entry))
        self.child.send(self.session.request("serve", cell, self.data, disable_gc=self.disable_gc))

    def begin(self) -> None:
        """Start a fresh process and have it import, build and load: it is ready to train and to predict."""
        self.start()
        self.ask("import_")
        self.ask("prepare")

    def ask(self, step: str) -> float | None:
        """Have the process do a step of :class:`bench.worker.jobs.steps.Steps`; its seconds, where one is measured.

        Raises :class:`NotHere` where the implementation cannot run here, FcnBenchError where the process failed, died
        or did not answer in time.
        """
        assert self.child is not None
        asked = time.perf_counter()
        self.child.send({"step": step})
        answer = self.child.hear(self.session.timeout_s, "answer")
        if answer is not None:
            seconds: float | None = answer.values["seconds"]
            self.waits_s.append(time.perf_counter() - asked - (seconds or 0.0))
            self.inside_ns += round((seconds or 0.0) * 1e9)
            return seconds
        status, reason = self.answer().end(self.session.timeout_s)
        problem = f"{self.cell.implementation} on {self.cell.workload.name}: {step.rstrip('_')}: {reason}"
        raise NotHere(problem) if status == "skipped" else FcnBenchError(f"{problem}; its log is {self.log}")

    def finish(self) -> Result:
        """Let the process say what is left to say, and end; the record of what it has done."""
        assert self.child is not None
        self.child.send({"step": "finish"})
        self.child.hear(self.session.timeout_s)
        answer = self.answer()
        disturbed = self.watch.end(self.cell.device, answer.parent_cpu_s, answer.child_cpu_s)
        return self.session.record(self.cell, answer, self.started, disturbed, self.variables, self.log)

    def answer(self) -> Answer:
        """All that the process has said, which is ended now."""
        assert self.child is not None
        child, self.child = self.child, None
        return child.answer()

    def end(self) -> None:
        """End the process, if there is one, without waiting for anything that it may still want to say."""
        if self.child is not None:
            self.child.end()
            self.child = None
