"""Putting document 1's Table 1 to the frameworks of a run: each in a process of its own, once the cells are measured.

The answers lie in ``probes/FRAMEWORK.json``, and one that still holds is not asked for again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from bench import apart, plan, store
from bench.plan import Plan
from bench.probed import Probe
from bench.run import Session
from impls import registry
from impls.contract import Workload
from impls.registry import Entry

FOLDER = "probes"
PROBE = TypeAdapter(Probe)
HARNESS = ("bench.examine", "bench.worker", "impls.contract")


def ask(wanted: Plan, session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Ask every framework of the plan that has a probe, and keep what it answers; ``say`` is told of each.

    Of the plan's networks it is asked about the one that is called ``headline``, else about the first.
    """
    workload = wanted.headline(headline)
    known = {probe.framework: probe for probe in ([] if fresh else read(session.directory))}
    for entry in probed(wanted.entries):
        digest = digest_of(entry, workload, wanted)
        old = known.get(entry.framework)
        if old is None or old.digest != digest or old.status != "ok":
            say(f"probing {entry.framework}: what becomes of Python in its forward pass")
            answer = probe(entry, workload, max(wanted.threads), session)
            save(session.directory, replace(answer, digest=digest))


def probed(entries: Sequence[Entry]) -> list[Entry]:
    """The first row of each framework that has a probe, with the probe in its place.

    Rows on another backend than their framework's own, and those that a user added, stand for no framework.
    """
    own = {entry.name for entry in registry.BUILT_IN}
    found: dict[str, Entry] = {}
    for entry in entries:
        module = f"impls.probes.{entry.framework}"
        if entry.name in own and entry.short == entry.framework and plan.module_file(module):
            found.setdefault(entry.framework, replace(entry, module=module))
    return list(found.values())


def digest_of(entry: Entry, workload: Workload, wanted: Plan) -> str:
    """What would change a probe's answer."""
    modules = (entry.module, f"impls.matched.{entry.framework}", *HARNESS)
    return apart.digest(entry, workload, wanted, modules, registry.environment(entry, "cpu", max(wanted.threads)))


def probe(entry: Entry, workload: Workload, threads: int, session: Session) -> Probe:
    """One framework's answer, on the CPU. One that is missing or fails says why, and its run goes on."""
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    variables = registry.environment(entry, "cpu", threads)
    answer = apart.ask("examine", entry, workload, session, variables, threads, f"probe.{entry.framework}")
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
    return PROBE.validate_python(values)


def save(directory: Path, answer: Probe) -> None:
    """Keep an answer; the one before, of the same framework, is replaced."""
    store.write_record(directory / FOLDER / f"{answer.framework}.json", answer, allow_nan=False)


def read(directory: Path) -> list[Probe]:
    """What the frameworks answered, by name. Raises FcnBenchError for a file that is not what this version writes."""
    return store.read_all(directory / FOLDER, PROBE)
