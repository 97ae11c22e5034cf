"""A session: every cell of a plan in a process of its own, saved as soon as it has ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import environment, launch, store
from bench.errors import FcnBenchError
from bench.records import Cell, Epoch, Memory, Noise, Phases, Result
from impls import registry
from impls.registry import Entry


@dataclass(frozen=True)
class Progress:
    """How far a session is. ``left_s`` is an estimate from the cells that have ended, None before there are any."""

    number: int
    total: int
    cell: Cell
    left_s: float | None


@dataclass(frozen=True)
class Session:
    """Where and how the cells of one plan are measured."""

    directory: Path
    entries: Mapping[str, Entry]
    data: Path
    machine: environment.Machine
    timeout_s: float

    def run(
        self, cells: Sequence[Cell], on_start: Callable[[Progress], None], on_result: Callable[[Result], None]
    ) -> None:
        """Measure and save one cell after the other; a cell that fails is saved as such, and the session goes on."""
        seconds: dict[tuple[str, str], list[float]] = {}
        for index, cell in enumerate(cells):
            on_start(Progress(index + 1, len(cells), cell, time_left(cells[index:], seconds)))
            result = self.measure(cell)
            store.save(self.directory, result)
            if result.phases.process_s is not None:
                seconds.setdefault(kind(cell), []).append(result.phases.process_s)
            on_result(result)

    def measure(self, cell: Cell) -> Result:
        """Run one cell in a fresh process."""
        entry = self.entries[cell.implementation]
        variables = registry.environment(entry, cell.device, cell.threads)
        log = self.directory / "logs" / f"{cell.key}.log"
        started, before = datetime.now(UTC), environment.counters()
        with store.writing(log):
            answer = launch.launch(
                {
                    "probe": False,
                    "module": entry.module,
                    "attribute": entry.attribute,
                    "packages": entry.packages,
                    "workload": asdict(cell.workload),
                    "device": cell.device,
                    "seed": cell.seed,
                    "epochs": cell.epochs,
                    "data": str(self.data),
                },
                variables,
                environment.available_cpus()[: cell.threads],
                log,
                self.timeout_s,
            )
        noise = disturbances(before, environment.counters(), answer)
        return result(cell, answer, self.timeout_s, started, self.machine.machine, noise, variables, log)


def result(
    cell: Cell,
    answer: launch.Answer,
    timeout_s: float,
    started: datetime,
    machine: str,
    noise: dict[str, float | None],
    variables: dict[str, str],
    log: Path,
) -> Result:
    """Fold what the child said into one record. What it said before it failed is kept."""
    told: dict[str, dict[str, Any]] = {name: {} for name in ("phase", "facts", "memory", "noise")}
    epochs = []
    for event in answer.events:
        if event.name == "epoch":
            epochs.append(Epoch(**event.values))
        elif event.name in told:
            told[event.name] |= event.values
    status, reason = answer.end(timeout_s)
    return Result(
        cell=cell,
        status=status,  # type: ignore[arg-type]  # "ok", "skipped" or "failed"; the store checks it when it is read
        reason=reason,
        started=started.isoformat(timespec="milliseconds"),
        machine=machine,
        phases=Phases(**told["phase"], process_s=answer.wall_s),
        epochs=tuple(epochs),
        memory=Memory(**told["memory"]),
        noise=Noise(**noise, **told["noise"]),
        versions=told["facts"].get("versions", {}),
        switches=told["facts"].get("switches", {}),
        environment=variables,
        log_tail="" if status == "ok" else launch.log_tail(log),
    )


def disturbances(
    before: environment.Counters, after: environment.Counters, answer: launch.Answer
) -> dict[str, float | None]:
    """What the machine did beside the cell, in CPU seconds of all CPUs."""
    steal = None if before.steal_s is None or after.steal_s is None else after.steal_s - before.steal_s
    others = after.busy_s - before.busy_s - answer.child_cpu_s - answer.parent_cpu_s
    return {"parent_cpu_s": answer.parent_cpu_s, "steal_s": steal, "others_cpu_s": max(0.0, others)}


def kind(cell: Cell) -> tuple[str, str]:
    """Cells of one kind take about the same time."""
    return cell.implementation, cell.workload.name


def time_left(cells: Sequence[Cell], seconds: Mapping[tuple[str, str], Sequence[float]]) -> float | None:
    """Seconds that the cells will take, each as long as its kind has taken, or as long as the average kind."""
    if not seconds:
        return None
    means = {name: sum(values) / len(values) for name, values in seconds.items()}
    typical = sum(means.values()) / len(means)
    return sum(means.get(kind(cell), typical) for cell in cells)


def unfinished(cells: Sequence[Cell], done: Sequence[Result], fresh: bool) -> list[Cell]:
    """The cells that are still to be measured: all of them if ``fresh``, else those without an ``ok`` result."""
    finished = set() if fresh else {result.cell.key for result in done if result.status == "ok"}
    return [cell for cell in cells if cell.key not in finished]


def check_same_terms(cells: Sequence[Cell], done: Sequence[Result], machine: str, directory: Path) -> None:
    """Refuse to mix what cannot be compared in one directory: another machine, other epochs, another seed."""
    for result in done:
        if result.machine != machine:
            raise FcnBenchError(
                f"{directory}: measured on machine {result.machine}, this is {machine}; give another --out"
            )
    terms = {result.cell.workload.name: (result.cell.epochs, result.cell.seed - result.cell.block) for result in done}
    for cell in cells:
        was = terms.get(cell.workload.name, (cell.epochs, cell.seed - cell.block))
        if was != (cell.epochs, cell.seed - cell.block):
            raise FcnBenchError(
                f"{directory}: holds {cell.workload.name} with {was[0]} epochs and seed {was[1] + 1}, asked for "
                f"{cell.epochs} and {cell.seed - cell.block + 1}; give another --out"
            )


def probe(entry: Entry, log: Path, timeout_s: float = 120.0) -> None:
    """Import a plugin in a child and check its members, so that a mistake shows before anything is measured.

    Raises FcnBenchError with the child's reason.
    """
    answer = launch.launch(
        {"probe": True, "module": entry.module, "attribute": entry.attribute, "packages": entry.packages},
        registry.environment(entry, "cpu", 1),
        environment.available_cpus(),
        log,
        timeout_s,
    )
    status, reason = answer.end(timeout_s)
    if status != "ok":
        raise FcnBenchError(f"plugin {entry.module}: cannot be used ({reason}); mend it, see CONTRIBUTING.md")
