"""How the figures were measured, in words."""

from collections.abc import Iterator

import pandas as pd

from bench.display import naming, numbers
from bench.display.section import Marked
from bench.report.results import Results

PROCESS = (
    "A cell is one implementation, one network, one device, one process. A block has a process of every implementation "
    "of a tier, and of one of them a second one as control. They train in turns, an epoch at a time and in random "
    "order; those that wait are stopped. Blocks are the sample; epochs of one process are not independent and are not "
    "counted as if they were."
)
STEADY = (
    "Import, build, loading and the first epoch, which includes tracing and compiling, are reported apart. A process’s "
    "figure is the geometric mean of its remaining epochs. Nothing is dropped; every raw value is in the CSVs."
)
CLOCK = (
    "The device is synchronised before the clock starts and before it stops, once per epoch. The harness sleeps "
    "meanwhile. Threads are limited by CPU affinity, and every framework is told the same number."
)
COMPARISON = (
    "In each block the logarithm of the ratio of two times is taken. The estimate is the exponential of their mean, "
    "with Student’s 95 % interval over blocks. Which pairs are questions was fixed before anything was measured, and "
    "they alone get a verdict. Where several are asked some intervals miss 1 by chance: a difference must also stand "
    "after Holm’s correction over all questions of the page. Differences below 2 %, or below what the control shows, "
    "are not called differences. If the control’s own interval excludes 1, the session is "
    "unfit and has no verdicts."
)
DISTURBANCES = (
    "While a cell runs the system counts what others took: other programs, the host of a virtual machine, a "
    "container’s quota, heat, swap. A block in which a count exceeds a limit that was fixed beforehand may be measured "
    "again, all of it. Its times have no say in that, and the first attempt is kept."
)
HELD_OUT = (
    "Where a network holds training images out, they are drawn by the seed, never trained on, and predicted between "
    "two stretches of training while the clock stands still."
)
MEMORY = (
    "The system’s own high-water mark of the process, reset between phases where the system allows it. 1 MB is "
    "1,000,000 bytes. A part of it are pages of files, libraries above all{} (`process_file_bytes`): the system shares "
    "them between processes and takes them back when memory is short, and how many of them are resident depends on how "
    "the files came into its page cache, after an installation or after a restart."
)


def explained(results: Results) -> Iterator[tuple[str, str]]:
    """What a reader must know, by heading; the tiers that were measured come last."""
    yield "A fresh process for every figure", PROCESS
    yield "Steady epochs only", STEADY
    yield "The clock", CLOCK
    yield "The comparison", COMPARISON
    if number := sized(results):
        yield "How many blocks", Marked(number)
    yield "Disturbances", DISTURBANCES
    yield "Accuracy", "Computed by the harness from the logits, on the same test images for all."
    yield "Images held out", HELD_OUT
    yield "Memory", Marked(MEMORY.format(file_pages(results.runs)))
    seen = set(results.runs["tier"])
    yield from ((f"Tier: {tier}", f"{naming.TIERS[tier].capitalize()}.") for tier in naming.TIERS if tier in seen)


def file_pages(runs: pd.DataFrame) -> str:
    """How much of the processes' memory was pages of files, from the least to the most; empty where that is unknown."""
    known = runs["process_file_bytes"].dropna().astype(float)
    ends = [numbers.figure("_bytes", known.min()), numbers.figure("_bytes", known.max())] if len(known) else []
    return f", {' to '.join(dict.fromkeys(ends))} here" if ends else ""


def sized(results: Results) -> str:
    """How the number of blocks came about, where it was not given."""
    size, blocks = results.size, int(results.runs["block"].max())
    if size is None or size.blocks != blocks:
        return ""
    return (
        f"A pilot of {numbers.count(size.pilot, 'block')} decided that {size.asked} "
        f"{numbers.count(blocks, 'block')}; the number was fixed before the rest was measured."
    )
