"""A block in rounds: each program has a process of its own, and they train in turns, epoch by epoch.

All that wait are stopped, so that no spinning thread of theirs disturbs the one that is timed. Neighbouring epochs see
the same machine, and what drifts goes into all programs alike.
"""

import random
from collections.abc import Iterator, Mapping, Sequence

import psutil

from bench.machine import restlessness
from bench.session.blocks.costs import Cost, Repeated, takes_part
from bench.session.blocks.turns import CAN_STOP, TurnedProcess
from bench.session.session import Session
from bench.store.records.cell import Cell
from bench.store.records.training import TrainingResult

SPARE = 1.5
"""How many times the memory of the largest process so far must be free before another one is started."""


def measured(
    session: Session, cells: Sequence[Cell], draw: random.Random, repeated: Repeated
) -> Iterator[TrainingResult]:
    """The cells of a block, measured in turns; each result as soon as its process has ended.

    Import, build, load and the first epoch of each come first, while the others are not there or stopped. Then one
    epoch of each makes a round, in random order, until the networks are trained; ``repeated`` says how many epochs of
    each follow. A program that fails, dies or is late is out; the rounds go on. Where memory does not hold all programs
    at once, those that found no room follow when the others have ended.
    """
    waiting = draw.sample(cells, len(cells))
    while waiting:
        programs: list[TurnedProcess] = []
        try:
            while waiting and has_room(programs):
                programs.append(TurnedProcess(session, waiting.pop(0), programs))
                programs[-1].start()
                programs[-1].train()
            for _ in range(cells[0].epochs - 1):
                train_round(programs, draw)
            train_repeatedly(programs, draw, repeated)
            for program in programs:
                yield program.finish(len(programs) - 1)
        finally:
            for program in programs:
                program.end()


def train_round(programs: Sequence[TurnedProcess], draw: random.Random) -> None:
    """Have each program train one epoch, in random order."""
    for program in draw.sample(programs, len(programs)):
        program.train()


def train_repeatedly(programs: Sequence[TurnedProcess], draw: random.Random, repeated: Repeated) -> None:
    """Have the programs whose networks are trained go on, each for as many epochs as its implementation should.

    How far these differ may ask for more.
    """
    alive = [program for program in programs if program.alive]
    each = {program.cell.implementation: cost(program.cell.implementation, alive) for program in alive}
    numbers = repeated(each, 0.0)
    train_further(alive, draw, numbers)
    asked = repeated(each, restlessness.spread(program.epochs_s[1:] for program in alive))
    train_further(alive, draw, {name: asked[name] - number for name, number in numbers.items()})


def train_further(programs: Sequence[TurnedProcess], draw: random.Random, numbers: Mapping[str, int]) -> None:
    """Have the programs train so many epochs each, in turns that are spread evenly."""
    turns = max(numbers.values(), default=0)
    for turn in range(turns):
        train_round([one for one in programs if takes_part(turn, numbers[one.cell.implementation], turns)], draw)


def cost(implementation: str, programs: Sequence[TurnedProcess]) -> Cost:
    """What an implementation has cost so far, the mean of its processes."""
    same = [program for program in programs if program.cell.implementation == implementation]
    means = (sum(program.start_s for program in same), sum(program.epochs_s[-1] for program in same))
    return Cost(*(total / len(same) for total in means))


def has_room(programs: Sequence[TurnedProcess]) -> bool:
    """Whether one more process may be started beside those that are stopped."""
    largest = max((program.memory_bytes() for program in programs), default=0)
    return not programs or (CAN_STOP and psutil.virtual_memory().available > SPARE * largest)
