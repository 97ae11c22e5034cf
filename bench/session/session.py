"""A session: every cell of a plan in a process of its own, saved as soon as it has ended."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.session import progress, record
from bench.session.plan import disturbance, unfinished
from bench.session.progress import Kind, kind, time_left
from bench.session.record import Circumstances
from bench.store import archive
from bench.store.records.cell import Cell, Place, Result
from bench.store.records.machine import Machine
from bench.worker import process, requests
from bench.worker.answer import Answer
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Request, Task
from impls.registry import Entry

Say = Callable[..., None]
"""Shows a line, as ``print`` does; one with ``end=""`` is not complete yet."""


@dataclass(frozen=True)
class Session:
    """Where and how the cells of one plan are measured."""

    directory: Path
    entries: Mapping[str, Entry]
    data: Path
    machine: Machine
    timeout_s: float
    commit: Mapping[str, Any] = field(default_factory=dict)

    def run(self, cells: Sequence[Cell], kept: Mapping[str, Result], say: Say, repeats: int = 0) -> dict[str, Result]:
        """Measure and save one cell after the other, except those that are ``kept``; all results by the cell's key.

        A cell that fails is saved as such, and the session goes on. Where something disturbed a block (see
        :mod:`bench.machine.disturbances`; no rule looks at an epoch's time) it is measured once more, all of it,
        so that its cells stay side by side, at most ``repeats`` blocks of each network, device and number of threads.
        """
        results, waiting, seconds = dict(kept), unfinished(cells, kept), dict[Kind, list[float]]()
        spent = Counter[Place]()
        for block in waiting:
            spent[block.place] += block.attempt - 1
        number = 0
        while waiting:
            block, *waiting = waiting
            ahead = [cell for later in waiting for cell in later.missing]
            for position, cell in enumerate(block.missing):
                left, number = [*block.missing[position:], *ahead], number + 1
                say(progress.started(number, number - 1 + len(left), cell, time_left(left, seconds)), end="")
                try:
                    result = replace(self.measure(cell), attempt=block.attempt, repeated=block.why)
                    archive.save(self.directory, result)
                except Exception:
                    say("")  # ends that line
                    raise
                results[cell.key] = result
                if result.phases.process_s is not None:
                    seconds.setdefault(kind(cell), []).append(result.phases.process_s)
                say(progress.ended(result))
            why = disturbance([results[cell.key] for cell in block.cells]) if block.missing else ""
            if why and spent[block.place] < repeats:
                spent[block.place] += 1
                waiting.insert(0, block.again(why))
                say(progress.repeated(why))
        return results

    def measure(self, cell: Cell) -> Result:
        """Run one cell in a fresh process."""
        entry = self.entries[cell.implementation]
        answer = self.ask(entry, self.request(cell), self.placement(cell), self.log(cell))
        return record.result(cell, answer, self.circumstances(cell), self.data)

    def ask(self, entry: Entry, request: Request, placement: Placement, log: Path) -> Answer:
        """Run a worker to its end and return its answer."""
        return process.ask(entry, request, placement, log, self.timeout_s)

    def request(self, cell: Cell) -> Request:
        """What the worker of a cell is asked for; the networks that the first block has trained are kept."""
        entry, task = entry_point(self.entries[cell.implementation]), self.task(cell)
        if cell.role == "floor":
            return requests.MeasureFloor(entry, task)
        if cell.role == "sweep":
            return requests.Sweep(entry, task)
        keep = cell.block == 1 and cell.role == "measured"
        model = str(archive.unfinished_model(self.directory, cell)) if keep else ""
        origin = {"implementation": cell.implementation, "framework": cell.framework}
        return requests.Train(entry, task, cell.epochs, model, origin)

    def task(self, cell: Cell) -> Task:
        """What the process of a cell works on."""
        return Task(cell.workload, cell.device, cell.seed, str(self.data), str(self.scratch()))

    def scratch(self) -> Path:
        """The folder for temporary files."""
        return archive.scratch(self.directory)

    def placement(self, cell: Cell) -> Placement:
        """Where the process of a cell runs."""
        return Placement.of(cell.device, cell.threads, cell.workload.precision)

    def log(self, cell: Cell) -> Path:
        """Where what a cell's process prints goes."""
        return self.log_of(cell.key)

    def log_of(self, name: str) -> Path:
        """Where what a process prints goes."""
        return self.directory / "logs" / f"{name}.log"

    def circumstances(self, cell: Cell) -> Circumstances:
        """Where the process of a cell runs, for its record."""
        environment = self.placement(cell).variables(self.entries[cell.implementation])
        return Circumstances(self.machine.machine, environment, self.log(cell), self.commit)
