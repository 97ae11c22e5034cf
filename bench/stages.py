"""The stages of a run: the gate; a pilot, if it is to say how many blocks; the blocks. Each resumes where it ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench import precision, progress, store, tables
from bench.plan import Plan
from bench.records import Result, Size
from bench.run import Session

REPEATED = 5
"""One block in so many may be measured again where something disturbed it, unless another number is asked for."""


@dataclass(frozen=True)
class Target:
    """What decides on the number of blocks after a pilot: a precision (0.02 is 2 %), a time in seconds, or both."""

    half_width: float | None = None
    budget_s: float | None = None

    @property
    def pilot(self) -> int:
        """Blocks of its pilot; 0 where nothing is to be decided."""
        if self.half_width is not None:
            return precision.PILOT
        return precision.PILOT_FOR_TIME if self.budget_s is not None else 0


def measure(
    plan: Plan, session: Session, kept: dict[str, Result], target: Target, repeats: int | None, say: Callable[..., None]
) -> Plan:
    """Ask the gate, then measure what is not ``kept``; the plan that was carried out in the end.

    ``say`` prints as ``print`` does. With a target, ``plan.blocks`` are the pilot, and no figure that is measured after
    it has a say in how many blocks there are.
    """
    started = time.monotonic()
    session.verify(plan, lambda gate, old: say(progress.answered(gate, old)))
    before_s = time.monotonic() - started
    kept = blocks(plan, session, kept, repeats, say)
    if target.pilot:
        size = decided(session, kept, target, plan.blocks, before_s)
        say(progress.sized(size))
        store.save_size(session.directory, size)
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


def decided(session: Session, done: dict[str, Result], target: Target, pilot: int, before_s: float) -> Size:
    """How many blocks the pilot asks for; of a precision and a time, whichever is reached first."""
    runs = tables.runs(store.trained(done.values()), store.gates(session.directory))
    sizes = []
    if target.half_width is not None:
        sizes.append(precision.for_precision(runs, pilot, target.half_width))
    if target.budget_s is not None:
        sizes.append(precision.for_time(runs, pilot, target.budget_s, before_s))
    return min(sizes, key=lambda size: size.blocks)
