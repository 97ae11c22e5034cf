"""What a program costs, and how many epochs of each make what a block says sharpest for its time."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MOST_EPOCHS = 40
"""More than these in one process make a block's value no sharper than what differs between processes."""
WITHIN_OVER_BETWEEN = 9.0
"""The variance of an epoch's time within a process over that of processes' values: about what results/noise has, where
logarithms of neighbouring epochs differ by three times as much as those of processes. It need not be exact: half or
twice as much costs a few per cent of precision."""


@dataclass(frozen=True)
class Cost:
    """Seconds that a process of a program takes before its first epoch, and for each epoch with its prediction."""

    start_s: float
    epoch_s: float


Costs = Mapping[str, Cost]
"""By the implementation's name."""
Repeated = Callable[[Costs], Mapping[str, int]]
"""How many epochs of each implementation are timed when its network is trained, given what each costs."""


def repetitions(costs: Costs, processes: Mapping[str, int], seconds: float) -> dict[str, int]:
    """Epochs of each program that a block should time, at least one, for which ``seconds`` are enough.

    With ``processes`` of each in the block. The number is the one for which a given time tells most, the root of start
    over epoch times variance within over between (Kalibera and Jones 2013, "Rigorous benchmarking in reasonable time",
    ISMM, section 9); where that takes longer than ``seconds``, all numbers shrink alike.
    """
    best = {name: math.sqrt(cost.start_s / cost.epoch_s * WITHIN_OVER_BETWEEN) for name, cost in costs.items()}
    needed_s = sum(processes[name] * best[name] * cost.epoch_s for name, cost in costs.items())
    scale = min(1.0, seconds / needed_s) if needed_s else 1.0
    return {name: max(1, min(MOST_EPOCHS, round(number * scale))) for name, number in best.items()}


def takes_part(turn: int, epochs: int, turns: int) -> bool:
    """Whether a program that trains so many epochs in so many rounds does so in this one, counted from 0.

    Spread evenly, so that all programs see the same machine.
    """
    return (turn + 1) * epochs // turns > turn * epochs // turns
