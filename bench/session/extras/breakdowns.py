"""Breakdowns: where the time of an epoch goes in each of the tutorials' programs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from bench.display import naming
from bench.session.extras.questions import ExtraQuestion, answer_digest
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store.records.breakdown import Breakdown
from bench.worker import messages
from bench.worker.process import Placement, entry_point, now
from bench.worker.requests import BreakDown
from impls import registry
from impls.registry import Entry
from impls.workload import Workload

TIER = "documented"


def questions(plan: Plan, session: Session, headline: str) -> Iterator[ExtraQuestion]:
    """A question about each of the tutorials' programs in the plan, on each of its devices, with the most threads.

    Of the plan's networks it is the one that is called ``headline``, else the first.
    """
    workload, threads = plan.headline(headline), max(plan.threads)
    for entry in broken_down(plan.entries):
        for device in plan.devices:
            variables = Placement.of(device, threads, workload.precision).variables(entry)
            digest = answer_digest("breakdown", entry, workload, plan, variables)
            bare = Breakdown(
                entry.name, entry.tier, entry.framework, workload.name, device, threads, digest, now(),
                session.machine.machine, "failed", "not asked",
            )  # fmt: skip
            where = naming.title(workload.name, device, threads)
            line = f"breaking down an epoch of {naming.named(entry.name, entry.tier)}: {where}"
            yield ExtraQuestion(bare, line, partial(ask, bare, entry, workload, session))


def broken_down(entries: Sequence[Entry]) -> list[Entry]:
    """The built-in rows of the tutorials' tier that can be broken down, with the module that does it as theirs."""
    built_in = {entry.name for entry in registry.BUILT_IN if entry.tier == TIER}
    rows = [(entry, f"impls.breakdown.{entry.framework}") for entry in entries if entry.name in built_in]
    return [replace(entry, module=module) for entry, module in rows if registry.module_file(module)]


def ask(bare: Breakdown, entry: Entry, workload: Workload, session: Session) -> Breakdown:
    """The breakdown with its answer. A program that is missing or fails says why."""
    request = BreakDown(entry_point(entry), workload, bare.device, str(session.data), str(session.scratch()))
    placement = Placement.of(bare.device, bare.threads, workload.precision)
    log = session.log_of(f"breakdown.{bare.file_name}")
    answer = session.ask(entry, request, placement, log)
    status, reason = answer.outcome
    passes: dict[str, tuple[float, ...]] = {}
    for one in answer.all(messages.BreakdownRound):
        for name, seconds in one.seconds.items():
            passes[name] = (*passes.get(name, ()), seconds)
    counted = answer.all(messages.BreakdownImages)
    return replace(
        bare,
        started=answer.started,
        status=status,
        reason=reason,
        versions=answer.last(messages.Versions, messages.Versions({})).versions,
        images=counted[-1].images if counted else None,
        epoch_images=counted[-1].epoch_images if counted else None,
        passes=passes,
    )
