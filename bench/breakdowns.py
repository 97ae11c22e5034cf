"""Breaking down an epoch of the tutorials' programs: each in a process of its own, once the cells are measured.

The answers lie in ``breakdowns/IMPLEMENTATION.NETWORK.DEVICE.json``, and one that still holds is not asked for again.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from bench import apart, plan, store, words
from bench.dissected import Breakdown
from bench.plan import Plan
from bench.run import Session
from impls import registry
from impls.contract import Workload
from impls.devices import in_names
from impls.registry import Entry

FOLDER = "breakdowns"
TIER = "documented"
BREAKDOWN = TypeAdapter(Breakdown)
HARNESS = ("bench.dissect", "bench.worker", "impls.contract", "impls.layout")


def ask(wanted: Plan, session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Break down each of the tutorials' programs in the plan on each of its devices; ``say`` is told of each.

    Of the plan's networks it is the one that is called ``headline``, else the first, with the most threads.
    """
    workload = wanted.headline(headline)
    known = {file_name(kept): kept for kept in ([] if fresh else read(session.directory))}
    for entry in dissected(wanted.entries):
        for device in wanted.devices:
            asked = question(entry, workload, device, wanted, session)
            old = known.get(file_name(asked))
            if old is None or old.digest != asked.digest or old.status != "ok":
                place = words.title(workload.name, device, asked.threads)
                say(f"breaking down an epoch of {words.named(entry.name, entry.tier)}: {place}")
                save(session.directory, answered(asked, entry, workload, session))


def dissected(entries: Sequence[Entry]) -> list[Entry]:
    """The built-in rows of the tutorials' tier that can be broken down, with the module that does it in its place."""
    own = {entry.name for entry in registry.BUILT_IN if entry.tier == TIER}
    found = [(entry, f"impls.breakdown.{entry.framework}") for entry in entries if entry.name in own]
    return [replace(entry, module=module) for entry, module in found if plan.module_file(module)]


def question(entry: Entry, workload: Workload, device: str, wanted: Plan, session: Session) -> Breakdown:
    """What is asked, without an answer; its digest is of versions, sources, data and the environment."""
    threads = max(wanted.threads)
    modules = (entry.module, f"impls.{entry.tier}.{entry.framework}", *HARNESS)
    digest = apart.digest(entry, workload, wanted, modules, variables(entry, workload, device, threads))
    return Breakdown(
        entry.name, entry.tier, entry.framework, workload.name, device, threads, digest,
        datetime.now(UTC).isoformat(timespec="milliseconds"), session.machine.machine, "failed", "not asked",
    )  # fmt: skip


def answered(asked: Breakdown, entry: Entry, workload: Workload, session: Session) -> Breakdown:
    """The same with its answer. A program that is missing or fails says why, and its run goes on."""
    own = variables(entry, workload, asked.device, asked.threads)
    answer = apart.ask(
        "dissect", entry, workload, session, own, asked.threads, f"breakdown.{file_name(asked)}", device=asked.device
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
    return BREAKDOWN.validate_python({**asdict(asked), "status": status, "reason": reason, **facts, "passes": passes})


def variables(entry: Entry, workload: Workload, device: str, threads: int) -> dict[str, str]:
    """The environment of a program's process."""
    return registry.environment(entry, device, threads, precision=workload.precision)


def file_name(breakdown: Breakdown) -> str:
    """The name of its file, without the ending."""
    return f"{breakdown.implementation}.{breakdown.workload}.{in_names(breakdown.device)}"


def save(directory: Path, breakdown: Breakdown) -> None:
    """Keep an answer; the one before, of the same program, network and device, is replaced."""
    store.write_record(directory / FOLDER / f"{file_name(breakdown)}.json", breakdown, allow_nan=False)


def read(directory: Path) -> list[Breakdown]:
    """What was answered, by name. Raises FcnBenchError for a file that is not what this version writes."""
    return store.read_all(directory / FOLDER, BREAKDOWN)
