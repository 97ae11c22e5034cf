"""Where trained networks are found: in result directories, in portable files, and in the frameworks' own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.display import naming
from bench.errors import FcnBenchError, unknown
from bench.machine.cpus import available_cpus
from bench.store import archive, models
from bench.store.models import Model
from bench.worker import process
from bench.worker.messages import PartEnded
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Unpack
from impls import portable, registry
from impls.registry import Entry

DEFAULTS = (Path("results", "quick"), Path("results", "reference"))
"""Where the networks are that nobody has named: the last run's, else the reference run's."""
TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Kept:
    """A trained network, what it is called in a table, and its portable file."""

    label: str
    model: Model
    path: Path


def chosen(
    asked: Sequence[Path],
    workload: str | None,
    headline: str,
    rows: Sequence[Entry],
    folder: Path,
    timeout_s: float = TIMEOUT_S,
) -> tuple[list[Kept], list[str]]:
    """The networks that were asked for, and a line about each that cannot be used.

    Of a directory those of one workload: ``workload``, else ``headline``, else the only one. ``rows`` are those of
    ``registry.predictors``, which read the frameworks' own files, as portable ones into ``folder``.
    """
    paths = list(dict.fromkeys(asked or [default()]))
    portables = unpacked([path for path in paths if is_native(path)], rows, folder, timeout_s)
    found: list[Kept] = []
    refused: list[str] = []
    for path in paths:
        try:
            if path.is_dir():
                kept, lines = of_directory(path, workload, headline)
            else:
                alone = sum(other.name == path.name for other in paths) == 1
                kept, lines = [of_file(path, portables.get(path, path), path.name if alone else str(path))], []
            found += kept
            refused += lines
        except FcnBenchError as error:
            refused.append(str(error))
    return found, refused


def default() -> Path:
    """The first of the usual directories that has networks. Raises FcnBenchError where none has."""
    for directory in DEFAULTS:
        if any((directory / "models").glob("*.npz")):
            return directory
    places = " or ".join(map(str, DEFAULTS))
    raise FcnBenchError(f"no trained networks in {places}; 'fcnbench run' trains and keeps some, or give --model")


def of_directory(directory: Path, workload: str | None, headline: str) -> tuple[list[Kept], list[str]]:
    """The networks of one workload that a result directory holds, by tier and framework."""
    results = [
        result
        for result in archive.results(directory)
        if result.status == "ok" and (path := archive.model_path(directory, result)) and path.exists()
    ]
    names = sorted({result.cell.workload.name for result in results})
    if not names:
        raise FcnBenchError(
            f"model {directory}: holds no trained networks; 'fcnbench run --out {directory}' keeps some"
        )
    if workload is None and headline not in names and len(names) > 1:
        raise FcnBenchError(f"model {directory}: holds {', '.join(names)}; say which with --workload")
    name = workload or (headline if headline in names else names[0])
    if name not in names:
        raise unknown(f"network in {directory}", name, names)
    cells = [(result.cell, result) for result in results if result.cell.workload.name == name]
    often = Counter(cell.implementation for cell, _ in cells)
    found, refused = [], []
    for cell, result in sorted(cells, key=lambda pair: naming.rank(pair[0].implementation, pair[0].tier)):
        several = often[cell.implementation] > 1
        label = f"{cell.implementation}, {naming.place(cell.device, cell.threads)}" if several else cell.implementation
        try:
            (model,) = models.of_results(directory, [result])
            found.append(Kept(label, model, directory / "models" / f"{model.name}.npz"))
        except FcnBenchError as error:
            refused.append(str(error))
    return found, refused


def is_native(path: Path) -> bool:
    """Whether this is a file in a framework's own format, by its ending."""
    return registry.native_reader(path.suffix) is not None and not path.is_dir()


def unpacked(
    paths: Sequence[Path], rows: Sequence[Entry], folder: Path, timeout_s: float
) -> dict[Path, Path | FcnBenchError]:
    """The frameworks' own files as portable ones in ``folder``, or why not: each framework reads its own, all at once.

    What is no archive, is compressed or too large is refused before a framework starts.
    """
    found: dict[Path, Path | FcnBenchError] = {}
    for number, path in enumerate(paths):
        try:
            with models.reading(path):
                portable.uncompressed(path).close()
            found[path] = folder / f"{number}.npz"
        except FcnBenchError as error:
            found[path] = error
    own = {
        row.short: {
            path: out
            for path, out in found.items()
            if registry.native_reader(path.suffix) == row.short and isinstance(out, Path)
        }
        for row in rows
    }

    def unpack(row: Entry, cpus: tuple[int, ...]) -> list[PartEnded]:
        pairs = tuple((str(path.resolve()), str(out)) for path, out in own[row.short].items())
        request = Unpack(entry_point(row), pairs, row.framework)
        log = folder / f"unpack.{row.short}.log"
        return process.ask(row, request, Placement("cpu", cpus), log, timeout_s).parts(PartEnded, len(pairs))

    jobs = [row for row in rows if own[row.short]]
    for row, ends in process.run_all(jobs, unpack, available_cpus(), len(jobs)):
        for path, end in zip(own[row.short], ends, strict=True):
            if end.status != "ok":
                found[path] = refusal(path, end.status, end.reason)
    return found


def refusal(path: Path, status: str, reason: str) -> FcnBenchError:
    """Why a framework did not read its own file."""
    if status == "skipped":
        return FcnBenchError(f"model {path}: cannot be read here ({reason}); install it or give a portable .npz")
    return FcnBenchError(f"model {path}: not a model of fcnbench ({reason[:200]}); give one that it has written")


def of_file(path: Path, portable_file: Path | FcnBenchError, label: str) -> Kept:
    """A file's network, called ``label``. Lines about what is wrong with it name the file that the user knows."""
    if isinstance(portable_file, FcnBenchError):
        raise portable_file
    try:
        return Kept(label, models.load(portable_file), portable_file)
    except FcnBenchError as error:
        raise FcnBenchError(str(error).replace(str(portable_file), str(path))) from error
