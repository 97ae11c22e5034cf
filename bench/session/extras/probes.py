"""Probes: what becomes of Python in each framework's forward pass."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from bench.session.extras.questions import ExtraQuestion, answer_digest
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store.records.probe import Mode, Probe
from bench.worker import messages
from bench.worker.process import Placement, entry_point, now
from bench.worker.requests import ProbeModes
from impls import registry
from impls.registry import Entry
from impls.workload import Workload


def questions(plan: Plan, session: Session, headline: str) -> Iterator[ExtraQuestion]:
    """A question to each framework of the plan that has a probe, on the CPU.

    Of the plan's networks it is asked about the one that is called ``headline``, else about the first.
    """
    workload, threads = plan.headline(headline), max(plan.threads)
    for entry in probed(plan.entries):
        digest = answer_digest("probe", entry, workload, plan, Placement.of("cpu", threads).variables(entry))
        bare = Probe(
            entry.framework, workload.name, threads, digest, now(), session.machine.machine, "failed", "not asked"
        )
        line = f"probing {entry.framework}: what becomes of Python in its forward pass"
        yield ExtraQuestion(bare, line, partial(ask, bare, entry, workload, session))


def probed(entries: Sequence[Entry]) -> list[Entry]:
    """The first row of each framework that has a probe, with the probe as its module.

    Rows on another backend than their framework's own, and those that a user added, stand for no framework.
    """
    built_in = {entry.name for entry in registry.BUILT_IN}
    rows: dict[str, Entry] = {}
    for entry in entries:
        module = f"impls.probes.{entry.framework}"
        if entry.name in built_in and entry.short == entry.framework and registry.module_file(module):
            rows.setdefault(entry.framework, replace(entry, module=module))
    return list(rows.values())


def ask(bare: Probe, entry: Entry, workload: Workload, session: Session) -> Probe:
    """The probe with its answer. One that is missing or fails says why."""
    request = ProbeModes(entry_point(entry), workload, str(session.data), str(session.scratch()))
    answer = session.ask(entry, request, Placement.of("cpu", bare.threads), session.log_of(f"probe.{entry.framework}"))
    status, reason = answer.outcome
    return replace(
        bare,
        started=answer.started,
        status=status,
        reason=reason,
        versions=answer.last(messages.Versions, messages.Versions({})).versions,
        default=answer.last(messages.DefaultMode, messages.DefaultMode("")).name,
        modes=answer.all(Mode),
        lost={lost.name: lost.reason for lost in answer.all(messages.LostMode)},
        tools=answer.last(messages.DebuggingTools, messages.DebuggingTools({})).tools,
    )
