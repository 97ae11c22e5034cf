"""Several workers at once, each with its share of the CPUs: for what is not timed."""

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine.cpus import available_cpus
from bench.worker import interpreters, messages, process
from bench.worker.process import Answer
from impls import environment
from impls.registry import Entry


@dataclass(frozen=True)
class Job:
    """What one worker is asked: a job of :mod:`bench.worker.main`, of a row, with what that job needs besides."""

    name: str
    entry: Entry
    asked: dict[str, Any]


def run(jobs: Sequence[Job], device: str, folder: Path, timeout_s: float) -> list[Answer]:
    """The workers' answers, in the order of the jobs; their logs go to ``folder``.

    They are asked by daemon threads: when this one is interrupted, the processes end with it.
    """
    answers: queue.SimpleQueue[tuple[int, Answer | BaseException]] = queue.SimpleQueue()
    cpus = available_cpus()
    threads = max(1, len(cpus) // max(1, len(jobs)))

    def one(number: int, job: Job) -> None:
        try:
            answer = process.launch(
                messages.request(job.name, job.entry, device=device, **job.asked),
                environment.environment(job.entry, device, threads),
                cpus,
                folder / f"{job.name}.{number}.log",
                timeout_s,
                interpreters.command(job.entry),
            )
            answers.put((number, answer))
        except BaseException as error:  # raised again below, where somebody waits for it
            answers.put((number, error))

    for number, job in enumerate(jobs):
        threading.Thread(target=one, args=(number, job), daemon=True).start()
    found: dict[int, Answer] = {}
    for _ in jobs:
        number, answer = answers.get()
        if isinstance(answer, BaseException):
            raise answer
        found[number] = answer
    return [found[number] for number in range(len(jobs))]


def ends(answer: Answer, number: int, timeout_s: float) -> list[dict[str, Any]]:
    """``status``, ``reason`` and what was answered to each of ``number`` questions that a worker was asked at once.

    Those that it did not come to have the status with which it ended, and that is not ``ok``.
    """
    given = [dict(event.values) for event in answer.events if event.name == "answer"]
    status, reason = answer.end(timeout_s)
    missing = {"status": "failed" if status == "ok" else status, "reason": reason}
    return given + [missing] * (number - len(given))
