"""What decides whether a stored measurement still holds: the code that made it, and the facts that it was made from.

The code is a job's import closure: the module of the job, and every module of ours that it imports, directly or not.
Import statements are read from the source files, wherever they stand in them; nothing is imported. Comments, docstrings
and what only type checkers see do not count.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from impls import registry

OURS = ("bench", "impls")
WORKER = "bench.worker.main"
STATEMENTS = ("body", "handlers", "orelse", "finalbody", "cases")
"""The fields of a syntax tree that hold statements, or what holds statements."""


def of_job(job: str, modules: Iterable[str], *facts: object) -> str:
    """Ten hexadecimal digits that change with the code that a worker runs for a job, and with any of the facts.

    ``job`` is a module of :mod:`bench.worker.jobs`. ``modules`` are those that the worker imports because the request
    names them, such as the implementation's: import paths, or paths of files that end in ``.py``.
    """
    names = closure(WORKER, f"bench.worker.jobs.{job}", *modules)
    return of_facts(sorted(module_code(name).digest for name in names), *facts)


def of_facts(*facts: object) -> str:
    """Ten hexadecimal digits that change with any of the facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:10]


def closure(*modules: str) -> set[str]:
    """These modules, and all of ours that they import, directly or not."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += module_code(module).imports
    return found


@dataclass(frozen=True)
class ModuleCode:
    """A digest of what a module does, and the modules of ours that it imports."""

    digest: str
    imports: frozenset[str] = frozenset()


@cache
def module_code(module: str) -> ModuleCode:
    """Read a module's file. Without one its name decides, with one that is no Python its bytes: it fails when run."""
    file = registry.module_file(module)
    if file is None:
        return ModuleCode(module)
    text = source(file)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # ValueError: it holds null bytes
        return ModuleCode(hashlib.sha256(text).hexdigest())
    imports = frozenset(name for statement in trim(tree) for name in imported(statement, module, file) if name)
    return ModuleCode(of_facts(ast.dump(tree)), imports)


def source(file: str) -> bytes:
    """What a source file holds."""
    return Path(file).read_bytes()


def trim(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Take out of a syntax tree what never runs: texts that stand alone, and blocks for type checkers.

    Yields the import statements that are left.
    """
    for name in STATEMENTS:
        block = getattr(node, name, None)
        if isinstance(block, list):
            block[:] = [part for part in block if not never_runs(part)]
            for part in block:
                if isinstance(part, ast.Import | ast.ImportFrom):
                    yield part
                yield from trim(part)


def never_runs(part: ast.AST) -> bool:
    """Whether this is a docstring, a text below a constant, or ``if TYPE_CHECKING:`` without ``else``."""
    match part:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[]):
            return True
    return False


def imported(statement: ast.Import | ast.ImportFrom, module: str, file: str) -> Iterator[str | None]:
    """The modules of ours that a statement of ``module`` imports; ``from a import b`` may be ``a.b`` or ``a``."""
    if isinstance(statement, ast.Import):
        yield from (known(alias.name, module) for alias in statement.names)
        return
    package = module if file.endswith("__init__.py") else module.rpartition(".")[0]
    base = resolve_name("." * statement.level + (statement.module or ""), package)
    yield from (known(f"{base}.{alias.name}", module) or known(base, module) for alias in statement.names)


@cache
def known(name: str, importer: str) -> str | None:
    """The module called so where it is one of ours, of the importer's own package, or a file beside a plugin."""
    if importer.endswith(".py"):
        path = Path(importer).parent.joinpath(*name.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return str(file)
    mine = name.partition(".")[0] in (*OURS, importer.partition(".")[0])
    return name if mine and registry.module_file(name) else None
