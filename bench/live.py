"""A cell whose process stays and is asked step by step, for a harness that keeps the clock's readings itself."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench import environment, launch, store
from bench.errors import FcnBenchError, NotHere
from bench.launch import Answer, Child, Silent, Spent
from bench.noise import Watch
from bench.records import Cell, Event, Result
from bench.run import Session


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
        self.answers: list[Event] = []
        self.started, self.watch = datetime.now(UTC), Watch.start(cell.device)
        self.spent, self.since = Spent(), time.perf_counter()
        with store.writing(self.log):
            cpus = environment.available_cpus()[: cell.threads]
            self.child = Child(self.variables, cpus, self.log, launch.command(entry))
        self.child.send(self.session.request("serve", cell, self.data, disable_gc=self.disable_gc))

    def begin(self) -> None:
        """Start a fresh process and have it import, build and load: it is ready to train and to predict."""
        self.start()
        self.ask("import_")
        self.ask("prepare")

    def ask(self, step: str) -> float | None:
        """Have the process do a step of :class:`bench.serve.Steps`; its seconds, where it is one that is measured.

        Raises :class:`NotHere` where the implementation cannot run here, FcnBenchError where the process failed, died
        or did not answer in time.
        """
        assert self.child is not None
        asked, timed_out = time.perf_counter(), False
        self.child.send({"step": step})
        try:
            for event in self.said():
                if event.name == "answer":
                    seconds: float | None = event.values["seconds"]
                    self.waits_s.append(time.perf_counter() - asked - (seconds or 0.0))
                    self.inside_ns += round((seconds or 0.0) * 1e9)
                    return seconds
                self.answers.append(event)
        except Silent:
            timed_out = True
        status, reason = self.answer(timed_out).end(self.session.timeout_s)
        problem = f"{self.cell.implementation} on {self.cell.workload.name}: {step.rstrip('_')}: {reason}"
        raise NotHere(problem) if status == "skipped" else FcnBenchError(f"{problem}; its log is {self.log}")

    def finish(self) -> Result:
        """Let the process say what is left to say, and end; the record of what it has done."""
        assert self.child is not None
        self.child.send({"step": "finish"})
        timed_out = False
        try:
            for event in self.said():
                self.answers.append(event)
        except Silent:
            timed_out = True
        answer = self.answer(timed_out)
        disturbed = self.watch.end(self.cell.device, answer.parent_cpu_s, answer.child_cpu_s)
        return self.session.record(self.cell, answer, self.started, disturbed, self.variables, self.log)

    def said(self) -> Iterator[Event]:
        """What the process says from now on, until it ends. Raises :class:`Silent` where that takes too long."""
        assert self.child is not None
        deadline = time.perf_counter() + self.session.timeout_s
        while (line := self.child.line(deadline)) is not None:
            yield from launch.events([line])

    def answer(self, timed_out: bool) -> Answer:
        """All that the process has said, which is ended now."""
        assert self.child is not None
        child, self.child = self.child, None
        self.answers += launch.events(child.end())
        own_s, children_s = self.spent.so_far()
        status = None if timed_out else child.process.wait()
        return Answer(tuple(self.answers), status, time.perf_counter() - self.since, own_s, children_s)

    def end(self) -> None:
        """End the process, if there is one, without waiting for anything that it may still want to say."""
        if self.child is not None:
            self.child.end()
            self.child = None
