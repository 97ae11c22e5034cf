"""What a program costs, and how many epochs of each make what a block says sharpest for its time."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.machine.restlessness import RESTLESS

MOST_EPOCHS = 40
"""More than these in one process make a block's value no sharper than what differs between processes."""
BETWEEN, USUAL = 0.04, 0.12
"""Standard deviations of the logarithms of processes' values and of the epochs within one: about what results/noise
has. They need not be exact: half or twice as much costs a few per cent of precision."""
LONGER = 3.0
"""How many times as long programs are timed on a restless machine: fewer epochs would say too little there."""


@dataclass(frozen=True)
class Cost:
    """Seconds that a process of a program takes before its first epoch, and for each epoch with its prediction."""

    start_s: float
    epoch_s: float


Costs = Mapping[str, Cost]
"""By the implementation's name."""
Repeated = Callable[[Costs, float], Mapping[str, int]]
"""How many epochs of each implementation are timed when its network is trained, given what each costs and the standard
deviation of the logarithms of a process's epochs; 0 where that is not known yet."""


def repetitions(costs: Costs, processes: Mapping[str, int], seconds: float, spread: float = 0.0) -> dict[str, int]:
    """Epochs of each program that a block should time, at least one, for which ``seconds`` are enough.

    With ``processes`` of each in the block. The number is the one for which a given time tells most, the root of start
    over epoch times variance within over between (Kalibera and Jones 2013, "Rigorous benchmarking in reasonable time",
    ISMM, section 9); where that takes longer than ``seconds``, all numbers shrink alike. Where the ``spread`` within
    processes shows that the machine is restless, they have three times as long.
    """
    within = max(USUAL, spread)
    best = {name: math.sqrt(cost.start_s / cost.epoch_s) * within / BETWEEN for name, cost in costs.items()}
    seconds *= LONGER if spread > RESTLESS else 1.0
    needed_s = sum(processes[name] * best[name] * cost.epoch_s for name, cost in costs.items())
    scale = min(1.0, seconds / needed_s) if needed_s else 1.0
    return {name: max(1, min(MOST_EPOCHS, round(number * scale))) for name, number in best.items()}


def takes_part(turn: int, epochs: int, turns: int) -> bool:
    """Whether a program that trains so many epochs in so many rounds does so in this one, counted from 0.

    Spread evenly, so that all programs see the same machine.
    """
    return (turn + 1) * epochs // turns > turn * epochs // turns
