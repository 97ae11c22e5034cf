"""Each framework's own network, written by each of its exporters once a run's cells are done: for document 1's Table 1.

What came of it lies in ``exports/FRAMEWORK.FORMAT.json``; the files themselves are not kept, ``fcnbench export`` makes
them. One that still holds is not made again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from pydantic import TypeAdapter

from bench import export, models, plan, store, words
from bench.checked import Export
from bench.models import Model
from bench.records import Result
from bench.run import Session
from impls.exports import table
from impls.exports.table import Exporter

FOLDER = "exports"


@dataclass(frozen=True)
class Kept:
    """An export, of which network it was, and a digest of all that would change it."""

    workload: str
    implementation: str
    digest: str
    export: Export


KEPT = TypeAdapter(Kept)
COLUMNS = ["workload", "implementation", "by", "format", "status", "reason", "size_bytes", "images", "agree",
           "largest_difference", "limit", "one_image_s", "versions"]  # fmt: skip


def ask(results: Sequence[Result], session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Have each framework write the network that it trained, in each of its formats; ``say`` is told of each.

    Of the run's networks it is the one that is called ``headline``, else the first, of the matched tier where that was
    run. What fails or is missing is kept as such and fails no run.
    """
    known = {(kept.export.by, kept.export.format): kept for kept in ([] if fresh else read(session.directory))}
    for model, exporter in pairs(models.of_results(session.directory, results), headline):
        modules = (exporter.writer, exporter.reader, exporter.models, "bench.exporting")
        digest = plan.digest(
            model.name, [plan.module_digest(module) for module in modules], plan.package_versions(exporter.packages),
            results[0].cell.data,
        )  # fmt: skip
        old = known.get((exporter.by, exporter.format))
        if old is None or old.digest != digest or old.export.status != "ok":
            say(f"exporting {model.workload.name} by {words.LABELS[exporter.by]}: {exporter.format}")
            made = tried(model, exporter, session)
            save(session.directory, Kept(model.workload.name, model.implementation, digest, made))


def pairs(found: Sequence[Model], headline: str) -> Iterator[tuple[Model, Exporter]]:
    """Each framework's network with each of its exporters."""
    for framework in dict.fromkeys(exporter.by for exporter in table.EXPORTERS):
        own = [model for model in found if model.implementation in (f"matched-{framework}", f"documented-{framework}")]
        own.sort(key=lambda model: (model.workload.name != headline, model.implementation.startswith("documented")))
        yield from ((own[0], exporter) for exporter in table.EXPORTERS if exporter.by == framework and own)


def tried(model: Model, exporter: Exporter, session: Session) -> Export:
    """What came of one export; its file is thrown away."""
    with TemporaryDirectory(prefix="fcnbench-exported-") as folder:
        out = Path(folder, f"model{exporter.suffix}")
        return export.ask(export.Asked(model, exporter, out), out, session.data, session.timeout_s)


def save(directory: Path, kept: Kept) -> None:
    """Keep what came of an export; the one before, of the same framework and format, is replaced."""
    store.write_record(directory / FOLDER / f"{kept.export.by}.{kept.export.format}.json", kept, allow_nan=False)


def read(directory: Path) -> list[Kept]:
    """What was kept, by name. Raises FcnBenchError for a file that is not what this version writes."""
    return store.read_all(directory / FOLDER, KEPT)


def frame(kept: Sequence[Kept]) -> pd.DataFrame:
    """One row for each export."""
    rows = [
        {**asdict(one.export), "workload": one.workload, "implementation": one.implementation,
         "versions": ", ".join(f"{name} {version}" for name, version in one.export.versions.items())}
        for one in kept
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)
