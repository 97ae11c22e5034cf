"""A session: every cell of a plan in a process of its own, saved as soon as it has ended."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import environment, launch, store
from bench.blocks import Place, disturbance, unfinished
from bench.errors import FcnBenchError
from bench.noise import Watch
from bench.pace import Kind, kind, time_left
from bench.plan import Plan
from bench.points import SweepPoint
from bench.records import Cell, Epoch, Evaluation, Gate, Inference, Memory, Noise, Part, Phases, Result, Role
from bench.verify import GateJob, GateRun, Question
from impls import registry
from impls.registry import Entry

JOBS: Mapping[Role, str] = {"floor": "floor", "sweep": "sweep"}
"""What a worker is asked for a cell of a role, where that is not ``measure``."""
SEVERAL: Mapping[str, type[Any]] = {
    "epoch": Epoch, "evaluation": Evaluation, "inference": Inference, "part": Part, "point": SweepPoint,
}  # fmt: skip
"""What a cell has several of, by the name of the events that tell it."""
AT_ONCE = 5
"""Questions to one process where several are asked side by side: few enough that all end at about the same time."""


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
        :mod:`bench.noise`; no rule looks at an epoch's time) it is measured once more, all of it, so that its cells
        stay side by side, at most ``repeats`` blocks of each network, device and number of threads.
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
                store.save(self.directory, result)
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
        known = {(gate.implementation, gate.workload, gate.device): gate for gate in store.gates(self.directory)}
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
            store.save_gate(self.directory, gate)
            on_gate(gate, False)

        logs = self.directory / "logs"
        with store.writing(logs), TemporaryDirectory(prefix="fcnbench-oracle-") as cache:
            gate_run = GateRun(self.data, logs, Path(cache), self.timeout_s, deep)
            gate_run.all_of(jobs, environment.available_cpus()[: max(plan.threads)], side_by_side, keep)

    def measure(self, cell: Cell) -> Result:
        """Run one cell in a fresh process."""
        variables, log = self.variables(cell), self.log(cell)
        started, watch = datetime.now(UTC), Watch.start(cell.device)
        with store.writing(log):
            answer = launch.launch(
                self.request(JOBS.get(cell.role, "measure"), cell, self.data, **self.kept(cell)),
                variables,
                environment.available_cpus()[: cell.threads],
                log,
                self.timeout_s,
                launch.command(self.entries[cell.implementation]),
            )
        disturbed = watch.end(cell.device, answer.parent_cpu_s, answer.child_cpu_s)
        return self.record(cell, answer, started, disturbed, variables, log)

    def request(self, job: str, cell: Cell, data: Path, **asked: Any) -> dict[str, Any]:
        """What a worker is asked that runs a cell, on the data set in ``data``."""
        return launch.request(
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
        return {"model": str(store.unfinished_model(self.directory, cell)) if kept else "", "origin": origin}

    def variables(self, cell: Cell) -> dict[str, str]:
        """The environment of a cell's process."""
        entry = self.entries[cell.implementation]
        return registry.environment(entry, cell.device, cell.threads, precision=cell.workload.precision)

    def log(self, cell: Cell) -> Path:
        """Where what a cell's process prints goes."""
        return self.directory / "logs" / f"{cell.key}.log"

    def record(
        self,
        cell: Cell,
        answer: launch.Answer,
        started: datetime,
        disturbed: Noise,
        variables: dict[str, str],
        log: Path,
    ) -> Result:
        """What a process said, as the record of its cell."""
        found = result(cell, answer, self.timeout_s, started, self.machine.machine, disturbed, variables, log)
        return replace(found, commit=dict(self.commit))


def result(
    cell: Cell,
    answer: launch.Answer,
    timeout_s: float,
    started: datetime,
    machine: str,
    disturbed: Noise,
    variables: dict[str, str],
    log: Path,
) -> Result:
    """Fold what the child said into one record. What it said before it failed is kept.

    A cell that was measured whole is ``ok``, though timing its inference failed or ended the process: a ``load`` that
    bears no second call is against the contract, but no reason to lose figures that are good. The record says why.
    Where an implementation declares what no record can hold, such as a switch that is NaN, the cell has failed.
    """
    told: dict[str, dict[str, Any]] = {name: {} for name in ("phase", "facts", "memory", "noise", "predicted", "model")}
    several: dict[str, list[Any]] = {name: [] for name in SEVERAL}
    for event in answer.events:
        if event.name in SEVERAL:
            values = {name: tuple(value) if isinstance(value, list) else value for name, value in event.values.items()}
            several[event.name].append(SEVERAL[event.name](**values))
        elif event.name in told:
            told[event.name] |= event.values
    (status, reason), no_inference = answer.end(timeout_s), answer.end_of_rest(timeout_s)
    bare = Result(
        cell=cell,
        status=status,  # type: ignore[arg-type]  # "ok", "skipped" or "failed"; the store checks it when it is read
        reason=reason,
        started=started.isoformat(timespec="milliseconds"),
        machine=machine,
        phases=Phases(process_s=answer.wall_s),
        noise=disturbed,
        environment=variables,
        log_tail=launch.log_tail(log) if no_inference or status != "ok" else "",
    )
    try:
        whole = replace(
            bare,
            phases=Phases(**told["phase"], process_s=answer.wall_s),
            epochs=tuple(several["epoch"]),
            evaluations=tuple(several["evaluation"]),
            inference=tuple(several["inference"]),
            no_inference=no_inference,
            parts=tuple(several["part"]),
            sweep=tuple(several["point"]),
            predicted=told["predicted"].get("digits", ""),
            model=told["model"].get("sha256", ""),
            memory=Memory(**told["memory"]),
            noise=replace(disturbed, **told["noise"]),
            versions=told["facts"].get("versions", {}),
            switches=told["facts"].get("switches", {}),
        )
        store.encode(whole)
    except (TypeError, ValueError) as error:
        return replace(
            bare,
            status="failed",
            reason=f"declared what no record can hold ({error}); see the contract in CONTRIBUTING.md",
            log_tail=launch.log_tail(log),
        )
    return whole


def finished(done: Sequence[Result], fresh: bool) -> dict[str, Result]:
    """The results that need not be measured again, by key: those that are ``ok``; none if ``fresh``."""
    return {} if fresh else {result.cell.key: result for result in done if result.status == "ok"}


def check_same_terms(cells: Sequence[Cell], done: Sequence[Result], machine: str, directory: Path) -> None:
    """Refuse to mix what cannot be compared in one directory: another machine, other data, other epochs or seed."""
    for result in done:
        if result.machine != machine:
            raise FcnBenchError(
                f"{directory}: measured on machine {result.machine}, this is {machine}; give another --out"
            )
    data = {result.cell.data for result in done} - {""}
    for cell in cells:
        if data and cell.data and cell.data not in data:
            raise FcnBenchError(
                f"{directory}: holds results of other data ({', '.join(data)}, here {cell.data}); give another --out"
            )
    terms = {result.cell.workload.name: (result.cell.epochs, result.cell.seed - result.cell.block) for result in done}
    for cell in cells:
        was = terms.get(cell.workload.name, (cell.epochs, cell.seed - cell.block))
        if was != (cell.epochs, cell.seed - cell.block):
            raise FcnBenchError(
                f"{directory}: holds {cell.workload.name} with {was[0]} epochs and seed {was[1] + 1}, asked for "
                f"{cell.epochs} and {cell.seed - cell.block + 1}; give another --out"
            )


def probe(entry: Entry, timeout_s: float = 120.0) -> None:
    """Import a plugin in a child and check its members, so that a mistake shows before anything is measured.

    Raises FcnBenchError with the child's reason.
    """
    with TemporaryDirectory(prefix="fcnbench-probe-") as folder:
        answer = launch.launch(
            launch.request("probe", entry),
            registry.environment(entry, "cpu", 1),
            environment.available_cpus(),
            Path(folder, "log"),
            timeout_s,
            launch.command(entry),
        )
    status, reason = answer.end(timeout_s)
    if status != "ok":
        raise FcnBenchError(f"plugin {entry.module}: cannot be used ({reason}); mend it, see CONTRIBUTING.md")
