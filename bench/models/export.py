"""``fcnbench export``: which network, in which format, by which framework, to which file; and what came of it."""

import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.display import numbers
from bench.errors import FcnBenchError, unknown
from bench.files import writing
from bench.store import archive, models
from bench.store.models import Model
from bench.store.records.export import Export
from bench.worker import process
from bench.worker.process import Placement, entry_point
from bench.worker.requests import WriteExport
from impls import exports, portable, registry
from impls.exports import Exporter, graph
from impls.exports.graph import Node
from impls.frameworks import FRAMEWORKS

WIDTH = 44
"""Characters of a step's name in the table; converters join the names of all that they have fused."""


class Refused(FcnBenchError):
    """No file was written, since an exporter failed or its file does other work."""

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
        by = FRAMEWORKS[self.exporter.by].label
        return f"{self.model.workload.name} ({self.model.implementation}) to {self.exporter.format} by {by}"


def prepare(
    path: Path, format: str, by: str | None, out: Path | None, implementation: str | None, workload: str | None
) -> PlannedExport:
    """What the arguments ask for. Raises FcnBenchError for what does not exist, is ambiguous or cannot be written."""
    if format not in exports.FORMATS:
        raise unknown("format", format, exports.FORMATS)
    names = {row.by for row in exports.EXPORTERS}
    if by is not None and by not in names:
        raise unknown("framework", by, names)
    model = chosen(path, implementation, workload)
    exporter = written_by(format, by or model.framework, given=by is not None)
    default = f"{model.workload.name}.{model.implementation}{exporter.suffix}"
    out = Path(default) if out is None else out / default if out.is_dir() else out
    if not out.parent.is_dir():
        raise FcnBenchError(f"--out {out}: there is no directory {out.parent}; make it or give another --out")
    return PlannedExport(model, exporter, out)


def chosen(path: Path, implementation: str | None, workload: str | None) -> Model:
    """The network in the file, or the one of a result directory that the options leave."""
    if not path.is_dir():
        if implementation or workload:
            raise FcnBenchError(f"model {path}: not a result directory; leave out --implementation and --workload")
        return models.load(path)
    found = models.of_results(path, archive.results(path))
    if not found:
        raise FcnBenchError(f"{path}: holds no trained networks (models/*.npz); 'fcnbench run' keeps them")
    for what, name, known in (
        ("implementation", implementation, {model.implementation for model in found}),
        ("workload", workload, {model.workload.name for model in found}),
    ):
        if name is not None and name not in known:
            raise unknown(what, name, known)
    left = [
        model
        for model in found
        if implementation in (None, model.implementation) and workload in (None, model.workload.name)
    ]
    if len(left) == 1:
        return left[0]
    if not left:
        raise FcnBenchError(f"{path}: {implementation} has no trained {workload}; there are {listed(found)}")
    if len({(model.implementation, model.workload.name) for model in left}) == 1:
        files = ", ".join(f"{path / 'models' / model.name}.npz" for model in left)
        raise FcnBenchError(f"{path}: holds {listed(left)} {len(left)} times; give one of the files {files}")
    raise FcnBenchError(
        f"{path}: holds {len(left)} trained networks: {listed(left)}; choose by --workload and --implementation"
    )


def listed(found: Sequence[Model]) -> str:
    """Each network with the implementation that trained it."""
    return ", ".join(sorted({f"{model.workload.name} by {model.implementation}" for model in found}))


def written_by(format: str, framework: str, given: bool = False) -> Exporter:
    """The framework's own exporter to the format; another framework's, unless this one was ``given`` by the user."""
    rows = {row.by: row for row in exports.writers(format)}
    if given and framework not in rows:
        raise FcnBenchError(f"--by {framework}: {format} is written by {', '.join(rows)} alone; leave --by out")
    return rows.get(framework, next(iter(rows.values())))


def export(planned: PlannedExport, data: Path, timeout_s: float) -> Export:
    """Have a worker write the file and check it on the test images in ``data``; only then does it get its name.

    Raises :class:`Refused`, with the figures, where the file does other work or could not be made, and FcnBenchError
    where a package is missing or the directory cannot be written. Nothing is left then.
    """
    with (
        writing(planned.out, "make room or give another --out"),
        TemporaryDirectory(prefix=".fcnbench-export-", dir=planned.out.parent) as folder,
    ):
        unchecked = Path(folder, f"model{planned.exporter.suffix}")
        found = ask(planned, unchecked, data, timeout_s)
        if found.status == "skipped":
            package = found.reason.split()[0].replace("_", "-")
            raise FcnBenchError(f"export of {planned.title}: {found.reason}; pip install {package}")
        if found.status == "failed":
            if shutil.disk_usage(folder).free < 4 * planned.model.workload.parameters:  # frameworks tell it in riddles
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            same = "" if found.agree is None else f" ({found.agree:,} of {found.images:,} digits are the same)"
            raise Refused(f"export of {planned.title}: {found.reason}{same}; nothing was written")
        unchecked.replace(planned.out)
    return found


def ask(planned: PlannedExport, out: Path, data: Path, timeout_s: float) -> Export:
    """What a worker says that was asked to write ``out``, which lies in a temporary folder of its own.

    Never raises for what the worker does.
    """
    exporter, model = planned.exporter, planned.model
    entry = registry.of_framework(exporter.by)["matched"]
    source = out.with_name("source.npz")
    origin = {"implementation": model.implementation, "framework": model.framework}
    portable.save(source, model.workload, model.weights, {**origin, "versions": dict(model.versions)})
    program = replace(entry_point(entry), packages=tuple(exporter.packages))
    request = WriteExport(program, str(source), exporter.format, exporter.by, str(out.absolute()), str(data))
    answer = process.ask(entry, request, Placement.of("cpu"), out.with_name("log"), timeout_s)
    status, reason = answer.outcome
    failed = replace(unwritten(exporter), status=status, reason=reason)
    return answer.last(Export, failed) if status == "ok" else failed


def unwritten(exporter: Exporter) -> Export:
    """An export of which nothing is known."""
    return Export(exporter.format, exporter.by, "failed", "not asked")


def text(planned: PlannedExport, found: Export) -> str:
    """What was written, how it is used, what the check said, and the network as it stands in the file."""
    about = graph.about(
        planned.model.workload,
        found.by,
        {"implementation": planned.model.implementation, "versions": planned.model.versions},
    )
    assert found.agree is not None and found.images is not None and found.largest_difference is not None
    decided = "" if found.agree == found.images else "; the others are ties that rounding decides"
    parameters = sum(node.parameters for node in found.graph)
    total = f"total: {parameters:,} parameters, {sum(node.size_bytes for node in found.graph):,} bytes"
    if parameters != planned.model.workload.parameters:
        total += f"; the network has {planned.model.workload.parameters:,}: the converter folded the others into these"
    lines = [
        f"{planned.out}: {found.size_bytes:,} bytes, {planned.title}",
        f"input: {about['input']}",
        f"scaling, which the file says but does not do: {about['scaling']}, mean {about['mean']}, std {about['std']}",
        f"output: {about['output']}",
        f"checked: {found.agree:,} of {found.images:,} digits are the same{decided}; the largest difference of a logit "
        f"is {found.largest_difference:.2g}, of {found.limit:.2g} that rounding may make",
        f"one image alone takes {numbers.figure('one_image_s', found.one_image_s)} on one thread",
        f"versions: {', '.join(f'{name} {version}' for name, version in found.versions.items())}",
        "",
        *table_of(found.graph),
        total,
    ]
    return "\n".join(lines)


def table_of(nodes: Sequence[Node]) -> list[str]:
    """One line for each step of the network: name, kind, shape of the output, parameters, bytes."""
    rows = [("step", "kind", "output", "parameters", "bytes")]
    for node in nodes:
        name = node.name if len(node.name) <= WIDTH else f"{node.name[: WIDTH - 3]}..."
        rows.append((name, node.kind, shape(node), f"{node.parameters:,}", f"{node.size_bytes:,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if position > 2 else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:], "-" * len(lines[0])]


def shape(node: Node) -> str:
    """``[n, 28, 28, 32]``; nothing where the file does not say."""
    if node.shape is None:
        return numbers.MISSING
    return f"[{', '.join(graph.IMAGES if size is None else str(size) for size in node.shape)}]"
