"""One block after the other: each cell saved as soon as it is there, disturbed blocks once more."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bench.session import progress
from bench.session.blocks import costs, rounds
from bench.session.blocks.block import Block, disturbance, unfinished
from bench.session.blocks.costs import Costs, Repeated
from bench.session.blocks.forecast import Forecast
from bench.session.session import Say, Session
from bench.store import archive
from bench.store.records.cell import TRAINED, Cell, Place, Result
from bench.store.records.training import TrainingResult


def measure_blocks(
    session: Session,
    cells: Sequence[Cell],
    kept: Mapping[str, Result],
    say: Say,
    repeats: int = 0,
    seconds: float = 0.0,
    forecast: Forecast | None = None,
) -> dict[str, Result]:
    """Measure and save one block of the cells after the other, except what is ``kept``; all results by the cell's key.

    When the networks of a block are trained, its programs are timed for about as many ``seconds`` more. A cell that
    fails is saved as such, and the session goes on. Where something disturbed a block (see
    :mod:`bench.machine.disturbances`; no rule looks at an epoch's time) it is measured once more, all of it,
    so that its cells stay side by side, at most ``repeats`` blocks of each network, device and number of threads.
    """
    results, waiting = dict(kept), unfinished(cells, kept)
    forecast = forecast or Forecast(cells, kept, seconds)
    spent = Counter[Place]()
    for block in waiting:
        spent[block.place] += block.attempt - 1
    while waiting:
        block, *waiting = waiting
        if not block.missing:
            continue
        say(progress.started(block, forecast.seconds_left()))
        for result in measure_block(session, block, seconds, known_numbers(block, results)):
            archive.save(session.directory, result)
            results[result.cell.key] = result
            forecast.add(result)
            say(progress.ended(result))
        why = disturbance([results[cell.key] for cell in block.cells])
        if why and spent[block.place] < repeats:
            spent[block.place] += 1
            waiting.insert(0, block.again(why))
            forecast.again(block.cells)
            say(progress.repeated(why))
    return results


def measure_block(session: Session, block: Block, seconds: float, known: Mapping[str, int]) -> Iterator[Result]:
    """The missing cells of a block: first those that train, in turns, then each other one in its own process."""
    draw = random.Random(f"{block.cells[0].seed} {block.attempt}")
    trained = [cell for cell in block.missing if cell.role in TRAINED]
    for result in rounds.measured(session, trained, draw, repeated(trained, seconds, known)):
        yield replace(result, attempt=block.attempt, repeated=block.why)
    for cell in block.missing:
        if cell.role not in TRAINED:
            yield replace(session.measure(cell), attempt=block.attempt, repeated=block.why)


def repeated(cells: Sequence[Cell], seconds: float, known: Mapping[str, int]) -> Repeated:
    """How many epochs of each implementation follow when its network is trained.

    Those that a network needs anyway count among them. What is ``known`` was fixed by the first block.
    """
    processes = Counter(cell.implementation for cell in cells)

    def numbers(each: Costs, spread: float) -> dict[str, int]:
        wanted = costs.repetitions(each, processes, seconds, spread) if seconds else dict.fromkeys(each, 0)
        steady = cells[0].epochs - 1
        return {name: max(0, number - steady) for name, number in wanted.items()} | {
            name: number for name, number in known.items() if name in each
        }

    return numbers


def known_numbers(block: Block, results: Mapping[str, Result]) -> dict[str, int]:
    """How many epochs of each implementation followed in the block that was measured first, which alone decides."""
    numbers: dict[str, int] = {}
    for result in results.values():
        if isinstance(result, TrainingResult) and result.status == "ok" and block.is_like(result.cell):
            numbers.setdefault(result.cell.implementation, len(result.epochs) - 1 - result.cell.epochs)
    return numbers
