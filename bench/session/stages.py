"""The stages of a run: the gate; a pilot, if it is to say how many blocks; the blocks. Each resumes where it ended."""

import time
from collections.abc import Callable
from dataclasses import replace

from bench.session import pilot, progress
from bench.session.pilot import Target
from bench.session.plan import Plan
from bench.session.session import Session
from bench.session.verification import verify
from bench.store import archive
from bench.store.records.cell import Result

REPEATED = 5
"""One block in so many may be measured again where something disturbed it, unless another number is asked for."""


def measure(
    plan: Plan, session: Session, kept: dict[str, Result], target: Target, repeats: int | None, say: Callable[..., None]
) -> Plan:
    """Ask the gate, then measure what is not ``kept``; the plan that was carried out in the end.

    ``say`` prints as ``print`` does. With a target, ``plan.blocks`` are the pilot, and no figure that is measured after
    it has a say in how many blocks there are.
    """
    started = time.monotonic()
    verify(session, plan, lambda answer, old: say(progress.answered(answer, old)))
    before_s = time.monotonic() - started
    kept = blocks(plan, session, kept, repeats, say)
    if target.pilot:
        size = pilot.decided(session, kept, target, plan.blocks, before_s)
        say(progress.sized(size))
        archive.save_size(session.directory, size)
        plan = replace(plan, blocks=size.blocks)
        blocks(plan, session, kept, repeats, say)  # what failed in the pilot has failed, and is not tried twice
    return plan


def blocks(
    plan: Plan, session: Session, kept: dict[str, Result], repeats: int | None, say: Callable[..., None]
) -> dict[str, Result]:
    """Measure the plan's blocks, except what is kept."""
    return session.run(
        plan.cells(),
        kept,
        lambda at: say(progress.started(at), end=""),
        lambda result: say(progress.ended(result)),
        lambda why: say(progress.repeated(why)),
        plan.blocks // REPEATED if repeats is None else repeats,
    )
