"""What a run says while it goes on, and how long it will still take."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.display import numbers
from bench.machine import disturbances
from bench.session.plan import Plan
from bench.store.records.cell import Cell, Result
from bench.store.records.floor import FloorResult
from bench.store.records.machine import Size
from bench.store.records.sweep import SweepResult
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification
from impls.workload import Workload

Kind = tuple[str, Workload, int, str]
ROUGHLY_S = {"sweep": 40.0, "floor": 8.0}
"""Of a process that trains no epochs and has not run yet."""


def kind(cell: Cell) -> Kind:
    """Cells of one kind take about the same time: the implementation, the workload, the epochs, the role."""
    again = "measured" if cell.role == "control" else cell.role
    return cell.implementation, cell.workload, cell.epochs, again


def guess(of: Kind) -> float:
    """Roughly the seconds of a kind that has not run yet, on no machine in particular: start, arithmetic, steps."""
    _, workload, epochs, role = of
    if role in ROUGHLY_S:
        return ROUGHLY_S[role]
    return 3.0 + epochs * 60_000 * (workload.flops / 5e10 + 1e-3 / workload.batch_size)


def time_left(cells: Sequence[Cell], seconds: Mapping[Kind, Sequence[float]]) -> float | None:
    """Seconds that the cells will take: each as long as its kind has taken, or as the guess is off for the others."""
    if not seconds:
        return None
    means = {of: sum(values) / len(values) for of, values in seconds.items()}
    off = sum(mean / guess(of) for of, mean in means.items()) / len(means)
    return sum(means.get(kind(cell), off * guess(kind(cell))) for cell in cells)


def introduction(plan: Plan, cpu: str, total: int, todo: int, out: Path) -> str:
    """What is about to happen, before the first cell."""
    kept = f", {total - todo} already measured" if todo < total else ""
    parts = [numbers.count(len(plan.entries), "implementation"), numbers.count(len(plan.workloads), "network")]
    limit = f", the machine's own limit by {len(plan.floors)} libraries" if plan.floors else ""
    swept = ", sweeps" if plan.sweep else ""
    return (
        f"{numbers.count(total, 'process', 'es')} on {cpu}{kept}: {parts[0]} and a control{limit}{swept}, {parts[1]}, "
        f"{numbers.count(plan.blocks, 'block')}; results in {out}\n"
        "first, whether they do the same work; each implementation answers for all networks at once"
    )


def ended(result: Result) -> str:
    """The end of that line."""
    if result.status != "ok":
        return f"{result.status}: {result.reason}"
    disturbed = "; ".join(disturbances.disturbances(result))
    return told(result) + (f" ({disturbed})" if disturbed else "")


def told(result: Result) -> str:
    """What a cell that went well is worth a line for."""
    if isinstance(result, FloorResult):
        return "the parts of the floor"
    if isinstance(result, SweepResult):
        lost = sum(not point.seconds for point in result.points)
        return f"{numbers.count(len(result.points) - lost, 'point')}{f', {lost} could not be trained' if lost else ''}"
    assert isinstance(result, TrainingResult)
    last = result.epochs[-1]
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


def started(number: int, total: int, cell: Cell, left_s: float | None) -> str:
    """The line that begins with a cell; it is completed when the cell has ended.

    ``left_s`` is an estimate from the cells that have ended, None before there are any.
    """
    left = "" if left_s is None else f", about {numbers.duration(left_s)} left"
    name = cell.implementation + {"control": " (again, as control)", "sweep": " (sweep)"}.get(cell.role, "")
    configuration = f"{cell.workload.name}, {cell.device}, {numbers.count(cell.threads, 'thread')}, block {cell.block}"
    return f"[{number}/{total}{left}] {name}: {configuration} ... "
