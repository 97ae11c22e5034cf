"""Asks whether implementations do the same work: one process for each and each device, for all networks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.machine.cpus import available_cpus
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import archive
from bench.store.records.verification import Check, Verification
from bench.worker import process
from bench.worker.answer import Outcome, last_line, log_tail
from bench.worker.process import Placement, entry_point
from bench.worker.requests import CheckedNetwork, Verify
from impls.environment import slug
from impls.registry import Entry

AT_ONCE = 5
"""Questions to one process where several run at the same time: few enough that all end at about the same time."""


@dataclass(frozen=True)
class Question:
    """Does an implementation do this network's work?"""

    network: CheckedNetwork
    digest: str


@dataclass(frozen=True)
class VerificationJob:
    """An implementation on a device, and all that is asked about it."""

    entry: Entry
    device: str
    questions: Sequence[Question]


@dataclass(frozen=True)
class VerificationRun:
    """How it is asked; ``cache`` is the folder of the oracle's answers.

    ``deep`` asks for the checks that take longer than anybody would wait before a measurement.
    """

    session: Session
    cache: Path
    deep: bool

    def ask(self, job: VerificationJob, cpus: tuple[int, ...]) -> list[Verification]:
        """The answers, in the order of the questions. One that ends the process has failed; the rest go on."""
        answers: list[Verification] = []
        while len(answers) < len(job.questions):
            answers += self.answers(job, len(answers), cpus)
        return answers

    def answers(self, job: VerificationJob, first: int, cpus: tuple[int, ...]) -> Iterator[Verification]:
        """The answers of one process: to all questions from the first on, or up to the one that ended it."""
        questions, session = job.questions[first:], self.session
        workload = questions[0].network.workload
        log = session.log_of(f"gate.{job.entry.name}.{slug(job.device)}.{workload.name}")
        networks = tuple(question.network for question in questions)
        request = Verify(entry_point(job.entry), networks, job.device, str(session.data), str(self.cache), self.deep)
        placement = Placement(job.device, cpus, workload.precision)
        answer = process.ask(job.entry, request, placement, log, session.timeout_s * len(questions))
        parts, rest = answer.checks()
        for question, (checks, outcome) in zip(questions, parts, strict=False):
            yield verification(job, question, len(cpus), checks, outcome)
        if len(parts) < len(questions):
            status, reason = answer.outcome  # where the process said it itself, it could not even begin
            reason = reason if answer.ended else f"{reason} {last_line(log_tail(log))}".strip()
            for question in questions[len(parts) :] if answer.ended else [questions[len(parts)]]:
                yield verification(job, question, len(cpus), rest, Outcome(status, reason))


def verifications(directory: Path) -> list[Verification]:
    """What was answered in this directory before."""
    return archive.records(directory, Verification)


def verify(
    session: Session,
    plan: Plan,
    on_answer: Callable[[Verification, bool], None],
    deep: bool = False,
    seeds: int = 1,
    threads: int = 1,
) -> None:
    """Verify every implementation of a plan on each network and device, unless that was done before.

    ``on_answer`` is called with each answer, and whether it is an old one. ``deep`` adds checks for which no
    measurement waits, ``seeds`` asks everything so many times, from the plan's seed on. Nothing is timed: as many
    processes of so many ``threads`` run at the same time as there are CPUs for.
    """
    cpus = available_cpus()
    at_once = max(1, len(cpus) // threads)
    known = {
        (stored.implementation, stored.workload, stored.device): stored for stored in verifications(session.directory)
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
                    networks = [CheckedNetwork(workload, plan.seed + number) for number in range(seeds)]
                    questions += [Question(network, digest) for network in networks]
            size = max(1, len(questions)) if at_once == 1 else AT_ONCE
            starts = range(0, len(questions), size)
            jobs += [VerificationJob(entry, device, questions[start : start + size]) for start in starts]
    with TemporaryDirectory(prefix="fcnbench-oracle-", dir=session.scratch()) as cache:
        run = VerificationRun(session, Path(cache), deep)
        for _, answers in process.run_all(jobs, run.ask, cpus[: at_once * threads], at_once):
            for answer in answers:
                archive.save_record(session.directory, answer)
                on_answer(answer, False)


def verification(
    job: VerificationJob, question: Question, threads: int, checks: Sequence[Check], outcome: Outcome
) -> Verification:
    """One answer: passed where the checks came to their end and none failed."""
    failed = [check for check in checks if not check.passed]
    return Verification(
        implementation=job.entry.name,
        workload=question.network.workload.name,
        device=job.device,
        digest=question.digest,
        status=("failed" if failed else "passed") if outcome.status == "ok" else outcome.status,
        reason=outcome.reason or (f"{failed[0].name}: {explain(failed[0])}" if failed else ""),
        checks=tuple(checks),
        seed=question.network.seed,
        threads=threads,
    )


def explain(check: Check) -> str:
    """Why a check was not passed."""
    return check.note or f"deviates by {check.figure:.1e} from the oracle, at most {check.limit:.1e} is rounding"
