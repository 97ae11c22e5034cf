"""Measurements beside the training runs: probes, breakdowns, exports. Each is asked once and kept while it holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import files
from bench.display import naming
from bench.models import export
from bench.models.export import PlannedExport
from bench.session import digest as session_digest
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import archive, models
from bench.store.models import Model
from bench.store.records.breakdown import Breakdown
from bench.store.records.export import Export, StoredExport
from bench.store.records.probe import Mode, Probe
from bench.store.records.training import TrainingResult
from bench.worker import interpreters, messages, process
from bench.worker.answer import Answer
from bench.worker.process import Placement, entry_point
from bench.worker.requests import BreakDown, ProbeModes, Request
from impls import exports, registry
from impls.exports import Exporter
from impls.registry import Entry
from impls.workload import Workload

BREAKDOWN_TIER = "documented"
Extra = Probe | Breakdown | StoredExport


@dataclass(frozen=True)
class ExtraQuestion:
    """What may have to be asked: the record without an answer, a line that announces it, and who gets the answer."""

    record: Extra
    line: str
    ask: Callable[[], Extra]


def ask_all(questions: Iterable[ExtraQuestion], directory: Path, fresh: bool, say: Callable[[str], None]) -> None:
    """Ask what was not answered before, or no longer holds, and keep each answer; ``say`` is called with each line.

    What fails or is missing is kept as such and fails no run.
    """
    for question in questions:
        kind = type(question.record)
        known = {record.file_name: record for record in ([] if fresh else archive.records(directory, kind))}
        old = known.get(question.record.file_name)
        if old is None or old.digest != question.record.digest or old.status != "ok":
            say(question.line)
            archive.save_record(directory, question.ask())


def ask_exports(
    results: Sequence[TrainingResult], session: Session, headline: str, fresh: bool, say: Callable[[str], None]
) -> None:
    """Have each framework write the network that it trained, in each of its formats.

    Of the run's networks it is the one that is called ``headline``, else the first, of the matched tier where that was
    run.
    """
    pairs = export_pairs(models.of_results(session.directory, results), headline)
    questions = (export_question(model, exporter, results[0].cell.data, session) for model, exporter in pairs)
    ask_all(questions, session.directory, fresh, say)


def export_question(model: Model, exporter: Exporter, data: str, session: Session) -> ExtraQuestion:
    """Does a framework write this network, and is the file right?"""
    digest = session_digest.of_job(
        "export", [exporter.writer, exporter.reader, exporter.models],
        model.name, interpreters.package_versions(exporter.packages), data,
    )  # fmt: skip
    bare = StoredExport(model.workload.name, model.implementation, digest, export.unwritten(exporter))
    line = f"exporting {model.workload.name} by {naming.LABELS[exporter.by]}: {exporter.format}"
    return ExtraQuestion(bare, line, lambda: replace(bare, export=tried(model, exporter, session)))


def export_pairs(found: Sequence[Model], headline: str) -> Iterator[tuple[Model, Exporter]]:
    """Each framework's network with each of its exporters."""
    for framework in dict.fromkeys(exporter.by for exporter in exports.EXPORTERS):
        rows = registry.of_framework(framework)
        names = [rows[tier].name for tier in ("matched", "documented") if tier in rows]
        own = [model for model in found if model.implementation in names]
        own.sort(key=lambda model: (model.workload.name != headline, names.index(model.implementation)))
        yield from ((own[0], exporter) for exporter in exports.EXPORTERS if exporter.by == framework and own)


def tried(model: Model, exporter: Exporter, session: Session) -> Export:
    """What came of one export; its file is thrown away."""
    with TemporaryDirectory(prefix="fcnbench-export-", dir=session.scratch()) as folder:
        out = Path(folder, f"model{exporter.suffix}")
        return export.ask(PlannedExport(model, exporter, out), out, session.data, session.timeout_s)


def ask_probes(wanted: Plan, session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Ask every framework of the plan that has a probe.

    Of the plan's networks it is asked about the one that is called ``headline``, else about the first.
    """
    workload = wanted.headline(headline)
    questions = (probe_question(entry, workload, wanted, session) for entry in probed(wanted.entries))
    ask_all(questions, session.directory, fresh, say)


def probed(entries: Sequence[Entry]) -> list[Entry]:
    """The first row of each framework that has a probe, with the probe in its place.

    Rows on another backend than their framework's own, and those that a user added, stand for no framework.
    """
    own = {entry.name for entry in registry.BUILT_IN}
    found: dict[str, Entry] = {}
    for entry in entries:
        module = f"impls.probes.{entry.framework}"
        if entry.name in own and entry.short == entry.framework and registry.module_file(module):
            found.setdefault(entry.framework, replace(entry, module=module))
    return list(found.values())


def probe_question(entry: Entry, workload: Workload, wanted: Plan, session: Session) -> ExtraQuestion:
    """What becomes of Python in a framework's forward pass, on the CPU?"""
    placement = Placement.of("cpu", max(wanted.threads))
    bare = Probe(
        entry.framework, workload.name, max(wanted.threads),
        answer_digest("probe", entry, workload, wanted, placement.variables(entry)),
        now(), session.machine.machine, "failed", "not asked",
    )  # fmt: skip
    line = f"probing {entry.framework}: what becomes of Python in its forward pass"
    return ExtraQuestion(bare, line, lambda: ask_probe(bare, entry, workload, session))


def ask_probe(bare: Probe, entry: Entry, workload: Workload, session: Session) -> Probe:
    """The probe with its answer. One that is missing or fails says why."""
    request = ProbeModes(entry_point(entry), workload, str(session.data), str(session.scratch()))
    answer = ask(entry, request, Placement.of("cpu", bare.threads), session, f"probe.{entry.framework}")
    status, reason = answer.outcome
    return replace(
        bare,
        started=now(),
        status=status,
        reason=reason,
        versions=answer.last(messages.Versions, messages.Versions({})).versions,
        default=answer.last(messages.DefaultMode, messages.DefaultMode("")).name,
        modes=answer.all(Mode),
        lost={lost.name: lost.reason for lost in answer.all(messages.LostMode)},
        tools=answer.last(messages.DebuggingTools, messages.DebuggingTools({})).tools,
    )


def ask_breakdowns(wanted: Plan, session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Break down each of the tutorials' programs in the plan on each of its devices.

    Of the plan's networks it is the one that is called ``headline``, else the first, with the most threads.
    """
    workload = wanted.headline(headline)
    questions = (
        breakdown_question(entry, workload, device, wanted, session)
        for entry in broken_down(wanted.entries)
        for device in wanted.devices
    )
    ask_all(questions, session.directory, fresh, say)


def broken_down(entries: Sequence[Entry]) -> list[Entry]:
    """The built-in rows of the tutorials' tier that can be broken down, with the module that does it in its place."""
    own = {entry.name for entry in registry.BUILT_IN if entry.tier == BREAKDOWN_TIER}
    found = [(entry, f"impls.breakdown.{entry.framework}") for entry in entries if entry.name in own]
    return [replace(entry, module=module) for entry, module in found if registry.module_file(module)]


def breakdown_question(entry: Entry, workload: Workload, device: str, wanted: Plan, session: Session) -> ExtraQuestion:
    """Where does the time of an epoch go?"""
    placement = Placement.of(device, max(wanted.threads), workload.precision)
    bare = Breakdown(
        entry.name, entry.tier, entry.framework, workload.name, device, max(wanted.threads),
        answer_digest("breakdown", entry, workload, wanted, placement.variables(entry)),
        now(), session.machine.machine, "failed", "not asked",
    )  # fmt: skip
    where = naming.title(workload.name, device, bare.threads)
    line = f"breaking down an epoch of {naming.named(entry.name, entry.tier)}: {where}"
    return ExtraQuestion(bare, line, lambda: ask_breakdown(bare, entry, workload, session))


def ask_breakdown(bare: Breakdown, entry: Entry, workload: Workload, session: Session) -> Breakdown:
    """The breakdown with its answer. A program that is missing or fails says why."""
    request = BreakDown(entry_point(entry), workload, bare.device, str(session.data), str(session.scratch()))
    placement = Placement.of(bare.device, bare.threads, workload.precision)
    answer = ask(entry, request, placement, session, f"breakdown.{bare.file_name}")
    status, reason = answer.outcome
    passes: dict[str, tuple[float, ...]] = {}
    for one in answer.all(messages.BreakdownRound):
        for name, seconds in one.seconds.items():
            passes[name] = (*passes.get(name, ()), seconds)
    found = replace(
        bare,
        started=now(),
        status=status,
        reason=reason,
        versions=answer.last(messages.Versions, messages.Versions({})).versions,
        passes=passes,
    )
    for counted in answer.all(messages.BreakdownImages):
        found = replace(found, images=counted.images, epoch_images=counted.epoch_images)
    return found


def answer_digest(job: str, entry: Entry, workload: Workload, wanted: Plan, variables: Mapping[str, str]) -> str:
    """What would change an answer: code, versions, data, the environment."""
    versions = interpreters.versions(entry)
    return session_digest.of_job(job, [entry.module], asdict(workload), wanted.data, versions, variables)


def ask(entry: Entry, request: Request, placement: Placement, session: Session, name: str) -> Answer:
    """What a worker answers; ``name`` is its log's."""
    log = session.directory / "logs" / f"{name}.log"
    with files.writing(log):
        return process.ask(entry, request, placement, log, session.timeout_s)


def now() -> str:
    """The moment, as records hold it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
