"""What a session says while it runs. It speaks between cells only: nothing wakes up while one is timed."""

from pathlib import Path

from bench import noise, words
from bench.plan import Plan
from bench.records import Gate, Result, Size
from bench.run import Progress


def introduction(plan: Plan, cpu: str, total: int, todo: int, out: Path) -> str:
    """What is about to happen, before the first cell."""
    kept = f", {total - todo} already measured" if todo < total else ""
    parts = [words.count(len(plan.entries), "implementation"), words.count(len(plan.workloads), "network")]
    limit = f", the machine's own limit by {len(plan.floors)} libraries" if plan.floors else ""
    swept = ", sweeps" if plan.sweep else ""
    return (
        f"{words.count(total, 'process', 'es')} on {cpu}{kept}: {parts[0]} and a control{limit}{swept}, {parts[1]}, "
        f"{words.count(plan.blocks, 'block')}; results in {out}\n"
        "first, whether they do the same work; each implementation answers for all networks at once"
    )


def started(progress: Progress) -> str:
    """The line that begins with a cell; it is completed when the cell has ended."""
    cell = progress.cell
    left = "" if progress.left_s is None else f", about {words.duration(progress.left_s)} left"
    name = cell.implementation + {"control": " (again, as control)", "sweep": " (sweep)"}.get(cell.role, "")
    place = f"{cell.workload.name}, {cell.device}, {words.count(cell.threads, 'thread')}, block {cell.block}"
    return f"[{progress.number}/{progress.total}{left}] {name}: {place} ... "


def ended(result: Result) -> str:
    """The end of that line."""
    if result.status != "ok":
        return f"{result.status}: {result.reason}"
    disturbed = "; ".join(noise.disturbances(result))
    return told(result) + (f" ({disturbed})" if disturbed else "")


def told(result: Result) -> str:
    """What a cell that went well is worth a line for."""
    if result.parts:
        return "the parts of the floor"
    if result.cell.role == "sweep":
        lost = sum(not point.seconds for point in result.sweep)
        return f"{words.count(len(result.sweep) - lost, 'point')}{f', {lost} could not be trained' if lost else ''}"
    last = result.epochs[-1]
    return f"{last.train_s:.2f} s/epoch, accuracy {last.accuracy:.4f}"


def repeated(why: str) -> str:
    """That a block is measured once more, and what disturbed it."""
    return f"this block was disturbed ({why}): it is measured once more, whatever its times were"


def answered(gate: Gate, old: bool, seeds: int = 1) -> str:
    """One answer of the equivalence gate, ``old`` where it was given before; of several seeds, with its own."""
    before = " (as before)" if old else ""
    reason = f": {gate.reason}" if gate.reason else ""
    seed = f", seed {gate.seed}" if seeds > 1 else ""
    return f"same work? {gate.implementation}: {gate.workload}, {gate.device}{seed}: {gate.status}{before}{reason}"


def rungs(gate: Gate) -> str:
    """The gate's rungs, a line each: the deviation from the oracle and what rounding explains."""
    return "\n".join(
        f"    {'ok  ' if rung.passed else 'FAIL'} {rung.name:25} "
        + (rung.note or ("bit-equal" if rung.figure is None else f"{rung.figure:.1e}, limit {rung.limit:.1e}"))
        for rung in gate.rungs
    )


def sized(size: Size) -> str:
    """How many blocks a pilot asks for, how long the rest takes, and what may be expected of it."""
    more = size.blocks - size.pilot
    rest = f"{words.count(more, 'block')} more, about {words.duration(more * size.block_s)}" if more else "no more"
    told = f"pilot of {words.count(size.pilot, 'block')}: {size.asked} {size.blocks} in all, {rest}"
    if size.half_width is None:
        return told
    return f"{told}; the widest interval ({size.pair}) should be within {words.share(size.half_width)} of its ratio"
