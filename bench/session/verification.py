"""Asks whether implementations do the same work: one process for each and each device, for all networks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import files
from bench.display.text import one_line
from bench.machine import cpus as machine_cpus
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import archive
from bench.store.records.verification import Check, Verification
from bench.worker import pool, process, requests
from bench.worker.answer import Answer, Outcome
from bench.worker.messages import Ended, PartEnded
from bench.worker.process import Placement, entry_point
from bench.worker.requests import CheckedNetwork
from impls.environment import slug
from impls.registry import Entry
from impls.workload import Workload

AT_ONCE = 5
"""Questions to one process where several run at the same time: few enough that all end at about the same time."""


@dataclass(frozen=True)
class Question:
    """Does an implementation do this workload's work, with samples drawn from ``seed``?"""

    workload: Workload
    seed: int
    digest: str


@dataclass(frozen=True)
class VerificationJob:
    """An implementation on a device, and all that is asked about it."""

    entry: Entry
    device: str
    questions: Sequence[Question]


@dataclass(frozen=True)
class VerificationRun:
    """How it is asked: the data, the folder of the logs, that of the oracle's answers, the seconds for each question.

    ``deep`` asks for the checks that take longer than anybody would wait before a measurement.
    """

    data: Path
    logs: Path
    cache: Path
    timeout_s: float
    deep: bool

    def ask(self, job: VerificationJob, cpus: tuple[int, ...]) -> list[Verification]:
        """The answers, in the order of the questions. One that ends the process has failed; the rest go on."""
        found: list[Verification] = []
        while len(found) < len(job.questions):
            found += self.answers(job, len(found), cpus)
        return found

    def answers(self, job: VerificationJob, first: int, cpus: tuple[int, ...]) -> Iterator[Verification]:
        """The answers of one process: to all questions from the first on, or up to the one that ended it."""
        questions = job.questions[first:]
        log = self.logs / f"gate.{job.entry.name}.{slug(job.device)}.{questions[0].workload.name}.log"
        request = requests.Verify(
            entry_point(job.entry),
            tuple(CheckedNetwork(question.workload, question.seed) for question in questions),
            job.device,
            str(self.data),
            str(self.cache),
            self.deep,
        )
        placement = Placement(job.device, cpus, questions[0].workload.precision)
        answer = process.ask(job.entry, request, placement, log, self.timeout_s * len(questions))
        parts, rest = divided(answer)
        for question, (checks, outcome) in zip(questions, parts, strict=False):
            yield verification(job, question, len(cpus), checks, outcome)
        if len(parts) < len(questions):
            status, reason = answer.outcome
            told = bool(answer.all(Ended))  # it could not even begin, and would not again
            reason = reason if told else " ".join([reason, *process.log_tail(log).splitlines()[-1:]])
            for question in questions[len(parts) :] if told else [questions[len(parts)]]:
                yield verification(job, question, len(cpus), rest, Outcome(status, one_line(reason)))


def verify(
    session: Session,
    plan: Plan,
    on_answer: Callable[[Verification, bool], None],
    deep: bool = False,
    seeds: int = 1,
    at_once: int = 1,
) -> None:
    """Verify every implementation of a plan on each network and device, unless that was done before.

    ``on_answer`` is called with each answer, and whether it is an old one. ``deep`` adds checks for which no
    measurement waits, ``seeds`` asks everything so many times, from the plan's seed on.
    """
    known = {
        (stored.implementation, stored.workload, stored.device): stored
        for stored in archive.records(session.directory, Verification)
    }
    jobs = []
    for entry in plan.entries:
        configurations = product(plan.devices, dict.fromkeys(workload.precision for workload in plan.workloads))
        for device, precision in configurations if entry.gated else ():
            questions = []
            for workload in (workload for workload in plan.workloads if workload.precision == precision):
                digest = plan.gate_digest(entry, workload, device)
                old = known.get((entry.name, workload.name, device))
                if old is not None and old.digest == digest and old.status == "passed":
                    on_answer(old, True)
                else:
                    questions += [Question(workload, plan.seed + number, digest) for number in range(seeds)]
            size = max(1, len(questions)) if at_once == 1 else AT_ONCE
            starts = range(0, len(questions), size)
            jobs += [VerificationJob(entry, device, questions[start : start + size]) for start in starts]
    logs = session.directory / "logs"
    with files.writing(logs), TemporaryDirectory(prefix="fcnbench-oracle-", dir=session.scratch()) as cache:
        run = VerificationRun(session.data, logs, Path(cache), session.timeout_s, deep)
        cpus = machine_cpus.available_cpus()[: max(plan.threads)]
        for _, answers in pool.run(jobs, run.ask, cpus, at_once):
            for answer in answers:
                archive.save_record(session.directory, answer)
                on_answer(answer, False)


def divided(answer: Answer) -> tuple[list[tuple[list[Check], Outcome]], list[Check]]:
    """The checks of each question that was answered, with how they ended, and those that belong to no answer."""
    parts: list[tuple[list[Check], Outcome]] = []
    checks: list[Check] = []
    for message in answer.messages:
        if isinstance(message, Check):
            checks.append(message)
        elif isinstance(message, PartEnded):
            parts.append((checks, Outcome(message.status, message.reason)))
            checks = []
    return parts, checks


def verification(
    job: VerificationJob, question: Question, threads: int, checks: Sequence[Check], outcome: Outcome
) -> Verification:
    """One answer: passed where the checks came to their end and none failed."""
    failed = [check for check in checks if not check.passed]
    return Verification(
        implementation=job.entry.name,
        workload=question.workload.name,
        device=job.device,
        digest=question.digest,
        status=("failed" if failed else "passed") if outcome.status == "ok" else outcome.status,
        reason=outcome.reason or (f"{failed[0].name}: {explain(failed[0])}" if failed else ""),
        checks=tuple(checks),
        seed=question.seed,
        threads=threads,
    )


def explain(check: Check) -> str:
    """Why a check was not passed."""
    return check.note or f"deviates by {check.figure:.1e} from the oracle, at most {check.limit:.1e} is rounding"
