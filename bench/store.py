"""Results on disk: one file per cell is the source of truth, everything else is derived from them.

A file appears whole or not at all: it is written under a temporary name, flushed to the disk and renamed.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from bench.environment import Machine
from bench.errors import FcnBenchError
from bench.records import Result

T = TypeVar("T")


@contextmanager
def opened(directory: Path) -> Iterator[None]:
    """Make the directory ready for results, and keep other runs out of it until the end of the block.

    Raises FcnBenchError where it cannot be written or another run is using it.
    """
    with writing(directory):
        for name in ("cells", "logs", "machines"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        write_text(directory / ".gitignore", "/.lock\n/logs/\n")
    lock = FileLock(directory / ".lock", timeout=0)
    try:
        with writing(directory):
            lock.acquire()
    except Timeout:
        raise FcnBenchError(f"{directory}: another run is writing here; wait for it or give another --out") from None
    try:
        for leftover in directory.rglob(".*.tmp"):
            leftover.unlink()
        yield
    finally:
        lock.release()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals into one line that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise FcnBenchError(
            f"{path}: cannot write ({reason}); make room or give another --out, finished cells are kept"
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is found whole or not at all, even if the machine stops meanwhile."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """As :func:`write_text`, for bytes."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def save(directory: Path, result: Result) -> None:
    """Keep one result, and only then give up older ones of the same slot."""
    path = directory / "cells" / f"{result.cell.key}.json"
    with writing(path):
        write_text(path, json.dumps(asdict(result), indent=1, allow_nan=False) + "\n")
        for other in path.parent.glob(f"{result.cell.slot}.*.json"):
            if other != path:
                move_aside(directory, other)


def move_aside(directory: Path, path: Path) -> None:
    """Out of the way of tables and charts, but not lost."""
    (directory / "superseded").mkdir(exist_ok=True)
    path.replace(directory / "superseded" / path.name)


def save_machine(directory: Path, machine: Machine) -> None:
    """Keep the description of a machine that took part."""
    path = directory / "machines" / f"{machine.machine}.json"
    with writing(path):
        write_text(path, json.dumps(asdict(machine), indent=1) + "\n")


def results(directory: Path) -> list[Result]:
    """All results of a directory, in the order in which they were measured.

    Raises FcnBenchError for a directory without results and for a file that is not what this version writes.
    """
    found = [read(path, TypeAdapter(Result)) for path in sorted((directory / "cells").glob("*.json"))]
    if not found:
        raise FcnBenchError(f"{directory}: no results here (no cells/*.json); run 'fcnbench run --out {directory}'")
    return sorted(found, key=lambda result: result.started)


def machines(directory: Path) -> list[Machine]:
    """The machines that took part."""
    return [read(path, TypeAdapter(Machine)) for path in sorted((directory / "machines").glob("*.json"))]


def read(path: Path, adapter: TypeAdapter[T]) -> T:
    """One record from its file, checked."""
    try:
        return adapter.validate_json(path.read_bytes())
    except OSError as error:
        raise FcnBenchError(f"{path}: cannot be read ({error.strerror}); mend its permissions") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise FcnBenchError(
            f"{path}: damaged or of another version ({problem}); move it away, then 'fcnbench run' measures it again"
        ) from error
