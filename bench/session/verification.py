"""Asking the gate: one process for each implementation and device, which answers for all networks."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.store.records.verification import Gate, Rung
from bench.worker import interpreters, messages, process
from bench.worker.messages import Event
from impls import environment
from impls.environment import slug
from impls.registry import Entry
from impls.workload import Workload


@dataclass(frozen=True)
class Question:
    """Does an implementation do this workload's work, with samples drawn from ``seed``?"""

    workload: Workload
    seed: int
    digest: str


@dataclass(frozen=True)
class GateJob:
    """An implementation on a device, and all that it is asked."""

    entry: Entry
    device: str
    questions: Sequence[Question]


@dataclass(frozen=True)
class GateRun:
    """How it is asked: the data, the folder of the logs, that of the oracle's answers, the seconds for each question.

    ``deep`` asks for the rungs that take longer than anybody would wait before a measurement.
    """

    data: Path
    logs: Path
    cache: Path
    timeout_s: float
    deep: bool

    def ask(self, job: GateJob, cpus: tuple[int, ...]) -> list[Gate]:
        """Its answers, in the order of the questions. A question that ends the process has failed; the rest go on."""
        gates: list[Gate] = []
        while len(gates) < len(job.questions):
            gates += self.answers(job, len(gates), cpus)
        return gates

    def answers(self, job: GateJob, first: int, cpus: tuple[int, ...]) -> Iterator[Gate]:
        """The answers of one process: to all questions from the first on, or up to the one that ended it."""
        questions = job.questions[first:]
        entry, device, timeout_s = job.entry, job.device, self.timeout_s * len(questions)
        log = self.logs / f"gate.{entry.name}.{slug(device)}.{questions[0].workload.name}.log"
        variables = environment.environment(entry, device, len(cpus), precision=questions[0].workload.precision)
        answer = process.launch(
            self.request(entry, device, questions), variables, cpus, log, timeout_s, interpreters.command(entry)
        )
        parts = divided(answer.events)
        for question, (rungs, end) in zip(questions, parts, strict=False):
            yield gate(job, question, len(cpus), rungs, end.values["status"], end.values["reason"])
        if len(parts) < len(questions):
            rungs = [event for event in answer.events if event.name == "rung"]
            said = sum(len(part) for part, _ in parts)
            status, reason = answer.end(timeout_s)
            told = any(event.name == "end" for event in answer.events)  # it could not even begin, and would not again
            reason = reason if told else " ".join([reason, *process.log_tail(log).splitlines()[-1:]])
            for question in questions[len(parts) :] if told else [questions[len(parts)]]:
                yield gate(job, question, len(cpus), rungs[said:], status, reason)

    def request(self, entry: Entry, device: str, questions: Sequence[Question]) -> dict[str, Any]:
        """What the worker is asked."""
        asked = [{"workload": asdict(question.workload), "seed": question.seed} for question in questions]
        told = {"questions": asked, "device": device, "data": str(self.data), "cache": str(self.cache)}
        return messages.request("gate", entry, **told, deep=self.deep)

    def all_of(
        self, jobs: Sequence[GateJob], cpus: tuple[int, ...], side_by_side: int, on_gate: Callable[[Gate], None]
    ) -> None:
        """Ask all, ``side_by_side`` at a time, which share the CPUs; ``on_gate`` is told by the thread that asks.

        The threads are daemons: when this one is interrupted, the processes end with it.
        """
        waiting: queue.SimpleQueue[GateJob] = queue.SimpleQueue()
        answers: queue.SimpleQueue[list[Gate] | BaseException] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)

        def seat(own: tuple[int, ...]) -> None:
            while True:
                try:
                    job = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    answers.put(self.ask(job, own))
                except BaseException as error:  # raised again below, where somebody waits for it
                    answers.put(error)

        share = max(1, len(cpus) // side_by_side)
        for number in range(side_by_side):
            threading.Thread(target=seat, args=(cpus[number * share :][:share],), daemon=True).start()
        for _ in jobs:
            found = answers.get()
            if isinstance(found, BaseException):
                raise found
            for answer in found:
                on_gate(answer)


def divided(events: Sequence[Event]) -> list[tuple[list[Event], Event]]:
    """The rungs of each question that was answered, with its answer."""
    parts, rungs = [], []
    for event in events:
        if event.name == "rung":
            rungs.append(event)
        elif event.name == "answer":
            parts.append((rungs, event))
            rungs = []
    return parts


def gate(job: GateJob, question: Question, threads: int, rungs: Sequence[Event], status: str, reason: str) -> Gate:
    """One answer: passed where the climb came to its end and no rung failed."""
    climbed = tuple(Rung(**event.values) for event in rungs)
    failed = [rung for rung in climbed if not rung.passed]
    if status == "ok":
        status = "failed" if failed else "passed"
    if failed and not reason:
        reason = f"{failed[0].name}: {explain(failed[0])}"
    return Gate(
        implementation=job.entry.name,
        workload=question.workload.name,
        device=job.device,
        digest=question.digest,
        status=status,  # type: ignore[arg-type]  # "passed", "failed" or "skipped"; the store checks it when it is read
        reason=reason,
        rungs=climbed,
        seed=question.seed,
        threads=threads,
    )


def explain(rung: Rung) -> str:
    """Why a rung was not passed."""
    return rung.note or f"deviates by {rung.figure:.1e} from the oracle, at most {rung.limit:.1e} is rounding"
