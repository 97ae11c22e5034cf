"""A run from beginning to end. Each of its stages goes on where an earlier run of the same directory ended."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.session import extras, pilot, progress
from bench.session.choice import Options
from bench.session.plan import Plan
from bench.session.session import Say, Session
from bench.session.verification import verifications, verify
from bench.store import archive, predictions, sources

if TYPE_CHECKING:
    from bench.store.records.cell import Result

REPEATED = 5
"""One block in so many may be measured again where something disturbed it, unless another number is given."""


def run(plan: Plan, session: Session, options: Options, say: Say) -> bool:
    """Verify, measure, probe, export: whatever of the plan is not stored yet.

    The directory must be open. Returns whether all cells of the plan are without failure, and all implementations do
    the same work. Raises FcnBenchError where the directory holds what cannot be compared with the plan.
    """
    out, cells = session.directory, plan.cells()
    done = [] if options.fresh or not archive.has_results(out) else archive.everything(out)
    archive.check_same_terms(cells, done, session.machine.machine, out)
    archive.save_record(out, session.machine)
    kept = archive.finished(done, options.fresh)
    left = sum(cell.key not in kept for cell in cells)
    say(progress.introduction(plan, session.machine.cpu, len(cells), left, out))

    plan = measure(plan, session, kept, options, say)
    results = archive.everything(out)
    trained = archive.trained(results)
    extras.ask(plan, session, trained, options.fresh, say)

    predictions.keep(out, session.data, trained, plan.data)
    sources.keep(out, plan.entries)
    planned = {cell.key for cell in plan.cells()}
    failed = any(result.status == "failed" for result in results if result.cell.key in planned)
    return not failed and not any(answer.status == "failed" for answer in verifications(out))


def measure(plan: Plan, session: Session, kept: "Mapping[str, Result]", options: Options, say: Say) -> Plan:
    """Verify, then measure what is not ``kept``; the plan that was carried out in the end.

    Where a precision or a time decides on the number of blocks, ``plan.blocks`` are the pilot, and no figure that is
    measured after it has a say in that number.
    """
    out, started = session.directory, time.monotonic()
    verify(session, plan, lambda answer, old: say(progress.answered(answer, old)))
    before_s = time.monotonic() - started
    kept = session.run(plan.cells(), kept, say, repeats(plan, options))
    if pilot.needed(options):
        trained = archive.trained(kept.values())
        size = pilot.decided(trained, verifications(out), options, plan.blocks, before_s)
        say(progress.sized(size))
        archive.save_size(out, size)
        plan = replace(plan, blocks=size.blocks)
        session.run(plan.cells(), kept, say, repeats(plan, options))  # what failed in the pilot is not tried twice
    return plan


def repeats(plan: Plan, options: Options) -> int:
    """How many blocks of a configuration may be measured again."""
    return plan.blocks // REPEATED if options.repeats is None else options.repeats
