"""How many blocks: for a precision, from a pilot (Stein 1945); or for a time. Fixed before the rest is measured.

The number is computed from the pilot's blocks alone, each time anew and always the same, so that a session which was
interrupted goes on to the number that was fixed, and nobody can stop when the figures please.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import fsum

from bench import statistics
from bench.data.questions import Contender, primary
from bench.display import naming, numbers
from bench.errors import FcnBenchError
from bench.session.choice import Options
from bench.store.records.cell import Place, Role
from bench.store.records.machine import Size
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification

PILOT = 5
"""Blocks of a pilot for a precision: with three, Student's quantile would ask for more than twice as many in all."""
PILOT_FOR_TIME = 2
"""Blocks of a pilot that only has to tell how long a block takes."""
BLOCKS = 4
"""Blocks where nothing is to be decided."""
Values = Mapping[int, float]
"""Seconds of a steady epoch by block."""


def needed(options: Options) -> bool:
    """Whether a pilot decides on the number of blocks."""
    return options.precision is not None or options.budget_s is not None


def first_blocks(options: Options) -> int:
    """The blocks to begin with: as many as were given, else a pilot's, or four where nothing is to be decided.

    Raises FcnBenchError for a number of blocks or epochs from which no precision can be read.
    """
    if options.precision is None:
        return options.blocks or (BLOCKS if options.budget_s is None else PILOT_FOR_TIME)
    if options.blocks == 1:
        raise FcnBenchError("--blocks 1 with --precision: a pilot needs at least 2 blocks; leave --blocks out")
    if options.epochs == 1:
        raise FcnBenchError("--epochs 1 with --precision: there are no steady epochs; take 2 or more")
    return options.blocks or PILOT


def decided(
    results: Iterable[TrainingResult], gates: Iterable[Verification], options: Options, blocks: int, before_s: float
) -> Size:
    """How many blocks a pilot of ``blocks`` asks for; of a precision and a time, whichever is reached first.

    ``results`` are of networks that were trained; ``before_s`` seconds went before the first block.
    """
    early = [result for result in results if result.cell.block <= blocks]
    ratios, each_s = log_ratios(early, gates), block_s(early)
    sizes = []
    if options.precision is not None:
        sizes.append(for_precision(ratios, blocks, each_s, options.precision))
    if options.budget_s is not None:
        sizes.append(for_time(ratios, blocks, each_s, options.budget_s, before_s))
    return min(sizes, key=lambda size: size.blocks)


def for_precision(ratios: Mapping[str, Sequence[float]], pilot: int, block_s: float, half_width: float) -> Size:
    """The blocks that every pair needs for an interval within ``half_width`` (0.02 is 2 %) of its ratio.

    ``ratios`` are those of :func:`log_ratios`. Raises FcnBenchError where no pair has two blocks.
    """
    if not ratios:
        raise FcnBenchError("--precision: the pilot has no pair with two blocks; see what failed above")
    name, worst = max(ratios.items(), key=lambda item: statistics.blocks_needed(item[1], half_width))
    blocks = max(pilot, statistics.blocks_needed(worst, half_width))
    reason = f"a precision of {numbers.share(half_width)} asks for"
    return Size(pilot, blocks, statistics.expected_half_width(worst, blocks), name, block_s, reason)


def for_time(
    ratios: Mapping[str, Sequence[float]], pilot: int, block_s: float, budget_s: float, spent_s: float
) -> Size:
    """The blocks for which the time is enough, at least the pilot's; ``spent_s`` went before the first block."""
    blocks = max(pilot, int((budget_s - spent_s) / block_s)) if block_s else pilot
    widths = {name: statistics.expected_half_width(differences, blocks) for name, differences in ratios.items()}
    name = max(widths, key=widths.__getitem__, default="")
    return Size(pilot, blocks, widths.get(name), name, block_s, f"{numbers.duration(budget_s)} leave time for")


def block_s(results: Sequence[TrainingResult]) -> float:
    """Seconds that a block took, all places together: the mean."""
    blocks = {result.cell.block for result in results}
    return fsum(result.phases.process_s or 0.0 for result in results) / max(1, len(blocks))


def log_ratios(results: Iterable[TrainingResult], gates: Iterable[Verification]) -> dict[str, list[float]]:
    """The logarithms of ratios by block, of every pair that is asked about and of every control with itself, by name.

    Those with fewer than two blocks are left out, and implementations that do not do the same work.
    """
    failed = {(gate.implementation, gate.workload, gate.device) for gate in gates if gate.status == "failed"}
    places: dict[Place, list[TrainingResult]] = {}
    for result in results:
        cell = result.cell
        proved = (cell.implementation, cell.workload.name, cell.device) not in failed
        if result.status == "ok" and proved and steady_s(result):
            places.setdefault(cell.place, []).append(result)
    ratios = {}
    for place, side_by_side in places.items():
        for name, a, b in [*pairs(side_by_side), *controls(side_by_side)]:
            both = sorted(a.keys() & b.keys())
            if len(both) > 1:
                logs = statistics.log_ratios([a[block] for block in both], [b[block] for block in both])
                ratios[f"{name}, {naming.title(*place)}"] = logs
    return ratios


def steady_s(result: TrainingResult) -> list[float]:
    """The seconds of all epochs but the first."""
    return [epoch.train_s for epoch in result.epochs if epoch.train_s is not None][1:]


def values(results: Iterable[TrainingResult], name: str, role: Role) -> Values:
    """An implementation's seconds of a steady epoch by block."""
    return {
        result.cell.block: statistics.process_value(steady_s(result))
        for result in results
        if (result.cell.implementation, result.cell.role) == (name, role)
    }


def pairs(results: Sequence[TrainingResult]) -> Iterator[tuple[str, Values, Values]]:
    """Every pair of implementations that is asked about, the one with the greater value first."""
    repeated = {result.cell.implementation for result in results if result.cell.role == "control"}
    cells = {result.cell.implementation: result.cell for result in results if result.cell.role == "measured"}
    asked = primary([Contender(name, cell.tier, cell.framework, name in repeated) for name, cell in cells.items()])
    measured = {name: values(results, name, "measured") for name in sorted(cells)}
    ranked = sorted(measured, key=lambda name: -statistics.program_value(measured[name].values()))
    for a, b in combinations(ranked, 2):
        if frozenset((a, b)) in asked:
            yield f"{a} and {b}", measured[a], measured[b]


def controls(results: Sequence[TrainingResult]) -> Iterator[tuple[str, Values, Values]]:
    """Every control, and what it repeats."""
    for name in dict.fromkeys(result.cell.implementation for result in results if result.cell.role == "control"):
        yield "the control and itself", values(results, name, "control"), values(results, name, "measured")
