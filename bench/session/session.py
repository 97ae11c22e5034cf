"""A session: every cell of a plan in a process of its own, saved as soon as it has ended."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from bench import files
from bench.data import mnist
from bench.machine import meters
from bench.machine.metering import Surroundings
from bench.session import record
from bench.session.plan import disturbance, unfinished
from bench.session.progress import Kind, Progress, kind, time_left
from bench.session.record import Circumstances
from bench.store import archive
from bench.store.records.cell import Cell, Place, Result
from bench.store.records.machine import Machine
from bench.worker import process, requests
from bench.worker.answer import Answer
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Request, Task
from impls.registry import Entry


@dataclass(frozen=True)
class Session:
    """Where and how the cells of one plan are measured."""

    directory: Path
    entries: Mapping[str, Entry]
    data: Path
    machine: Machine
    timeout_s: float
    commit: Mapping[str, Any] = field(default_factory=dict)

    def run(
        self,
        cells: Sequence[Cell],
        kept: Mapping[str, Result],
        on_start: Callable[[Progress], None],
        on_result: Callable[[Result], None],
        on_repeat: Callable[[str], None] = lambda why: None,
        repeats: int = 0,
    ) -> dict[str, Result]:
        """Measure and save one cell after the other, except those that are ``kept``, by key.

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
                on_start(Progress(number, number - 1 + len(left), cell, time_left(left, seconds)))
                result = replace(self.measure(cell), attempt=block.attempt, repeated=block.why)
                archive.save(self.directory, result)
                results[cell.key] = result
                if result.phases.process_s is not None:
                    seconds.setdefault(kind(cell), []).append(result.phases.process_s)
                on_result(result)
            why = disturbance([results[cell.key] for cell in block.cells]) if block.missing else ""
            if why and spent[block.place] < repeats:
                spent[block.place] += 1
                waiting.insert(0, block.again(why))
                on_repeat(why)
        return results

    def measure(self, cell: Cell) -> Result:
        """Run one cell in a fresh process."""
        entry, log = self.entries[cell.implementation], self.log(cell)
        started, read = datetime.now(UTC), meters.start("process", Surroundings(cell.device))
        with files.writing(log):
            answer = process.ask(entry, self.request(cell), self.placement(cell), log, self.timeout_s)
        return self.record(cell, answer, started, read, self.test_images)

    @cached_property
    def test_images(self) -> int:
        """How many images a cell predicts after its last epoch."""
        return len(mnist.load(self.data).y_test)

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
        return self.directory / "logs" / f"{cell.key}.log"

    def record(
        self, cell: Cell, answer: Answer, started: datetime, read: meters.Started, test_images: int | None = None
    ) -> Result:
        """What a process said, as the record of its cell; ``read`` are the meters that were started before it."""
        readings = read.stop(Surroundings(cell.device, child_cpu_s=answer.child_cpu_s))
        environment = self.placement(cell).variables(self.entries[cell.implementation])
        machine, log = self.machine.machine, self.log(cell)
        about = Circumstances(started, machine, environment, log, readings, self.commit)
        return record.result(cell, answer, about, test_images)
