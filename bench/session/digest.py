"""What decides whether a stored cell still holds, as ten hexadecimal digits."""

import ast
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from bench.store.records.cell import Role
from impls import registry
from impls.registry import Entry

HARNESS = (
    "bench.data.holdout",
    "bench.worker.timing",
    "bench.worker.program",
    "bench.worker.main",
    "impls.contract",
    "impls.oracle.layers",
    "impls.layout",
    "impls.oracle.training",
)
"""The modules that decide what a worker does, besides the implementation."""
FLOOR = ("bench.worker.jobs.floor", "bench.data.holdout", "bench.worker.main", "impls.contract", "impls.floor")
"""Those that decide what a library of the floor does."""
SWEEP = ("bench.worker.jobs.sweep", "bench.worker.jobs.sweep")
"""Those that decide, besides, what the worker of a sweep does."""
AROUND: Mapping[Role, Sequence[str]] = {"floor": FLOOR, "sweep": (*HARNESS, *SWEEP)}
"""What stands in the place of ``HARNESS`` for cells that are asked something else."""
GATE = (
    "bench.verification.checks",
    "bench.verification.oracle",
    "bench.verification.samples",
    "bench.verification.dropout",
    "bench.verification.candidate",
)
"""Those that decide, besides, what the gate answers."""


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
    path = registry.module_file(module)
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
    path = registry.module_file(module)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else module
