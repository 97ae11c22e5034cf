"""How restless a machine is: how far the epochs of one process differ, although all of them do the same work."""

import math
from collections.abc import Iterable, Sequence

RESTLESS = 0.09
"""Standard deviation of the logarithms of a process's epochs, from which on four blocks of four rounds leave a ratio
with an interval of 10 % and more to both sides: 3.18 (Student, 3 degrees) * 0.09 * sqrt(2 / 4) / sqrt(4)."""


def spread(processes: Iterable[Sequence[float]]) -> float:
    """The standard deviation of the logarithms of seconds within processes, pooled; 0 where none has two epochs."""
    squares, freedom = 0.0, 0
    for epochs_s in processes:
        logs = [math.log(seconds) for seconds in epochs_s]
        mean = math.fsum(logs) / max(1, len(logs))
        squares += math.fsum((log - mean) ** 2 for log in logs)
        freedom += max(0, len(logs) - 1)
    return math.sqrt(squares / freedom) if freedom else 0.0
