"""A run from beginning to end. Each of its stages goes on where an earlier run of the same directory ended."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bench.session import extras, pilot, progress, rounds
from bench.session.choice import Options
from bench.session.plan import Block, Plan, disturbance, unfinished
from bench.session.progress import Pace
from bench.session.rounds import MoreRounds
from bench.session.session import Say, Session
from bench.session.verification import verifications, verify
from bench.store import archive, predictions, sources
from bench.store.records.cell import TRAINED, Cell, Place, Result
from bench.store.records.training import TrainingResult

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


def measure(plan: Plan, session: Session, kept: Mapping[str, Result], options: Options, say: Say) -> Plan:
    """Verify, then measure what is not ``kept``; the plan that was carried out in the end.

    Where a precision or a time decides on the number of blocks, ``plan.blocks`` are the pilot, and no figure that is
    measured after it has a say in that number.
    """
    out, started = session.directory, time.monotonic()
    verify(session, plan, lambda answer, old: say(progress.answered(answer, old)))
    before_s = time.monotonic() - started
    kept = measure_blocks(session, plan.cells(), kept, say, repeats(plan, options), plan.more_rounds)
    if pilot.needed(options):
        trained = archive.trained(kept.values())
        size = pilot.decided(trained, verifications(out), options, plan.blocks, before_s)
        say(progress.sized(size))
        archive.save_size(out, size)
        plan = replace(plan, blocks=size.blocks)
        # what failed in the pilot is not tried twice
        measure_blocks(session, plan.cells(), kept, say, repeats(plan, options), plan.more_rounds)
    return plan


def repeats(plan: Plan, options: Options) -> int:
    """How many blocks of a configuration may be measured again."""
    return plan.blocks // REPEATED if options.repeats is None else options.repeats


def measure_blocks(
    session: Session,
    cells: Sequence[Cell],
    kept: Mapping[str, Result],
    say: Say,
    repeats: int = 0,
    more_rounds: MoreRounds = lambda seconds: 0,
) -> dict[str, Result]:
    """Measure and save one block of the cells after the other, except what is ``kept``; all results by the cell's key.

    ``more_rounds`` says how many rounds follow when the networks of a block are trained, given the seconds of a round.

    A cell that fails is saved as such, and the session goes on. Where something disturbed a block (see
    :mod:`bench.machine.disturbances`; no rule looks at an epoch's time) it is measured once more, all of it,
    so that its cells stay side by side, at most ``repeats`` blocks of each network, device and number of threads.
    """
    results, waiting, pace = dict(kept), unfinished(cells, kept), Pace()
    spent = Counter[Place]()
    for block in waiting:
        spent[block.place] += block.attempt - 1
    while waiting:
        block, *waiting = waiting
        if not block.missing:
            continue
        say(progress.started(block, pace.time_left([cell for later in (block, *waiting) for cell in later.missing])))
        for result in measure_block(session, block, as_before(block, results) or more_rounds):
            archive.save(session.directory, result)
            results[result.cell.key] = result
            pace.add(result)
            say(progress.ended(result))
        why = disturbance([results[cell.key] for cell in block.cells])
        if why and spent[block.place] < repeats:
            spent[block.place] += 1
            waiting.insert(0, block.again(why))
            say(progress.repeated(why))
    return results


def measure_block(session: Session, block: Block, more_rounds: MoreRounds) -> Iterator[Result]:
    """The missing cells of a block: first those that train, in turns, then each other one in its own process."""
    draw = random.Random(f"{block.cells[0].seed} {block.attempt}")
    trained = [cell for cell in block.missing if cell.role in TRAINED]
    for result in rounds.measured(session, trained, draw, more_rounds):
        yield replace(result, attempt=block.attempt, repeated=block.why)
    for cell in block.missing:
        if cell.role not in TRAINED:
            yield replace(session.measure(cell), attempt=block.attempt, repeated=block.why)


def as_before(block: Block, results: Mapping[str, Result]) -> MoreRounds | None:
    """As many rounds as in the block that was measured first, which alone decides; None where there is none yet."""
    for result in results.values():
        if isinstance(result, TrainingResult) and result.status == "ok" and block.is_like(result.cell):
            number = len(result.epochs) - 1 - result.cell.epochs
            return lambda seconds: number
    return None
