"""``fcnbench export``: which network, in which format, by which framework, to which file; and what came of it."""

import errno
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import FcnBenchError, unknown
from bench.files import writing
from bench.models import find
from bench.store.models import Model
from bench.store.records.export import Export
from bench.worker import process
from bench.worker.process import Placement, entry_point
from bench.worker.requests import WriteExport
from impls import exports, portable, registry
from impls.exports import Exporter


class Refused(FcnBenchError):
    """No file was written, since the exporter failed or its file does not do the same work."""

    exit_status = 1


@dataclass(frozen=True)
class PlannedExport:
    """A network, who writes it, and the file that it becomes."""

    model: Model
    exporter: Exporter
    out: Path

    @property
    def title(self) -> str:
        """The network, who trained it, the format and whose exporter writes it."""
        return f"{self.model.workload.name} ({self.model.implementation}) to {self.exporter.title}"


def prepare(
    path: Path, format: str, by: str | None, out: Path | None, implementation: str | None, workload: str | None
) -> PlannedExport:
    """The export that the options describe. Raises FcnBenchError for what is unknown, ambiguous or not writable."""
    if format not in exports.FORMATS:
        raise unknown("format", format, exports.FORMATS)
    names = {row.by for row in exports.EXPORTERS}
    if by is not None and by not in names:
        raise unknown("framework", by, names)
    model = find.single(path, implementation, workload)
    exporter = written_by(format, by or model.framework, given=by is not None)
    default = f"{model.workload.name}.{model.implementation}{exporter.suffix}"
    out = Path(default) if out is None else out / default if out.is_dir() else out
    if not out.parent.is_dir():
        raise FcnBenchError(f"--out {out}: there is no directory {out.parent}; make it or give another --out")
    return PlannedExport(model, exporter, out)


def written_by(format: str, framework: str, given: bool = False) -> Exporter:
    """The framework's own exporter to the format; another framework's, unless this one was ``given`` by the user."""
    rows = {row.by: row for row in exports.writers(format)}
    if given and framework not in rows:
        raise FcnBenchError(f"--by {framework}: {format} is written by {', '.join(rows)} alone; leave --by out")
    return rows.get(framework, next(iter(rows.values())))


def export(planned: PlannedExport, data: Path, timeout_s: float) -> Export:
    """Have a worker write the file and check it on the test images in ``data``; only then does it get its name.

    Raises :class:`Refused`, with the figures, where the file does not do the same work or could not be made, and
    FcnBenchError where a package is missing or the directory cannot be written. Nothing is left then.
    """
    with (
        writing(planned.out, "make room or give another --out"),
        TemporaryDirectory(prefix=".fcnbench-export-", dir=planned.out.parent) as folder,
    ):
        unchecked = Path(folder, f"model{planned.exporter.suffix}")
        written = ask(planned, unchecked, data, timeout_s)
        if written.status == "skipped":
            package = written.reason.split()[0].replace("_", "-")
            raise FcnBenchError(f"export of {planned.title}: {written.reason}; pip install {package}")
        if written.status == "failed":
            if shutil.disk_usage(folder).free < 4 * planned.model.workload.parameters:  # frameworks do not say so
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            same = "" if written.agree is None else f" ({written.agree:,} of {written.images:,} digits are the same)"
            raise Refused(f"export of {planned.title}: {written.reason}{same}; nothing was written")
        unchecked.replace(planned.out)
    return written


def ask(planned: PlannedExport, out: Path, data: Path, timeout_s: float) -> Export:
    """Have a worker write ``out``, whose folder is temporary. Never raises for what the worker does."""
    exporter, model = planned.exporter, planned.model
    entry = registry.of_framework(exporter.by)["matched"]
    source = out.with_name("source.npz")
    origin = {"implementation": model.implementation, "framework": model.framework}
    portable.save(source, model.workload, model.weights, {**origin, "versions": dict(model.versions)})
    program = replace(entry_point(entry), packages=exporter.packages)
    request = WriteExport(program, str(source), exporter.format, exporter.by, str(out.absolute()), str(data))
    answer = process.ask(entry, request, Placement.of("cpu"), out.with_name("log"), timeout_s)
    status, reason = answer.outcome
    failed = replace(unwritten(exporter), status=status, reason=reason)
    return answer.last(Export, failed) if status == "ok" else failed


def unwritten(exporter: Exporter) -> Export:
    """An export of which nothing is known."""
    return Export(exporter.format, exporter.by, "failed", "not asked")
