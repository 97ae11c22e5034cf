"""Everything that a result directory holds which is not derived, as one JSON object, there and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import FcnBenchError
from bench.store import archive, formats
from bench.store.archive import Record
from bench.store.records.cell import Result
from bench.store.records.machine import Machine, Size
from bench.store.records.verification import Verification


@dataclass(frozen=True)
class Contents:
    """The records of a directory; ``size`` only where a pilot fixed the number of blocks."""

    cells: Sequence[Result]
    gates: Sequence[Verification]
    machines: Sequence[Machine]
    size: Size | None = None


def read(directory: Path) -> Contents:
    """What a directory holds. Raises FcnBenchError where there are no results."""
    cells, gates = archive.everything(directory), archive.records(directory, Verification)
    return Contents(cells, gates, archive.records(directory, Machine), archive.size(directory))


def encoded(contents: Contents) -> dict[str, Any]:
    """The records as JSON holds them."""
    return {"format": formats.FORMAT, **asdict(contents)}


def decoded(stored: Any) -> Contents:
    """The inverse of :func:`encoded`. Raises ValueError for what is none of this version or an earlier one."""

    def of(name: str) -> list[dict[str, Any]]:
        values = stored.get(name) if isinstance(stored, dict) else None
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise ValueError("fcnbench: expected an object with lists of records")
        return [{"format": stored.get("format", 1), **value} for value in values]

    return Contents(
        [formats.checked(values, archive.kind_of_result) for values in of("cells")],
        [formats.checked(values, lambda _: Verification) for values in of("gates")],
        [formats.checked(values, lambda _: Machine) for values in of("machines")],
        formats.checked(stored["size"], lambda _: Size) if stored.get("size") else None,
    )


def add(directory: Path, parts: Mapping[Path, Contents]) -> int:
    """Bring the contents of files into a directory, and return how many cells are new there.

    Raises FcnBenchError, before anything is written, where the cells do not belong together.
    """
    new = new_cells(directory, parts)
    records = list[Record]()
    for contents in parts.values():
        records += [*contents.machines, *contents.gates]
    for result in new:
        archive.cell_path(directory, result)
        archive.encode(result)
    for record in records:
        archive.record_path(directory, record)
    with archive.opened(directory):
        for record in records:
            archive.save_record(directory, record)
        for contents in parts.values():
            if contents.size:
                archive.save_size(directory, contents.size)
        for result in new:
            archive.save(directory, result)
    return len(new)


def new_cells(directory: Path, parts: Mapping[Path, Contents]) -> list[Result]:
    """The cells that the directory does not hold. Raises FcnBenchError where another one is in the slot of one."""
    here = archive.everything(directory) if archive.has_results(directory) else []
    slots = {result.cell.slot: result for result in here}
    new: list[Result] = []
    for path, contents in parts.items():
        for result in contents.cells:
            archive.check_same_terms([result.cell], [*here, *new], result.machine, directory)
            other = slots.setdefault(result.cell.slot, result)
            if other is result:
                new.append(result)
            elif other != result:
                raise FcnBenchError(
                    f"{path}: block {result.cell.block} of {result.cell.implementation} is there already, measured "
                    f"{other.started}; run 'pytest bench --block {result.cell.block + 1}', or give another --out"
                )
    return new
