"""Workloads x implementations x devices x threads x blocks: the cells in random order, and what is left of them.

A block is what is measured side by side; where something disturbed it, it is measured once more as a whole.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.display import naming
from bench.machine import disturbances
from bench.session import digest
from bench.store.records.cell import Cell, Place, Result, Role
from bench.worker import interpreters
from impls import environment
from impls.registry import Entry
from impls.workload import Workload

SWEPT = ("matched", "tuned")
"""The tiers whose programs train in the order that they are given, and so can be asked for a few steps."""
JOBS: Mapping[Role, str] = {"floor": "floor", "sweep": "sweep"}
"""The module of :mod:`bench.worker.jobs` that measures a cell of a role, where that is not ``train``."""


@dataclass(frozen=True)
class Plan:
    """What to measure. ``epochs`` None means each document's own number; ``data`` is the data set's digest.

    ``floors`` are libraries that the machine's own limit is measured with, beside the implementations of each block.
    With ``sweep`` each block has, besides, a sweep over batch sizes and widths of each implementation that can be asked
    for one.
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

    def cells(self) -> list[Cell]:
        """All cells in the order in which to run them.

        Within a block everything that is compared with each other runs side by side in time, in random order: the
        implementations of one workload, device and thread count, and the control, which is the reference
        implementation once more; the libraries of the floor; and the sweeps.
        """
        rng = random.Random(self.seed)
        cells = []
        for block in range(1, self.blocks + 1):
            groups = [(w, d, t) for w in self.workloads for d in self.devices for t in self.threads]
            rng.shuffle(groups)
            for workload, device, threads in groups:
                runs: list[tuple[Entry, Role]] = [(entry, "measured") for entry in self.entries]
                runs += [(reference(self.entries), "control")] if self.entries else []
                runs += [(entry, "floor") for entry in self.floors]
                runs += [(entry, "sweep") for entry in swept(self.entries) if self.sweep]
                rng.shuffle(runs)
                cells += [self.cell(entry, role, workload, device, threads, block) for entry, role in runs]
        return cells

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


@dataclass(frozen=True)
class Block:
    """The cells of one place and block, in their order; ``missing`` are still to be measured, as the ``attempt``-th.

    ``why`` says what disturbed the attempt before.
    """

    cells: Sequence[Cell]
    missing: Sequence[Cell]
    attempt: int
    why: str

    @property
    def place(self) -> Place:
        """What its cells have in common."""
        return self.cells[0].place

    def again(self, why: str) -> "Block":
        """The same once more, all of it, so that its cells stay side by side in time."""
        return Block(self.cells, self.cells, self.attempt + 1, why)


def unfinished(cells: Sequence[Cell], kept: Mapping[str, Result]) -> list[Block]:
    """The cells by block, in their order; those that are ``kept`` (by key) are not missing.

    Where the repetition of a block was interrupted, what is left of the attempt before is missing too.
    """
    found: dict[tuple[Place, int], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.place, cell.block), []).append(cell)
    blocks = []
    for own in found.values():
        old = [kept[cell.key] for cell in own if cell.key in kept]
        latest = max(old, key=lambda result: result.attempt, default=None)
        attempt, why = (latest.attempt, latest.repeated) if latest else (1, "")
        missing = [cell for cell in own if cell.key not in kept or kept[cell.key].attempt < attempt]
        blocks.append(Block(own, missing, attempt, why))
    return blocks


def disturbance(block: Sequence[Result]) -> str:
    """What disturbed a block, the first thing of each cell; empty where nothing did."""
    found = [
        (result.cell, what) for result in block if result.status == "ok" and (what := disturbances.disturbances(result))
    ]
    return "; ".join(f"{cell.implementation}{naming.as_role(cell.role)}: {what[0]}" for cell, what in found)
