"""A session: every cell of a plan in a process of its own, saved as soon as it has ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.session import record
from bench.session.record import Circumstances
from bench.store import archive
from bench.store.records.cell import Cell, Result
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

    def measure(self, cell: Cell) -> Result:
        """Run one cell in a fresh process, from its beginning to its end."""
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
