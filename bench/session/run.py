"""A run from beginning to end. Each of its stages goes on where an earlier run of the same directory ended."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from bench.session import extras, pilot, progress
from bench.session.choice import HEADLINE, Options
from bench.session.plan import Plan
from bench.session.session import Session
from bench.session.verification import verify
from bench.store import archive, predictions, sources
from bench.store.records.cell import Result
from bench.store.records.verification import Verification

REPEATED = 5
"""One block in so many may be measured again where something disturbed it, unless another number is given."""


Say = Callable[..., None]
"""Shows a line, as ``print`` does; one with ``end=""`` is not complete yet."""


def run(plan: Plan, session: Session, options: Options, say: Say) -> bool:
    """Verify, measure, probe, export: whatever of the plan is not stored yet.

    The directory must be open. Returns whether all cells of the plan are without failure, and all implementations do
    the same work. Raises FcnBenchError where the directory holds what cannot be compared with the plan.
    """
    out, cells, fresh = session.directory, plan.cells(), options.fresh
    done = archive.everything(out) if archive.has_results(out) else []
    archive.check_same_terms(cells, [] if fresh else done, session.machine.machine, out)
    kept = archive.finished(done, fresh)
    archive.save_record(out, session.machine)
    left = sum(cell.key not in kept for cell in cells)
    say(progress.introduction(plan, session.machine.cpu, len(cells), left, out))

    plan = measure(plan, session, kept, options, say)
    extras.ask_probes(plan, session, HEADLINE, fresh, say)
    extras.ask_breakdowns(plan, session, HEADLINE, fresh, say)
    everything = archive.everything(out)
    trained = archive.trained(everything)
    extras.ask_exports(trained, session, HEADLINE, fresh, say)

    predictions.keep(out, session.data, trained, plan.data)
    sources.keep(out, plan.entries)
    planned = {cell.key for cell in plan.cells()}
    failed = any(result.status == "failed" for result in everything if result.cell.key in planned)
    return not failed and not any(answer.status == "failed" for answer in archive.records(out, Verification))


def measure(plan: Plan, session: Session, kept: Mapping[str, Result], options: Options, say: Say) -> Plan:
    """Verify, then measure what is not ``kept``; the plan that was carried out in the end.

    Where a precision or a time decides on the number of blocks, ``plan.blocks`` are the pilot, and no figure that is
    measured after it has a say in that number.
    """
    started = time.monotonic()
    verify(session, plan, lambda answer, old: say(progress.answered(answer, old)))
    before_s = time.monotonic() - started
    kept = measure_blocks(plan, session, kept, options.repeats, say)
    if pilot.needed(options):
        trained, verified = archive.trained(kept.values()), archive.records(session.directory, Verification)
        size = pilot.decided(trained, verified, options, plan.blocks, before_s)
        say(progress.sized(size))
        archive.save_size(session.directory, size)
        plan = replace(plan, blocks=size.blocks)
        measure_blocks(
            plan, session, kept, options.repeats, say
        )  # what failed in the pilot has failed, and is not tried twice
    return plan


def measure_blocks(
    plan: Plan, session: Session, kept: Mapping[str, Result], repeats: int | None, say: Say
) -> dict[str, Result]:
    """Measure the plan's blocks, except what is kept."""
    try:
        return session.run(
            plan.cells(),
            kept,
            lambda at: say(progress.started(at), end=""),
            lambda result: say(progress.ended(result)),
            lambda why: say(progress.repeated(why)),
            plan.blocks // REPEATED if repeats is None else repeats,
        )
    except Exception:
        say("")  # ends the line of the cell that was being measured
        raise
