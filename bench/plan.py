"""Workloads x implementations x devices x threads x blocks: the cells, in seeded random order."""

import ast
import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from bench import interpreters
from bench.records import Cell, Role
from impls import registry
from impls.contract import Workload
from impls.registry import Entry

HARNESS = (
    "bench.holdout",
    "bench.measure",
    "bench.program",
    "bench.worker",
    "impls.contract",
    "impls.layers",
    "impls.layout",
    "impls.reference",
)
"""The modules that decide what a worker does, besides the implementation."""
FLOOR = ("bench.floor", "bench.holdout", "bench.worker", "impls.contract", "impls.floor")
"""Those that decide what a library of the floor does."""
SWEEP = ("bench.points", "bench.sweep")
"""Those that decide, besides, what the worker of a sweep does."""
AROUND: Mapping[Role, Sequence[str]] = {"floor": FLOOR, "sweep": (*HARNESS, *SWEEP)}
"""What stands in the place of ``HARNESS`` for cells that are asked something else."""
SWEPT = ("matched", "tuned")
"""The tiers whose programs train in the order that they are given, and so can be asked for a few steps."""
GATE = ("bench.equivalence", "bench.deviation", "bench.lessons", "bench.masks", "bench.trial")
"""Those that decide, besides, what the gate answers."""


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
            digest=digest(
                asdict(workload), epochs, seed, self.data, source(entry, AROUND.get(role, HARNESS)), versions(entry),
                registry.environment(entry, device, threads, precision=workload.precision),
            ),
            data=self.data,
        )  # fmt: skip

    def gate_digest(self, entry: Entry, workload: Workload, device: str) -> str:
        """What would change the gate's answer, which is asked for at the largest number of threads."""
        return digest(
            asdict(workload), self.data, self.seed, source(entry), [module_digest(module) for module in GATE],
            versions(entry), registry.environment(entry, device, max(self.threads), precision=workload.precision),
        )  # fmt: skip


def reference(entries: Sequence[Entry]) -> Entry:
    """The implementation that the control repeats: the first of the matched tier, the steadiest, else the first."""
    return next((entry for entry in entries if entry.tier == "matched"), entries[0])


def swept(entries: Sequence[Entry]) -> list[Entry]:
    """The implementations of which a sweep can be made."""
    return [entry for entry in entries if entry.tier in SWEPT and entry.gated]


def digest(*parts: object) -> str:
    """Ten hexadecimal digits that change with any of the parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:10]


def source(entry: Entry, around: Sequence[str] = HARNESS) -> str:
    """A digest of the implementation's source and of the harness around it, found without importing either."""
    taken = [module for module in borrowed(entry.module) if module not in around]
    return digest(*(module_digest(module) for module in (entry.module, *taken, *around)), entry.attribute)


@cache
def borrowed(module: str) -> tuple[str, ...]:
    """The modules of ``impls`` that a module takes something from, and those that these do, without importing any."""
    path = module if module.endswith(".py") else module_file(module)
    found: dict[str, None] = {}
    try:
        tree = ast.parse(Path(path).read_bytes() if path else b"")
    except SyntaxError:  # it fails when it is run
        return ()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("impls."):
            found |= dict.fromkeys((str(node.module), *borrowed(str(node.module))))
    return tuple(sorted(found))


@cache
def module_digest(module: str) -> str:
    """A digest of one module's file; a module that cannot be found has its name instead, and fails when it is run."""
    path = module if module.endswith(".py") else module_file(module)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else module


def module_file(module: str) -> str | None:
    """Where a module lies. ``find_spec`` alone would import the packages around it, and with them their framework."""
    top, *rest = module.split(".")
    name, spec = top, find_spec(top)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec.origin if spec and spec.has_location else None


def versions(entry: Entry) -> Mapping[str, str]:
    """The versions that a row runs with: those of its own interpreter, where it has one."""
    return interpreters.versions(entry.python, entry.packages) if entry.python else package_versions(entry.packages)


def package_versions(packages: Iterable[str]) -> Mapping[str, str]:
    """The installed versions, read from their metadata."""
    return {package: package_version(package) for package in packages}


@cache
def package_version(package: str) -> str:
    """One package's version, or ``not installed``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
