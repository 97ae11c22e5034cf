"""Paired ratios, intervals and verdicts. Blocks are the sample: epochs of one process are not independent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit  # scipy.stats has it too, but takes a second to import

SMALLEST_DELTA = 0.02
"""Differences below 2 % are not called different, however sure they are: machines differ by more."""

LARGEST_DELTA = 0.10
"""Where the control is less certain than 10 %, nothing is called equivalent: the session has not shown it."""


@dataclass(frozen=True)
class Ratio:
    """``a / b`` with its confidence interval; with fewer than two blocks the interval is from 0 to infinity."""

    estimate: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the interval's width on the log scale, as a relative difference: 0.02 is about 2 %."""
        if self.low <= 0 or math.isinf(self.high):
            return math.inf
        return math.expm1(math.log(self.high / self.low) / 2)

    @property
    def excludes_one(self) -> bool:
        """Whether ``a`` and ``b`` differ at the interval's confidence."""
        return self.low > 1 or self.high < 1


def paired_ratio(times_a: Sequence[float], times_b: Sequence[float], confidence: float = 0.95) -> Ratio:
    """The ratio of two implementations that were measured side by side in the same blocks.

    ``times_a[i]`` and ``times_b[i]`` are of one block, in the same unit. With ``d = ln(a / b)`` per block the estimate
    is ``exp(mean d)`` and the interval Student's t on ``d`` (Fieller's problem does not arise on logs). Raises
    ValueError for lists that do not pair up, for none, and for times that are not positive.
    """
    if len(times_a) != len(times_b) or not times_a:
        raise ValueError(f"{len(times_a)} and {len(times_b)} times: expected as many of each, at least one")
    if not all(0 < time < math.inf for time in (*times_a, *times_b)):
        raise ValueError("times must be positive and finite")
    logs = [math.log(a / b) for a, b in zip(times_a, times_b, strict=True)]
    mean = math.fsum(logs) / len(logs)
    if len(logs) < 2:
        return Ratio(math.exp(mean), 0.0, math.inf)
    variance = math.fsum((d - mean) ** 2 for d in logs) / (len(logs) - 1)
    half = float(stdtrit(len(logs) - 1, (1 + confidence) / 2)) * math.sqrt(variance / len(logs))
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half) if mean + half < 700 else math.inf)


def delta(control: Ratio | None) -> float:
    """The difference below which two are called equivalent: 2 %, or what the machine shows between a thing and itself.

    ``control`` is the A/A ratio of the same session; None, or one without an interval, leaves 2 %.
    """
    if control is None or math.isinf(control.half_width):
        return SMALLEST_DELTA
    return max(SMALLEST_DELTA, control.half_width)


def verdict(ratio: Ratio, delta: float) -> str:
    """What a ratio of times says of ``a``: ``faster``, ``slower``, ``equivalent within ...`` or ``inconclusive``.

    A difference is declared only where the interval excludes 1 and the estimate lies beyond delta; equivalence only
    where the whole interval lies within delta, and delta within 10 %.
    """
    least, most = 1 / (1 + delta), 1 + delta
    if delta <= LARGEST_DELTA and least <= ratio.low and ratio.high <= most:
        return f"equivalent within {delta:.1%}"
    if ratio.excludes_one and not least <= ratio.estimate <= most:
        return "faster" if ratio.estimate < 1 else "slower"
    return "inconclusive"
