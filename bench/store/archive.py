"""Results on disk: one file per cell is the source of truth, everything else is derived from them.

A file appears whole or not at all: it is written under a temporary name, flushed to the disk and renamed.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from filelock import FileLock, Timeout

from bench import files
from bench.errors import FcnBenchError
from bench.store import formats
from bench.store.records.cell import Cell, Result
from bench.store.records.floor import FloorResult
from bench.store.records.machine import Size
from bench.store.records.sweep import SweepResult
from bench.store.records.training import TrainingResult


class Record(Protocol):
    """What is kept besides results: each kind in a ``folder`` of its own, under a name that a newer one takes over."""

    folder: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def file_name(self) -> str:
        """The name of its file, without the ending."""


R = TypeVar("R", bound=Record)


SCRATCH = ".scratch"
"""The folder of a directory where temporary files lie: those of checks, oracles, held out images and trial exports."""


@contextmanager
def opened(directory: Path) -> Iterator[None]:
    """Make the directory ready for results, and keep other runs out of it until the end of the block.

    Raises FcnBenchError where it cannot be written or another run is using it.
    """
    with files.writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with locked(directory, files.ANOTHER_OUT, "wait for it or give another --out"):
        with files.writing(directory):
            for name in ("cells", "gates", "logs", "machines", "models"):
                (directory / name).mkdir(exist_ok=True)
            files.write_text(directory / ".gitignore", f"/.lock\n/{SCRATCH}/\n/logs/\n")
        yield


@contextmanager
def locked(directory: Path, unwritable: str, in_use: str = "wait for it") -> Iterator[None]:
    """Keep other runs out of a directory until the end of the block, and remove what killed ones left unfinished.

    Raises FcnBenchError where it cannot be written or another run is using it: ``unwritable`` and ``in_use`` say what
    to do about that.
    """
    lock = FileLock(directory / ".lock", timeout=0)
    with files.writing(directory, unwritable):
        try:
            lock.acquire()
        except Timeout:  # an OSError too, but not the disk's
            raise FcnBenchError(f"{directory}: another run is writing here; {in_use}") from None
    try:
        with files.writing(directory, unwritable):
            files.remove_unfinished(directory)
            shutil.rmtree(directory / SCRATCH, ignore_errors=True)
        yield
    finally:
        shutil.rmtree(directory / SCRATCH, ignore_errors=True)
        lock.release()


def scratch(directory: Path) -> Path:
    """The folder for temporary files, made where it is missing; it goes with the end of the run, or before the next."""
    folder = (directory / SCRATCH).absolute()
    folder.mkdir(exist_ok=True)
    return folder


def save(directory: Path, result: Result) -> None:
    """Keep one result, and only then give up older ones of the same slot. Raises ValueError as :func:`encode` does.

    Of a block that is repeated, the attempt before stays among what is superseded. The network that the cell's process
    left is kept first, so that what a result of here names is there; an imported one names a network that is elsewhere.
    """
    path = cell_path(directory, result)
    with files.writing(path):
        text = encode(result)
        if result.attempt > 1 and path.exists():
            (directory / "superseded").mkdir(exist_ok=True)
            before = files.inside(directory / "superseded", f"{path.stem}.attempt{result.attempt - 1}.json")
            files.write_bytes(before, path.read_bytes())
        model = model_path(directory, result)
        if model and (left := unfinished_model(directory, result.cell)).exists():
            left.replace(model)
        files.write_text(path, text)
        for other in of_slot(directory / "models", result.cell, ".npz"):
            if other != model:
                other.unlink()
        for other in of_slot(path.parent, result.cell, ".json"):
            if other != path:
                move_aside(directory, other)


def cell_path(directory: Path, result: Result) -> Path:
    """Where a result is kept."""
    return files.inside(directory / "cells", f"{result.cell.key}.json")


def of_slot(folder: Path, cell: Cell, suffix: str) -> list[Path]:
    """The files of a cell's slot, whatever their digests, which have no dot."""
    return [path for path in folder.glob(f"*{suffix}") if path.name.rsplit(".", 2)[0] == cell.slot]


def unfinished_model(directory: Path, cell: Cell) -> Path:
    """Where a cell's process leaves its trained network; :func:`save` takes it from there."""
    return files.inside(directory / "models", files.UNFINISHED.format(f"{cell.slot}.npz"))


def model_path(directory: Path, result: Result) -> Path | None:
    """Where the trained network of a result is kept, whether it is there or not; None where it has none."""
    digest = result.model if isinstance(result, TrainingResult) else ""
    return files.inside(directory / "models", f"{result.cell.slot}.{digest[:12]}.npz") if digest else None


def encode(result: Result) -> str:
    """A result as its file holds it. Raises ValueError where :func:`results` would refuse to read it back."""
    text = formats.encoded(result)
    formats.decoded(text, kind_of_result)
    return text


def kind_of_result(values: Mapping[str, Any]) -> type[Result]:
    """Which record a stored result is: its cell's role decides."""
    cell = values.get("cell")
    role = cell.get("role") if isinstance(cell, dict) else None
    return {"floor": FloorResult, "sweep": SweepResult}.get(str(role), TrainingResult)


def move_aside(directory: Path, path: Path) -> None:
    """Out of the way of tables and charts, but not lost."""
    (directory / "superseded").mkdir(exist_ok=True)
    path.replace(directory / "superseded" / path.name)


def save_record(directory: Path, record: Record) -> None:
    """Keep a record in a file of its own."""
    write(record_path(directory, record), record)


def record_path(directory: Path, record: Record) -> Path:
    """Where a record is kept; the one before of that name is replaced."""
    return files.inside(directory / record.folder, f"{record.file_name}.json")


def records(directory: Path, kind: type[R]) -> list[R]:
    """The records of one kind, by the names of their files; none where there is no folder.

    Raises FcnBenchError for a file that cannot be read.
    """
    return [formats.read(path, lambda _: kind) for path in sorted((directory / kind.folder).glob("*.json"))]


def save_size(directory: Path, size: Size) -> None:
    """Keep how many blocks were fixed after a pilot, and why."""
    write(directory / "size.json", size)


def size(directory: Path) -> Size | None:
    """How many blocks were fixed after a pilot; None where their number was given."""
    path = directory / "size.json"
    return formats.read(path, lambda _: Size) if path.exists() else None


def write(path: Path, record: Record | Size) -> None:
    """Keep a record in this file; the one before is replaced."""
    with files.writing(path):
        path.parent.mkdir(exist_ok=True)
        files.write_text(path, formats.encoded(record))


def results(directory: Path) -> list[TrainingResult]:
    """What became of the networks that were trained, in the order in which they were measured.

    Raises as :func:`everything` does.
    """
    return trained(everything(directory))


def trained(found: Iterable[Result]) -> list[TrainingResult]:
    """Those of them that trained a network, and nothing of the floor or of a sweep."""
    return [result for result in found if isinstance(result, TrainingResult)]


def everything(directory: Path) -> list[Result]:
    """All results of a directory, in the order in which they were measured, those of the floor too.

    Where a slot has two, as a kill between the two steps of :func:`save` leaves them, the later counts.
    Raises FcnBenchError for a directory without results and for a file that is not what this version writes.
    """
    found = [formats.read(path, kind_of_result) for path in sorted((directory / "cells").glob("*.json"))]
    if not found:
        raise FcnBenchError(f"{directory}: no results here (no cells/*.json); run 'fcnbench run --out {directory}'")
    in_order = sorted(found, key=lambda result: result.started)
    last = {result.cell.slot: result for result in in_order}
    return [result for result in in_order if last[result.cell.slot] is result]


def has_results(directory: Path) -> bool:
    """Whether there is anything to continue."""
    return any((directory / "cells").glob("*.json"))


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
