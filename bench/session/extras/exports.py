"""Exports: each framework writes the network that it trained in each of its formats, and the files are checked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.models import export
from bench.models.export import PlannedExport
from bench.session import digest
from bench.session.extras.questions import ExtraQuestion
from bench.session.session import Session
from bench.store import models
from bench.store.models import Model
from bench.store.records.export import StoredExport
from bench.store.records.training import TrainingResult
from bench.worker import interpreters
from impls import exports, registry
from impls.exports import Exporter


def questions(trained: Sequence[TrainingResult], session: Session, headline: str) -> Iterator[ExtraQuestion]:
    """Does each framework write the network that it trained, and are the files right?

    Of the networks it is the one that is called ``headline``, else the first, of the matched tier where that was run.
    """
    for model, exporter in pairs(models.of_results(session.directory, trained), headline):
        modules = [exporter.writer, exporter.reader, exporter.models]
        versions = interpreters.package_versions(exporter.packages)
        export_digest = digest.of_job("export", modules, model.name, versions, trained[0].cell.data)
        bare = StoredExport(model.workload.name, model.implementation, export_digest, export.unwritten(exporter))
        line = f"exporting {PlannedExport(model, exporter, Path()).title}"
        yield ExtraQuestion(bare, line, partial(ask, bare, model, exporter, session))


def pairs(trained: Sequence[Model], headline: str) -> Iterator[tuple[Model, Exporter]]:
    """Each framework's network with each of its exporters."""
    for framework in dict.fromkeys(exporter.by for exporter in exports.EXPORTERS):
        rows = registry.of_framework(framework)
        names = [rows[tier].name for tier in ("matched", "documented") if tier in rows]
        candidates = [model for model in trained if model.implementation in names]
        candidates.sort(key=lambda model: (model.workload.name != headline, names.index(model.implementation)))
        for exporter in exports.EXPORTERS:
            if exporter.by == framework and candidates:
                yield candidates[0], exporter


def ask(bare: StoredExport, model: Model, exporter: Exporter, session: Session) -> StoredExport:
    """The record with what came of the export; its file is thrown away."""
    with TemporaryDirectory(prefix="fcnbench-export-", dir=session.scratch()) as folder:
        planned = PlannedExport(model, exporter, Path(folder, f"model{exporter.suffix}"))
        return replace(bare, export=export.ask(planned, planned.out, session.data, session.timeout_s))
