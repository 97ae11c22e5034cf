"""A session: every cell of a plan in a process of its own, saved as soon as it has ended."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import files
from bench.machine import cpus
from bench.machine.disturbances import Watch
from bench.session import record
from bench.session.plan import Plan, disturbance, unfinished
from bench.session.progress import Kind, Progress, kind, time_left
from bench.session.verification import GateJob, GateRun, Question
from bench.store import archive
from bench.store.records.cell import Cell, Noise, Place, Role
from bench.store.records.machine import Machine
from bench.store.records.training import Result
from bench.store.records.verification import Gate
from bench.worker import interpreters, messages, process
from bench.worker.process import Answer
from impls import environment
from impls.registry import Entry

JOBS: Mapping[Role, str] = {"floor": "floor", "sweep": "sweep"}
"""What a worker is asked for a cell of a role, where that is not ``measure``."""
AT_ONCE = 5
"""Questions to one process where several are asked side by side: few enough that all end at about the same time."""


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

    def verify(
        self,
        plan: Plan,
        on_gate: Callable[[Gate, bool], None],
        deep: bool = False,
        seeds: int = 1,
        side_by_side: int = 1,
    ) -> None:
        """Ask the gate about every implementation, workload and device of a plan, unless it has answered before.

        ``on_gate`` is told each answer, and whether it is an old one. ``deep`` climbs higher than a measurement waits
        for, ``seeds`` asks everything so many times, from the plan's seed on.
        """
        known = {(gate.implementation, gate.workload, gate.device): gate for gate in archive.gates(self.directory)}
        jobs = []
        for entry in plan.entries:
            places = product(plan.devices, dict.fromkeys(workload.precision for workload in plan.workloads))
            for device, precision in places if entry.gated else ():
                questions = []
                for workload in (workload for workload in plan.workloads if workload.precision == precision):
                    digest = plan.gate_digest(entry, workload, device)
                    old = known.get((entry.name, workload.name, device))
                    if old is not None and old.digest == digest and old.status == "passed":
                        on_gate(old, True)
                    else:
                        questions += [Question(workload, plan.seed + number, digest) for number in range(seeds)]
                size = max(1, len(questions)) if side_by_side == 1 else AT_ONCE
                starts = range(0, len(questions), size)
                jobs += [GateJob(entry, device, questions[start : start + size]) for start in starts]

        def keep(gate: Gate) -> None:
            archive.save_gate(self.directory, gate)
            on_gate(gate, False)

        logs = self.directory / "logs"
        with files.writing(logs), TemporaryDirectory(prefix="fcnbench-oracle-") as cache:
            gate_run = GateRun(self.data, logs, Path(cache), self.timeout_s, deep)
            gate_run.all_of(jobs, cpus.available_cpus()[: max(plan.threads)], side_by_side, keep)

    def measure(self, cell: Cell) -> Result:
        """Run one cell in a fresh process."""
        variables, log = self.variables(cell), self.log(cell)
        started, watch = datetime.now(UTC), Watch.start(cell.device)
        with files.writing(log):
            answer = process.launch(
                self.request(JOBS.get(cell.role, "measure"), cell, self.data, **self.kept(cell)),
                variables,
                cpus.available_cpus()[: cell.threads],
                log,
                self.timeout_s,
                interpreters.command(self.entries[cell.implementation]),
            )
        disturbed = watch.end(cell.device, answer.parent_cpu_s, answer.child_cpu_s)
        return self.record(cell, answer, started, disturbed, variables, log)

    def request(self, job: str, cell: Cell, data: Path, **asked: Any) -> dict[str, Any]:
        """What a worker is asked that runs a cell, on the data set in ``data``."""
        return messages.request(
            job,
            self.entries[cell.implementation],
            workload=asdict(cell.workload),
            device=cell.device,
            seed=cell.seed,
            data=str(data),
            epochs=cell.epochs,
            **asked,
        )

    def kept(self, cell: Cell) -> dict[str, Any]:
        """Where a cell's process leaves its trained network: those of the first block are kept."""
        kept = cell.block == 1 and cell.role == "measured"
        origin = {"implementation": cell.implementation, "framework": cell.framework}
        return {"model": str(archive.unfinished_model(self.directory, cell)) if kept else "", "origin": origin}

    def variables(self, cell: Cell) -> dict[str, str]:
        """The environment of a cell's process."""
        entry = self.entries[cell.implementation]
        return environment.environment(entry, cell.device, cell.threads, precision=cell.workload.precision)

    def log(self, cell: Cell) -> Path:
        """Where what a cell's process prints goes."""
        return self.directory / "logs" / f"{cell.key}.log"

    def record(
        self,
        cell: Cell,
        answer: Answer,
        started: datetime,
        disturbed: Noise,
        variables: dict[str, str],
        log: Path,
    ) -> Result:
        """What a process said, as the record of its cell."""
        found = record.result(cell, answer, self.timeout_s, started, self.machine.machine, disturbed, variables, log)
        return replace(found, commit=dict(self.commit))
