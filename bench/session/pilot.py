"""How many blocks: for a precision, from a pilot (Stein 1945); or for a time. Fixed before the rest is measured.

The number is computed from the pilot's blocks alone, each time anew and always the same, so that a session which was
interrupted goes on to the number that was fixed, and nobody can stop when the figures please.
"""

from dataclasses import dataclass

import pandas as pd

from bench import statistics
from bench.display import naming, numbers
from bench.errors import FcnBenchError
from bench.report.pairs import controls, pairs
from bench.report.runs import runs_frame
from bench.session.session import Session
from bench.store import archive
from bench.store.records.cell import Result
from bench.store.records.machine import Size
from bench.store.records.verification import Verification

PILOT = 5
"""Blocks of a pilot for a precision: with three, Student's quantile would ask for more than twice as many in all."""
PILOT_FOR_TIME = 2
"""Blocks of a pilot that only has to tell how long a block takes."""


def log_ratios(runs: pd.DataFrame, pilot: int) -> dict[str, list[float]]:
    """The pilot's logarithms of ratios, of every pair of every group and of every control with itself, by name."""
    early = runs[runs["block"] <= pilot]
    found = {
        f"{a} and {b}, {naming.title(*key)}": statistics.log_ratios(list(both["a"]), list(both["b"]))
        for key, a, b, both in pairs(early, "epoch_s")
    }
    for key, _, both in controls(early, "epoch_s"):
        name = f"the control and itself, {naming.title(*key)}"
        found[name] = statistics.log_ratios(list(both["a"]), list(both["b"]))
    return found


def for_precision(runs: pd.DataFrame, pilot: int, half_width: float) -> Size:
    """The blocks that every pair needs for an interval within ``half_width`` (0.02 is 2 %) of its ratio.

    Stein's first stage (1945, Annals of Mathematical Statistics 16, 243-258): with the pilot's standard deviation s of
    n0 blocks and Student's quantile t for n0 - 1 degrees of freedom, the least n with t * s / sqrt(n) <= ln(1 +
    half_width). Raises FcnBenchError where no pair has two blocks.
    """
    found = {name: d for name, d in log_ratios(runs, pilot).items() if len(d) > 1}
    if not found:
        raise FcnBenchError("--precision: the pilot has no pair with two blocks; see what failed above")
    name, worst = max(found.items(), key=lambda item: statistics.blocks_needed(item[1], half_width))
    blocks = max(pilot, statistics.blocks_needed(worst, half_width))
    expected, asked = (
        statistics.expected_half_width(worst, blocks),
        f"a precision of {numbers.share(half_width)} asks for",
    )
    return Size(pilot, blocks, expected, name, block_s(runs, pilot), asked)


def for_time(runs: pd.DataFrame, pilot: int, budget_s: float, spent_s: float) -> Size:
    """The blocks for which the time is enough, at least the pilot's; ``spent_s`` went before the first block."""
    each = block_s(runs, pilot)
    blocks = max(pilot, int((budget_s - spent_s) / each)) if each else pilot
    found = {name: d for name, d in log_ratios(runs, pilot).items() if len(d) > 1}
    name = max(found, key=lambda name: statistics.expected_half_width(found[name], blocks), default="")
    width = statistics.expected_half_width(found[name], blocks) if found else None
    return Size(pilot, blocks, width, name, each, f"{numbers.duration(budget_s)} leave time for")


def block_s(runs: pd.DataFrame, pilot: int) -> float:
    """Seconds that a block of the pilot took, all groups together: the mean."""
    early = runs[runs["block"] <= pilot]
    return float(early["process_s"].sum() / max(1, early["block"].nunique()))


@dataclass(frozen=True)
class Target:
    """What decides on the number of blocks after a pilot: a precision (0.02 is 2 %), a time in seconds, or both."""

    half_width: float | None = None
    budget_s: float | None = None

    @property
    def pilot(self) -> int:
        """Blocks of its pilot; 0 where nothing is to be decided."""
        if self.half_width is not None:
            return PILOT
        return PILOT_FOR_TIME if self.budget_s is not None else 0


def decided(session: Session, done: dict[str, Result], target: Target, pilot: int, before_s: float) -> Size:
    """How many blocks the pilot asks for; of a precision and a time, whichever is reached first."""
    runs = runs_frame(archive.trained(done.values()), archive.records(session.directory, Verification))
    sizes = []
    if target.half_width is not None:
        sizes.append(for_precision(runs, pilot, target.half_width))
    if target.budget_s is not None:
        sizes.append(for_time(runs, pilot, target.budget_s, before_s))
    return min(sizes, key=lambda size: size.blocks)
