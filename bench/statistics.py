"""The value of a process, of a program and of a pair; intervals, Holm's correction, verdicts.

Lists of figures in, judgements out; a list may be a NumPy array or a pandas Series, too. Blocks are the sample: epochs
of one process are not independent. That Student's interval on logarithms is the one to
take, and how often these rules err, was found by simulation: docs/method.md.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from scipy.special import fdtri, stdtr, stdtrit

LEVEL = 0.05
"""How often equal things may be called different."""
CONFIDENCE = 1 - LEVEL
SMALLEST_DELTA = 0.02
"""Differences below 2 % are not called different, however sure they are: machines differ by more."""
LARGEST_DELTA = 0.10
"""Where the control is less certain than 10 %, nothing is called equivalent: the session has not shown it."""
ACCURACY_DELTA = 0.002
"""Accuracies that differ by less than 0.2 points are not called different: two networks that are right on 97.5 % of
10,000 test images, each in its own way, differ by sqrt(2 * 0.975 * 0.025 / 10,000), 0.22 points, for nothing."""


class Verdict(Enum):
    """What is shown of ``a`` beside ``b``. Each quantity has its own words for a smaller and a greater value."""

    SMALLER = "smaller"
    GREATER = "greater"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    TOO_FEW = "too few blocks"
    EXPLORATORY = "exploratory"
    """Shown with its interval; nobody asked beforehand, so it gets no verdict."""
    UNFIT = "unfit session"
    """In place of every other verdict where the control differs from itself."""

    @property
    def is_difference(self) -> bool:
        """Whether one of the two is shown to be smaller."""
        return self in (Verdict.SMALLER, Verdict.GREATER)


class ClaimVerdict(Enum):
    """What becomes of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    OTHER_HARDWARE = "other hardware"
    """A time that another machine took cannot be refuted by this one."""
    NO_VERDICT = "no verdict"
    """A matter of taste: what was counted is shown, and decides nothing."""
    NOT_TESTED = "not tested"
    WITHHELD = "withheld"
    """Measured, but of an implementation that does not do the same work."""


@dataclass(frozen=True)
class Ratio:
    """``a / b`` with its confidence interval; with fewer than two blocks the interval is from 0 to infinity."""

    estimate: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether there were blocks enough for one."""
        return self.low > 0 and not math.isinf(self.high)

    @property
    def half_width(self) -> float:
        """Half the interval's width on the log scale, as a relative difference: 0.02 is about 2 %."""
        if not self.has_interval:
            return math.inf
        return math.expm1(math.log(self.high / self.low) / 2)

    @property
    def excludes_one(self) -> bool:
        """Whether ``a`` and ``b`` differ at the interval's confidence."""
        return self.low > 1 or self.high < 1


@dataclass(frozen=True)
class Difference:
    """``a - b`` with its confidence interval; with fewer than two blocks the interval is everything."""

    estimate: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether there were blocks enough for one."""
        return not math.isinf(self.high)


def process_value(epochs: Iterable[float | None]) -> float:
    """What one process took for an epoch: the geometric mean of its steady epochs; NaN where it has none.

    The first epoch, which includes tracing and compiling, is not among them. Of what sums up a process's epochs this
    varies least on recorded noise (docs/method.md, "One estimator").
    """
    return geometric_mean(epochs)


def program_value(processes: Iterable[float | None]) -> float:
    """What a program is shown with: the geometric mean of the values of its processes; NaN where it has none.

    Where two programs have the same blocks, the ratio of their values is that of :func:`paired_ratio`.
    """
    return geometric_mean(processes)


def value_of(quantity: str, processes: Iterable[float | None]) -> float:
    """What a program is shown with: the geometric mean; the mean of an accuracy, of which differences are taken."""
    return mean(processes) if quantity.endswith("accuracy") else program_value(processes)


def geometric_mean(values: Iterable[float | None]) -> float:
    """``exp(mean ln x)`` of the values that there are; 0 where one of them is 0, NaN where there are none."""
    known = [float(value) for value in values if value is not None and not math.isnan(value)]
    if not known:
        return math.nan
    if min(known) == max(known):
        return known[0]  # to the last digit, which a logarithm and back is not
    return math.exp(math.fsum(map(math.log, known)) / len(known)) if min(known) > 0 else 0.0


def mean(values: Iterable[float | None]) -> float:
    """The arithmetic mean of the values that there are, as of accuracies; NaN where there are none."""
    known = [float(value) for value in values if value is not None and not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def log_ratios(times_a: Iterable[float], times_b: Iterable[float]) -> list[float]:
    """``ln(a / b)`` of each block. Raises ValueError for lists that do not pair up, and for times that are none."""
    a, b = list(map(float, times_a)), list(map(float, times_b))
    if len(a) != len(b) or not a:
        raise ValueError(f"{len(a)} and {len(b)} times: expected as many of each, at least one")
    if not all(0 < time < math.inf for time in (*a, *b)):
        raise ValueError("times must be positive and finite")
    return [math.log(x / y) for x, y in zip(a, b, strict=True)]


def paired_ratio(times_a: Iterable[float], times_b: Iterable[float], confidence: float = CONFIDENCE) -> Ratio:
    """The ratio of two implementations that were measured side by side in the same blocks.

    The times are lists, NumPy arrays or columns of pandas, all in one unit; those at the same position are of one
    block. With ``d = ln(a / b)`` per block the estimate is ``exp(mean d)`` and the interval Student's t on ``d``
    (Fieller's problem does not arise on logs). Raises ValueError for times that do not pair up, for none, and for
    times that are not positive.
    """
    mean, half = student(log_ratios(times_a, times_b), confidence)
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half) if mean + half < 700 else math.inf)


def paired_difference(a: Sequence[float], b: Sequence[float], confidence: float = CONFIDENCE) -> Difference:
    """The difference of two implementations over blocks, each block with a seed of its own; Student's interval.

    ``a[i]`` and ``b[i]`` are of one block, such as two accuracies (0 to 1). Raises ValueError for lists that do not
    pair up, for none, and for values that are not finite.
    """
    if len(a) != len(b) or not len(a):
        raise ValueError(f"{len(a)} and {len(b)} values: expected as many of each, at least one")
    if not all(map(math.isfinite, (*a, *b))):
        raise ValueError("values must be finite")
    mean, half = student([x - y for x, y in zip(a, b, strict=True)], confidence)
    return Difference(mean, mean - half, mean + half)


def spread_ratio(a: Sequence[float], b: Sequence[float], confidence: float = CONFIDENCE) -> Ratio | None:
    """How many times as much ``a`` varies as ``b``: the ratio of standard deviations, with Snedecor's interval (F).

    The interval takes the values for normal and the lists for independent. None where either has fewer than two values
    or does not vary at all.
    """
    if min(len(a), len(b)) < 2:
        return None
    errors = [standard_error([value - values[0] for value in values]) * math.sqrt(len(values)) for values in (a, b)]
    if not all(errors):
        return None
    ratio, (n, m), tail = errors[0] / errors[1], (len(a) - 1, len(b) - 1), (1 + confidence) / 2
    return Ratio(ratio, ratio / math.sqrt(fdtri(n, m, tail)), ratio * math.sqrt(fdtri(m, n, tail)))


def student(differences: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Mean and half the width of Student's interval, infinite for a single difference (Student 1908)."""
    mean = math.fsum(differences) / len(differences)
    if len(differences) < 2:
        return mean, math.inf
    return mean, quantile(len(differences), confidence) * standard_error(differences)


def quantile(blocks: int, confidence: float = CONFIDENCE) -> float:
    """Student's two-sided quantile for the mean of so many blocks, at least two."""
    return float(stdtrit(blocks - 1, (1 + confidence) / 2))


def standard_error(differences: Sequence[float]) -> float:
    """Of their mean: the sample's standard deviation over the root of their number, which is at least two."""
    mean = math.fsum(differences) / len(differences)
    variance = math.fsum((d - mean) ** 2 for d in differences) / (len(differences) - 1)
    return math.sqrt(variance / len(differences))


def p_value(differences: Sequence[float]) -> float:
    """How likely a mean so far from 0 is where the truth is 0: two-sided, Student's t; 1 for fewer than two."""
    if len(differences) < 2:
        return 1.0
    mean, error = math.fsum(differences) / len(differences), standard_error(differences)
    if error == 0:
        return float(mean == 0)
    return 2 * float(stdtr(len(differences) - 1, -abs(mean) / error))


def holm(p_values: Sequence[float], tests: int = 0) -> list[float]:
    """Each p value corrected for the number of tests, so that all of them together err at most as often as one.

    ``tests`` is that number where not all of them have been made yet.

    Step-down (Holm 1979, Scandinavian Journal of Statistics 6, 65-70): the i-th smallest of m is multiplied by
    ``m - i + 1``, is at least as large as those before it, and at most 1. The tests need not be independent.
    """
    corrected, worst, tests = [0.0] * len(p_values), 0.0, max(tests, len(p_values))
    for position, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        worst = max(worst, min(1.0, (tests - position) * p_values[index]))
        corrected[index] = worst
    return corrected


def delta(control: Ratio | None) -> float:
    """The difference below which two are called equivalent: 2 %, or what the machine shows between a thing and itself.

    ``control`` is the A/A ratio of the same session; None, or one without an interval, leaves 2 %.
    """
    if control is None or math.isinf(control.half_width):
        return SMALLEST_DELTA
    return max(SMALLEST_DELTA, control.half_width)


def verdict(result: Ratio | Difference, delta: float, p: float | None = None) -> Verdict:
    """What is shown of ``a`` beside ``b``.

    A difference is declared only where the interval excludes 1 (0 for a :class:`Difference`), ``p`` is below 5 %
    (corrected for all questions, see :func:`holm`; None where there is only one) and the estimate lies beyond delta;
    equivalence only where the whole interval lies within delta, and delta within 10 %.
    """
    none, least, most = (1.0, 1 / (1 + delta), 1 + delta) if isinstance(result, Ratio) else (0.0, -delta, delta)
    if not result.has_interval:
        return Verdict.TOO_FEW
    if delta <= LARGEST_DELTA and least <= result.low and result.high <= most:
        return Verdict.EQUIVALENT
    if not result.low <= none <= result.high and sure(p) and not least <= result.estimate <= most:
        return Verdict.GREATER if result.estimate > none else Verdict.SMALLER
    return Verdict.INCONCLUSIVE


def claim_verdict(result: Ratio | Difference, least: float, most: float) -> ClaimVerdict:
    """What becomes of the claim that a quantity lies from ``least`` to ``most``.

    It is confirmed where the whole interval does, and refuted where none of it does; without an interval the value
    decides.
    """
    low, high = (result.low, result.high) if result.has_interval else (result.estimate, result.estimate)
    if least <= low and high <= most:
        return ClaimVerdict.CONFIRMED
    return ClaimVerdict.REFUTED if high < least or low > most else ClaimVerdict.UNDECIDED


def sure(p: float | None) -> bool:
    """Whether a difference stands after the correction."""
    return p is None or p < LEVEL


def blocks_needed(differences: Sequence[float], half_width: float) -> int:
    """The least number of blocks whose interval is within ``half_width`` (0.02 is 2 %) of the ratio.

    Stein's first stage (1945, Annals of Mathematical Statistics 16, 243-258): with the pilot's standard deviation s of
    n0 blocks and Student's quantile t for n0 - 1 degrees of freedom, the least n with t * s / sqrt(n) <= ln(1 +
    half_width); at least n0. ``differences`` are the pilot's logarithms of ratios, at least two.
    """
    reach = quantile(len(differences)) * deviation(differences)
    return max(len(differences), math.ceil((reach / math.log1p(half_width)) ** 2))


def expected_half_width(differences: Sequence[float], blocks: int) -> float:
    """What the interval of ``blocks`` blocks, at least two, is expected to be where they scatter as the pilot's do."""
    return math.expm1(quantile(blocks) * deviation(differences) / math.sqrt(blocks))


def deviation(differences: Sequence[float]) -> float:
    """The sample's standard deviation."""
    return standard_error(differences) * math.sqrt(len(differences))
