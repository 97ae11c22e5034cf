"""Measurements beside the training runs: probes, breakdowns, exports."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import files
from bench.display import naming
from bench.machine import cpus
from bench.models import export
from bench.models.export import Asked
from bench.session import digest as session_digest
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import extras, models
from bench.store.models import Model
from bench.store.records.breakdown import Breakdown
from bench.store.records.export import Export, StoredExport
from bench.store.records.probe import Probe
from bench.store.records.training import Result
from bench.worker import interpreters, messages, process
from bench.worker.process import Answer
from impls import environment, exports, registry
from impls.exports import Exporter
from impls.registry import Entry
from impls.workload import Workload

BREAKDOWN_TIER = "documented"


def ask_exports(
    results: Sequence[Result], session: Session, headline: str, fresh: bool, say: Callable[[str], None]
) -> None:
    """Have each framework write the network that it trained, in each of its formats; ``say`` is told of each.

    Of the run's networks it is the one that is called ``headline``, else the first, of the matched tier where that was
    run. What fails or is missing is kept as such and fails no run.
    """
    known = {
        (kept.export.by, kept.export.format): kept for kept in ([] if fresh else extras.read_exports(session.directory))
    }
    for model, exporter in export_pairs(models.of_results(session.directory, results), headline):
        digest = session_digest.of_job(
            "export", [exporter.writer, exporter.reader, exporter.models],
            model.name, interpreters.package_versions(exporter.packages), results[0].cell.data,
        )  # fmt: skip
        old = known.get((exporter.by, exporter.format))
        if old is None or old.digest != digest or old.export.status != "ok":
            say(f"exporting {model.workload.name} by {naming.LABELS[exporter.by]}: {exporter.format}")
            made = tried(model, exporter, session)
            extras.save_export(session.directory, StoredExport(model.workload.name, model.implementation, digest, made))


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
    with TemporaryDirectory(prefix="fcnbench-exported-") as folder:
        out = Path(folder, f"model{exporter.suffix}")
        return export.ask(Asked(model, exporter, out), out, session.data, session.timeout_s)


def ask_probes(wanted: Plan, session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Ask every framework of the plan that has a probe, and keep what it answers; ``say`` is told of each.

    Of the plan's networks it is asked about the one that is called ``headline``, else about the first.
    """
    workload = wanted.headline(headline)
    known = {probe.framework: probe for probe in ([] if fresh else extras.read_probes(session.directory))}
    for entry in probed(wanted.entries):
        threads = max(wanted.threads)
        digest = answer_digest("probe", entry, workload, wanted, environment.environment(entry, "cpu", threads))
        old = known.get(entry.framework)
        if old is None or old.digest != digest or old.status != "ok":
            say(f"probing {entry.framework}: what becomes of Python in its forward pass")
            answer = ask_probe(entry, workload, threads, session)
            extras.save_probe(session.directory, replace(answer, digest=digest))


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


def ask_probe(entry: Entry, workload: Workload, threads: int, session: Session) -> Probe:
    """One framework's answer, on the CPU. One that is missing or fails says why, and its run goes on."""
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    variables = environment.environment(entry, "cpu", threads)
    answer = ask("examine", entry, workload, session, variables, threads, f"probe.{entry.framework}")
    status, reason = answer.end(session.timeout_s)
    told: dict[str, dict[str, object]] = {"facts": {}, "lost": {}, "tools": {}}
    for event in answer.events:
        if event.name in told:
            told[event.name] |= event.values
    values = {
        "framework": entry.framework, "workload": workload.name, "threads": threads, "digest": "", "started": started,
        "machine": session.machine.machine, "status": status, "reason": reason,
        **told["facts"], "lost": told["lost"], "tools": told["tools"],
        "modes": [event.values for event in answer.events if event.name == "mode"],
    }  # fmt: skip
    return extras.PROBE.validate_python(values)


def answer_digest(job: str, entry: Entry, workload: Workload, wanted: Plan, variables: Mapping[str, str]) -> str:
    """What would change an answer: code, versions, data, the environment."""
    versions = interpreters.versions(entry)
    return session_digest.of_job(job, [entry.module], asdict(workload), wanted.data, versions, variables)


def ask(
    job: str,
    entry: Entry,
    workload: Workload,
    session: Session,
    variables: Mapping[str, str],
    threads: int,
    name: str,
    **asked: Any,
) -> Answer:
    """What a worker answers to a ``job`` about the network, the data and what else is given; ``name`` is its log's."""
    log = session.directory / "logs" / f"{name}.log"
    with files.writing(log):
        return process.launch(
            messages.request(job, entry, workload=asdict(workload), data=str(session.data), **asked),
            variables,
            cpus.available_cpus()[:threads],
            log,
            session.timeout_s,
            interpreters.command(entry),
        )


def ask_breakdowns(wanted: Plan, session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Break down each of the tutorials' programs in the plan on each of its devices; ``say`` is told of each.

    Of the plan's networks it is the one that is called ``headline``, else the first, with the most threads.
    """
    workload = wanted.headline(headline)
    known = {extras.breakdown_name(kept): kept for kept in ([] if fresh else extras.read_breakdowns(session.directory))}
    for entry in dissected(wanted.entries):
        for device in wanted.devices:
            asked = question(entry, workload, device, wanted, session)
            old = known.get(extras.breakdown_name(asked))
            if old is None or old.digest != asked.digest or old.status != "ok":
                place = naming.title(workload.name, device, asked.threads)
                say(f"breaking down an epoch of {naming.named(entry.name, entry.tier)}: {place}")
                extras.save_breakdown(session.directory, answered(asked, entry, workload, session))


def dissected(entries: Sequence[Entry]) -> list[Entry]:
    """The built-in rows of the tutorials' tier that can be broken down, with the module that does it in its place."""
    own = {entry.name for entry in registry.BUILT_IN if entry.tier == BREAKDOWN_TIER}
    found = [(entry, f"impls.breakdown.{entry.framework}") for entry in entries if entry.name in own]
    return [replace(entry, module=module) for entry, module in found if registry.module_file(module)]


def question(entry: Entry, workload: Workload, device: str, wanted: Plan, session: Session) -> Breakdown:
    """What is asked, without an answer; its digest is of versions, sources, data and the environment."""
    threads = max(wanted.threads)
    variables = breakdown_variables(entry, workload, device, threads)
    digest = answer_digest("breakdown", entry, workload, wanted, variables)
    return Breakdown(
        entry.name, entry.tier, entry.framework, workload.name, device, threads, digest,
        datetime.now(UTC).isoformat(timespec="milliseconds"), session.machine.machine, "failed", "not asked",
    )  # fmt: skip


def answered(asked: Breakdown, entry: Entry, workload: Workload, session: Session) -> Breakdown:
    """The same with its answer. A program that is missing or fails says why, and its run goes on."""
    own = breakdown_variables(entry, workload, asked.device, asked.threads)
    answer = ask(
        "dissect",
        entry,
        workload,
        session,
        own,
        asked.threads,
        f"breakdown.{extras.breakdown_name(asked)}",
        device=asked.device,
    )
    status, reason = answer.end(session.timeout_s)
    facts: dict[str, Any] = {}
    passes: dict[str, list[float]] = {}
    for event in answer.events:
        if event.name == "facts":
            facts |= event.values
        if event.name == "round":
            for name, seconds in event.values.items():
                passes.setdefault(name, []).append(seconds)
    return extras.BREAKDOWN.validate_python(
        {**asdict(asked), "status": status, "reason": reason, **facts, "passes": passes}
    )


def breakdown_variables(entry: Entry, workload: Workload, device: str, threads: int) -> dict[str, str]:
    """The environment of a program's process."""
    return environment.environment(entry, device, threads, precision=workload.precision)
