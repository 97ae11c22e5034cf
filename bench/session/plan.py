"""Workloads x implementations x devices x threads x blocks: the cells in random order, and what is left of them.

A block is what is measured side by side (:mod:`bench.session.blocks`).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product

from bench.data.questions import Contender, primary
from bench.session import digest
from bench.store.records.cell import Cell, Role
from bench.worker import interpreters
from impls import environment
from impls.registry import Entry
from impls.workload import Workload

SWEPT = ("matched", "tuned")
"""The tiers whose programs train in the order that they are given, and so can be asked for a few steps."""
STAGES: Sequence[Sequence[str]] = (("matched", "plugin"), ("documented",), ("tuned",), ())
"""What is measured first, and answered first: what isolates the framework; then the tutorials' own programs; then the
fastest ones; then sweeps."""
JOBS: Mapping[Role, str] = {"floor": "floor", "sweep": "sweep"}
"""The module of :mod:`bench.worker.jobs` that measures a cell of a role, where that is not ``train``."""


@dataclass(frozen=True)
class Plan:
    """What to measure. ``epochs`` None means each document's own number; ``data`` is the data set's digest.

    ``floors`` are libraries that the machine's own limit is measured with, beside the implementations of each block.
    With ``sweep`` each block has, besides, a sweep over batch sizes and widths of each implementation that can be asked
    for one. When the networks of a block are trained, its programs are timed for about ``repeated_s`` seconds more.
    """

    workloads: Sequence[Workload]
    entries: Sequence[Entry]
    devices: Sequence[str]
    threads: Sequence[int]
    blocks: int
    epochs: int | None
    seed: int
    data: str
    floors: Sequence[Entry] = ()
    sweep: bool = False
    repeated_s: float = 0.0

    def stages(self) -> list[int]:
        """The positions of the stages in which something is measured."""
        return sorted({stage_of(entry.tier, role) for entry, role in self.runs()})

    def entries_of(self, stage: int) -> list[Entry]:
        """The implementations that are measured in a stage."""
        return [entry for entry in self.entries if stage_of(entry.tier, "measured") == stage]

    def cells(self, stages: Sequence[int] = range(len(STAGES))) -> list[Cell]:
        """All cells of the stages in the order in which to run them: stage by stage, and in each block by block.

        Within a stage's block everything that is compared with each other is measured side by side in time: the
        implementations of one workload, device and thread count, and the control, which is the reference
        implementation once more; then the libraries of the floor. Sweeps are the last stage.
        """
        cells = []
        for stage, block in product(stages, range(1, self.blocks + 1)):
            rng = random.Random(f"{self.seed} {stage} {block}")
            groups = [(w, d, t) for w in self.workloads for d in self.devices for t in self.threads]
            rng.shuffle(groups)
            for workload, device, threads in groups:
                in_block = [
                    self.cell(entry, role, workload, device, threads, block)
                    for entry, role in self.runs()
                    if stage_of(entry.tier, role) == stage
                ]
                rng.shuffle(in_block)
                cells += in_block
        return cells

    def runs(self) -> list[tuple[Entry, Role]]:
        """What is run in each configuration and block."""
        runs: list[tuple[Entry, Role]] = [(entry, "measured") for entry in self.entries]
        runs += [(reference(self.entries), "control")] if self.entries else []
        runs += [(entry, "floor") for entry in self.floors]
        return runs + [(entry, "sweep") for entry in swept(self.entries) if self.sweep]

    def questions(self) -> int:
        """How many pairs are asked about, all configurations together."""
        repeated = reference(self.entries).name
        contenders = [
            Contender(entry.name, entry.tier, entry.framework, entry.name == repeated) for entry in self.entries
        ]
        return len(primary(contenders)) * len(self.workloads) * len(self.devices) * len(self.threads)

    def headline(self, name: str) -> Workload:
        """The network that is called so, else the first: what is asked of one network alone is asked of it."""
        return next((workload for workload in self.workloads if workload.name == name), self.workloads[0])

    def cell(self, entry: Entry, role: Role, workload: Workload, device: str, threads: int, block: int) -> Cell:
        """One cell. All implementations of a block share its seed; no two blocks do."""
        epochs = self.epochs or workload.epochs
        seed = (workload.seed if workload.seed is not None else self.seed) + block - 1
        return Cell(
            implementation=entry.name,
            tier=entry.tier,
            framework=entry.framework,
            workload=workload,
            device=device,
            threads=threads,
            block=block,
            role=role,
            epochs=epochs,
            seed=seed,
            digest=digest.of_job(
                JOBS.get(role, "train"), [entry.module],
                entry.attribute, asdict(workload), epochs, seed, self.data, interpreters.versions(entry),
                environment.environment(entry, device, threads, precision=workload.precision),
            ),
            data=self.data,
        )  # fmt: skip

    def gate_digest(self, entry: Entry, workload: Workload, device: str) -> str:
        """What would change the gate's answer, which is asked for at the largest number of threads."""
        return digest.of_job(
            "verify", [entry.module],
            entry.attribute, asdict(workload), self.seed, self.data, interpreters.versions(entry),
            environment.environment(entry, device, max(self.threads), precision=workload.precision),
        )  # fmt: skip


def reference(entries: Sequence[Entry]) -> Entry:
    """The implementation that the control repeats: the first of the matched tier, the steadiest, else the first."""
    return next((entry for entry in entries if entry.tier == "matched"), entries[0])


def swept(entries: Sequence[Entry]) -> list[Entry]:
    """The implementations of which a sweep can be made."""
    return [entry for entry in entries if entry.tier in SWEPT and entry.gated]


def stage_of(tier: str, role: Role) -> int:
    """The position of the stage in which an implementation of a tier is measured; the first for an unknown tier."""
    if role == "sweep":
        return len(STAGES) - 1
    return next((position for position, tiers in enumerate(STAGES) if tier in tiers), 0)
