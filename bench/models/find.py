"""Where trained networks are found: in result directories, in portable files, and in the frameworks' own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.data import tutorials
from bench.display import naming
from bench.errors import FcnBenchError, unknown
from bench.models import native
from bench.store import archive, models
from bench.store.models import Model
from impls.registry import Entry

DEFAULTS = (Path("results", "quick"), Path("results", "reference"))
"""Where networks are looked for if none is named: the last run's, else the reference run's."""
TIMEOUT_S = 300.0


@dataclass(frozen=True)
class NamedModel:
    """A trained network, what it is called in a table, and its portable file."""

    label: str
    model: Model
    path: Path


def chosen(
    named: Sequence[Path],
    workload: str | None,
    rows: Sequence[Entry],
    folder: Path,
    timeout_s: float = TIMEOUT_S,
) -> tuple[list[NamedModel], list[str]]:
    """The networks of the named files and directories, and a line about each that cannot be used.

    Of a directory those of one workload: ``workload``, else the headline's, else the only one. ``rows`` are those of
    ``registry.predictors``, which read the frameworks' own files and write portable ones into ``folder``.
    """
    paths = list(dict.fromkeys(named or [default()]))
    portables = native.unpacked([path for path in paths if native.is_native(path)], rows, folder, timeout_s)
    networks: list[NamedModel] = []
    refused: list[str] = []
    for path in paths:
        try:
            if path.is_dir():
                usable, lines = of_directory(path, workload)
                networks += usable
                refused += lines
            else:
                alone = sum(other.name == path.name for other in paths) == 1
                networks.append(of_file(path, portables.get(path, path), path.name if alone else str(path)))
        except FcnBenchError as error:
            refused.append(str(error))
    return networks, refused


def default() -> Path:
    """The first of the usual directories that has networks. Raises FcnBenchError where none has."""
    for directory in DEFAULTS:
        if any((directory / "models").glob("*.npz")):
            return directory
    usual = " or ".join(map(str, DEFAULTS))
    raise FcnBenchError(f"no trained networks in {usual}; 'fcnbench run' trains and keeps some, or give --model")


def of_directory(directory: Path, workload: str | None) -> tuple[list[NamedModel], list[str]]:
    """The networks of one workload that a result directory holds, by tier and framework."""
    results = [
        result
        for result in archive.results(directory)
        if result.status == "ok" and (path := archive.model_path(directory, result)) and path.exists()
    ]
    names, headline = sorted({result.cell.workload.name for result in results}), tutorials.headline()
    if not names:
        raise FcnBenchError(
            f"model {directory}: holds no trained networks; 'fcnbench run --out {directory}' keeps some"
        )
    if workload is None and headline not in names and len(names) > 1:
        raise FcnBenchError(f"model {directory}: holds {', '.join(names)}; say which with --workload")
    name = workload or (headline if headline in names else names[0])
    if name not in names:
        raise unknown(f"network in {directory}", name, names)
    results = [result for result in results if result.cell.workload.name == name]
    often = Counter(result.cell.implementation for result in results)
    networks, refused = [], []
    for result in sorted(results, key=lambda result: naming.rank(result.cell.implementation, result.cell.tier)):
        cell, label = result.cell, result.cell.implementation
        if often[label] > 1:
            label = f"{label}, {naming.place(cell.device, cell.threads)}"
        try:
            (model,) = models.of_results(directory, [result])
            networks.append(NamedModel(label, model, directory / "models" / f"{model.name}.npz"))
        except FcnBenchError as error:
            refused.append(str(error))
    return networks, refused


def of_file(path: Path, portable_file: Path | FcnBenchError, label: str) -> NamedModel:
    """A file's network, called ``label``. Lines about what is wrong with it name the file that the user knows."""
    if isinstance(portable_file, FcnBenchError):
        raise portable_file
    try:
        return NamedModel(label, models.load(portable_file), portable_file)
    except FcnBenchError as error:
        raise FcnBenchError(str(error).replace(str(portable_file), str(path))) from error


def single(path: Path, implementation: str | None, workload: str | None) -> Model:
    """The network in a portable file, or the one of a result directory that the two options leave.

    Raises FcnBenchError where none is left, or several.
    """
    if not path.is_dir():
        if implementation or workload:
            raise FcnBenchError(f"model {path}: not a result directory; leave out --implementation and --workload")
        return models.load(path)
    trained = models.of_results(path, archive.results(path))
    if not trained:
        raise FcnBenchError(f"{path}: holds no trained networks (models/*.npz); 'fcnbench run' keeps them")
    for option, name, names in (
        ("implementation", implementation, {model.implementation for model in trained}),
        ("workload", workload, {model.workload.name for model in trained}),
    ):
        if name is not None and name not in names:
            raise unknown(option, name, names)
    left = [
        model
        for model in trained
        if implementation in (None, model.implementation) and workload in (None, model.workload.name)
    ]
    if not left:
        raise FcnBenchError(f"{path}: {implementation} has no trained {workload}; there are {listed(trained)}")
    if len(left) == 1:
        return left[0]
    if len({(model.implementation, model.workload.name) for model in left}) == 1:
        files = ", ".join(f"{path / 'models' / model.name}.npz" for model in left)
        raise FcnBenchError(f"{path}: holds {listed(left)} {len(left)} times; give one of the files {files}")
    raise FcnBenchError(
        f"{path}: holds {len(left)} trained networks: {listed(left)}; choose by --workload and --implementation"
    )


def listed(trained: Sequence[Model]) -> str:
    """Each network with the implementation that trained it."""
    return ", ".join(sorted({f"{model.workload.name} by {model.implementation}" for model in trained}))
