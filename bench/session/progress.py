"""What a run says while it goes on."""

from pathlib import Path
from typing import TYPE_CHECKING

from bench.display import naming, numbers
from bench.machine import disturbances
from bench.store.records.cell import Result
from bench.store.records.floor import FloorResult
from bench.store.records.machine import Size
from bench.store.records.sweep import SweepResult
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification

if TYPE_CHECKING:
    from bench.session.blocks.block import Block
    from bench.session.plan import Plan


def introduction(plan: "Plan", cpu: str, total: int, missing: int, out: Path, left_s: float) -> str:
    """What is about to happen, before the first cell."""
    kept = f", {total - missing} already measured" if missing < total else ""
    parts = [numbers.count(len(plan.entries), "implementation"), numbers.count(len(plan.workloads), "network")]
    limit = f", the machine's own limit by {len(plan.floors)} libraries" if plan.floors else ""
    swept = ", sweeps" if plan.sweep else ""
    return (
        f"{numbers.count(total, 'process', 'es')} on {cpu}{kept}: {parts[0]} and a control{limit}{swept}, {parts[1]}, "
        f"{numbers.count(plan.blocks, 'block')}; about {numbers.duration(left_s)}; results in {out}\n"
        "first, whether they do the same work; each implementation answers for all networks at once"
    )


def ended(result: Result) -> str:
    """The line of a cell that has ended."""
    name = f"    {result.cell.implementation}{naming.as_role(result.cell.role)}"
    if result.status != "ok":
        return f"{name}: {result.status}: {result.reason}"
    disturbed = "; ".join(disturbances.disturbances(result))
    return f"{name}: {told(result)}" + (f" ({disturbed})" if disturbed else "")


def told(result: Result) -> str:
    """What a cell that went well is worth a line for."""
    if isinstance(result, FloorResult):
        return "the parts of the floor"
    if isinstance(result, SweepResult):
        lost = sum(not point.seconds for point in result.points)
        return f"{numbers.count(len(result.points) - lost, 'point')}{f', {lost} could not be trained' if lost else ''}"
    assert isinstance(result, TrainingResult)
    last = result.trained
    assert last is not None
    return f"{last.train_s:.2f} s/epoch, accuracy {last.accuracy:.4f}"


def repeated(why: str) -> str:
    """That a block is measured once more, and what disturbed it."""
    return f"this block was disturbed ({why}): it is measured once more, whatever its times were"


def answered(answer: Verification, old: bool, seeds: int = 1) -> str:
    """One verification, ``old`` where it was made before; of several seeds, with its own."""
    before = " (as before)" if old else ""
    reason = f": {answer.reason}" if answer.reason else ""
    seed = f", seed {answer.seed}" if seeds > 1 else ""
    what = f"{answer.implementation}: {answer.workload}, {answer.device}{seed}"
    return f"same work? {what}: {answer.status}{before}{reason}"


def checks(answer: Verification) -> str:
    """The checks of a verification, a line each: the deviation from the oracle and what rounding explains."""
    return "\n".join(
        f"    {'ok  ' if check.passed else 'FAIL'} {check.name:25} "
        + (check.note or ("bit-equal" if check.figure is None else f"{check.figure:.1e}, limit {check.limit:.1e}"))
        for check in answer.checks
    )


def sized(size: Size) -> str:
    """How many blocks a pilot asks for, how long the rest takes, and what may be expected of it."""
    more = size.blocks - size.pilot
    rest = f"{numbers.count(more, 'block')} more, about {numbers.duration(more * size.block_s)}" if more else "no more"
    told = f"pilot of {numbers.count(size.pilot, 'block')}: {size.asked} {size.blocks} in all, {rest}"
    if size.half_width is None:
        return told
    return f"{told}; the widest interval ({size.pair}) should be within {numbers.share(size.half_width)} of its ratio"


def started(block: "Block", left_s: float) -> str:
    """The line that begins a block: what is measured in it, and about how long everything takes that is missing."""
    names = [cell.implementation + naming.as_role(cell.role) for cell in block.missing]
    first = block.cells[0]
    configuration = f"{first.workload.name}, {first.device}, {numbers.count(first.threads, 'thread')}"
    return f"block {first.block}, {configuration}: {numbers.listed(names)}; about {numbers.duration(left_s)} left"
