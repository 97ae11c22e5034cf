"""The rules by which the statements of document 1's Table 1 are decided, from raw counts to a verdict.

What each statement is, and when it is taken to hold, stand in words in the tutorial's file, where the rules are named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import statistics
from bench.data.tutorials import Statement
from bench.display import naming
from bench.display import numbers as display_numbers
from bench.report.chapters.claims import sources
from bench.report.chapters.claims.sources import Program
from bench.report.chapters.claims.verdicts import Basis, Ruling
from bench.statistics import ClaimVerdict
from bench.store import archive
from bench.store.records.export import Export, StoredExport
from bench.store.records.probe import Mode, Probe

PLAIN = ("documented", "matched")
"""The tiers whose programs are as people write them; what is tuned says nothing of how a framework reads."""


@dataclass(frozen=True)
class Evidence:
    """All that Table 1 is decided by: probes by framework, programs by implementation, exports."""

    probes: Mapping[str, Probe]
    programs: Mapping[str, Program]
    exports: Sequence[Export]


def read(directory: Path) -> Evidence:
    """The evidence that a result directory holds."""
    probes = {probe.framework: probe for probe in archive.records(directory, Probe)}
    exports = [stored.export for stored in archive.records(directory, StoredExport)]
    return Evidence(probes, sources.read(directory), exports)


@dataclass(frozen=True)
class Finding:
    """A figure and what it is, the verdict that follows from it, and the same in words for people."""

    quantity: str
    value: float
    ruling: Ruling
    text: str


class Missing(Exception):
    """Nothing here decides the statement; the message says why."""


TASTE = Ruling(ClaimVerdict.NO_VERDICT, Basis.COUNTED)


def decided(holds: bool, basis: Basis | None = None) -> Ruling:
    """That a statement holds, or that it does not, and by what."""
    return Ruling(ClaimVerdict.CONFIRMED if holds else ClaimVerdict.REFUTED, basis)


def modes_of(claim: Statement, evidence: Evidence) -> tuple[Mode, ...]:
    """The modes of the claim's framework, its default first. Raises Missing where that was not probed to its end."""
    probe, name = evidence.probes.get(claim.framework), naming.LABELS[claim.framework]
    if probe is None:
        raise Missing(f"no probe of {name} in this run")
    if probe.status != "ok":
        raise Missing(probe.reason)
    if not probe.modes or probe.modes[0].name != probe.default:
        raise Missing(f"{probe.default} did not run ({probe.lost.get(probe.default, 'it said nothing')})")
    return probe.modes


def of_all(claim: Statement, evidence: Evidence, words: Callable[[Mode], str]) -> list[str]:
    """What was found in each mode of the claim's framework, in these words; those that did not run last, and why."""
    lost = evidence.probes[claim.framework].lost.items()
    return [*map(words, modes_of(claim, evidence)), *(f"{name}: not measured ({why})" for name, why in lost)]


def steps(mode: Mode) -> int:
    """Training steps of all epochs with Python in the forward pass."""
    return mode.steps * len(mode.calls)


def every_step(mode: Mode) -> bool:
    """Whether Python in the forward pass ran at every training step of every epoch."""
    return all(calls >= mode.steps for calls in mode.calls)


def computes_at_once(mode: Mode) -> bool:
    """Whether a tensor in the forward pass had numbers at every step."""
    return mode.numbers >= steps(mode)


def called(mode: Mode) -> str:
    """How often Python ran in the forward pass."""
    times = display_numbers.count(sum(mode.calls), "time")
    graphs = (
        "" if mode.graphs is None else f"; without it, {display_numbers.count(mode.graphs, 'graph')} served all steps"
    )
    return f"{mode.name}: Python ran {times} in {steps(mode)} steps{graphs}"


def stopped(mode: Mode) -> str:
    """What a debugger saw."""
    if not mode.stops:
        return f"{mode.name}: breakpoint() never reached"
    times = display_numbers.count(mode.stops, "time")
    numbers = f"{mode.numbers} times with numbers" if mode.numbers else "never with numbers"
    kinds = display_numbers.listed(list(mode.kinds))
    return f"{mode.name}: breakpoint() reached {times} in {steps(mode)} steps, {numbers} to be seen ({kinds})"


def calls_per_step(mode: Mode, ruling: Ruling, text: Sequence[str]) -> Finding:
    """How often Python runs at a training step."""
    return Finding("Python calls per step", sum(mode.calls) / steps(mode), ruling, "\n".join(text))


def stops_per_step(mode: Mode, text: Sequence[str]) -> Finding:
    """How often a debugger sees numbers at a training step; the statement holds where it does at every one."""
    share, ruling = mode.numbers / steps(mode), decided(computes_at_once(mode))
    return Finding("stops with numbers per step", share, ruling, "\n".join(text))


def dynamic(claim: Statement, evidence: Evidence) -> Finding:
    """Python runs at every step."""
    first = modes_of(claim, evidence)[0]
    return calls_per_step(first, decided(every_step(first)), of_all(claim, evidence, called))


def static(claim: Statement, evidence: Evidence) -> Finding:
    """Python is traced and then left out; where another mode runs it at every step, that is so by default only."""
    first, *others = modes_of(claim, evidence)
    traced = first.calls[0] < first.steps and not any(first.calls[1:])
    ruling = decided(traced, Basis.DEFAULT_MODE if traced and any(map(every_step, others)) else None)
    return calls_per_step(first, ruling, of_all(claim, evidence, called))


def at_once(claim: Statement, evidence: Evidence) -> Finding:
    """What an operation gives can be looked at where it stands."""
    first = modes_of(claim, evidence)[0]
    return stops_per_step(first, [stopped(first)])


def debuggers(claim: Statement, evidence: Evidence) -> Finding:
    """A breakpoint in the forward pass, by default, finds numbers at every step."""
    return stops_per_step(modes_of(claim, evidence)[0], of_all(claim, evidence, stopped))


def defined_first(claim: Statement, evidence: Evidence) -> Finding:
    """There is a graph before anything is trained, and nothing is computed without one."""
    modes = modes_of(claim, evidence)
    free = [mode.name for mode in modes if computes_at_once(mode)]
    before = modes[0].before
    traced = display_numbers.count(before, "time") if before else "nothing"
    text = [f"{modes[0].name}: traced {traced} before training began"]
    text += [f"{name}: computes without a graph" for name in free]
    return Finding("calls before the first step", before, decided(before > 0 and not free), "\n".join(text))


def special_tool(claim: Statement, evidence: Evidence) -> Finding:
    """No mode lets an ordinary debugger see numbers; where one does, what it costs."""
    modes, text = modes_of(claim, evidence), of_all(claim, evidence, stopped)
    ordinary = next((mode for mode in modes if computes_at_once(mode)), None)
    cost = times_as_long(ordinary, modes[0]) if ordinary else None
    if ordinary and cost:
        times = display_numbers.ratio(cost)
        text.append(f"{ordinary.name} takes {times} times as long (geometric means, {modes[0].steps} steps)")
    tools = evidence.probes[claim.framework].tools
    text += [f"{name}: {'there' if there else 'not there'}" for name, there in tools.items()]
    quantity = "times as long to be debugged" if cost else "modes in which a debugger sees numbers"
    return Finding(quantity, cost or float(ordinary is not None), decided(ordinary is None), "\n".join(text))


def times_as_long(mode: Mode, default: Mode) -> float | None:
    """A mode's steady epochs by those of the default, both as geometric means; None where either was not timed."""
    if len(mode.epoch_s) < 2 or len(default.epoch_s) < 2:
        return None
    return statistics.process_value(mode.epoch_s[1:]) / statistics.process_value(default.epoch_s[1:])


def names(claim: Statement, evidence: Evidence) -> Finding:
    """How many names of its framework a program uses, beside the other one's."""
    what = "names of the framework"
    return counted(claim, evidence, what, lambda program: len(program.names))


def loop(claim: Statement, evidence: Evidence) -> Finding:
    """How many calls make up the training loop, beside the other one's."""
    return counted(claim, evidence, "calls in the training loop", lambda program: program.calls)


def counted(claim: Statement, evidence: Evidence, what: str, count: Callable[[Program], int]) -> Finding:
    """What is counted in a framework's program and in the other's, of the first tier that has both."""
    counts = {}
    for tier in PLAIN:
        programs = [evidence.programs.get(f"{tier}-{name}") for name in (claim.framework, claim.other)]
        if programs[0] and programs[1]:
            counts[tier] = count(programs[0]), count(programs[1])
    if not counts:
        raise Missing("needs the programs of both frameworks, documented or matched")
    other = naming.LABELS[claim.other]
    text = [f"{tier}: {number} ({other}: {beside}) {what}" for tier, (number, beside) in counts.items()]
    return Finding(what, next(iter(counts.values()))[0], TASTE, "\n".join(text))


def exports_of(claim: Statement, evidence: Evidence, framework: str) -> list[Export]:
    """What a framework wrote in the formats of the claim. Raises Missing where nothing was tried."""
    exports = [made for made in evidence.exports if made.by == framework and made.format in claim.formats]
    if not exports:
        raise Missing(f"no network was exported from {naming.LABELS[framework]}")
    return exports


def works(made: Export) -> bool:
    """Whether the exported file was run and agrees with the network on every test image."""
    return made.status == "ok" and bool(made.images) and made.agree == made.images


def supported(claim: Statement, evidence: Evidence) -> Finding:
    """At least one format is written, runs, and agrees on all images."""
    exports = exports_of(claim, evidence, claim.framework)
    number = sum(map(works, exports))
    return Finding("formats that work", number, decided(number > 0), "\n".join(map(described, exports)))


def formats(claim: Statement, evidence: Evidence) -> Finding:
    """How many formats work, beside those from the other framework."""
    exports = {name: exports_of(claim, evidence, name) for name in (claim.framework, claim.other)}
    working = {name: [export.format for export in made if works(export)] for name, made in exports.items()}
    number = len(set(working[claim.framework]))
    text = [f"{naming.LABELS[name]}: {display_numbers.listed(made) or 'none works'}" for name, made in working.items()]
    return Finding("formats that work", number, TASTE, "\n".join(text))


def described(made: Export) -> str:
    """One export in words."""
    if made.images is None or made.agree is None:
        return f"{made.format}: {made.status} ({made.reason})"
    text = f"{made.format}: {made.agree:,} of {made.images:,} test images alike"
    text += "" if made.size_bytes is None else f", {made.size_bytes / 1000:,.0f} kB"
    text += "" if made.one_image_s is None else f", one image in {made.one_image_s * 1e6:,.0f} µs"
    return text if made.status == "ok" else f"{text}; {made.status} ({made.reason})"


RULES: Mapping[str, Callable[[Statement, Evidence], Finding]] = {
    "dynamic": dynamic, "at once": at_once, "static": static, "defined first": defined_first, "debuggers": debuggers,
    "special tool": special_tool, "names": names, "loop": loop, "supported": supported, "formats": formats,
}  # fmt: skip
"""The rules by the names that the tutorials' files give them."""
