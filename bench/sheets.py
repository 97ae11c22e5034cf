"""Frames as tables for people: strings only, made once, shown in the terminal, in Markdown and in HTML alike."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from bench import words
from bench.answers import Group
from bench.environment import Machine
from bench.records import Gate, Result

SHORT = 72
"""Letters of a reason that fit into a table's cell."""
WRITERS = {"pytorch": "PyTorch", "keras": "Keras"}
MACHINE = {
    "machine": "digest", "cpu": "CPU", "logical_cpus": "logical CPUs", "physical_cpus": "physical cores",
    "available_cpus": "CPUs that may be used", "cpu_quota": "CPU quota", "ram_bytes": "memory",
    "memory_limit_bytes": "memory limit", "os": "system", "python": "Python", "blas": "NumPy's BLAS", "gpus": "GPUs",
}  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """A table of strings. The first ``texts`` columns are words, the others figures; a cell may have a second line.

    Where it is ``grouped``, rows with the same first column belong together and the column is their heading.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    note: str = ""
    grouped: bool = False


def summary(group: Group, wide: bool) -> Sheet:
    """One row per implementation, the fastest first: speed, its ratio to the fastest, accuracy, memory, first epoch.

    ``wide`` adds ranges and spells the names out; the terminal has no room for that and shows the names it takes.
    """
    fastest = group.timed["implementation"].iloc[0] if len(group.timed) else None
    rows = []
    for _, row in group.summary.iterrows():
        name = str(row["implementation"])
        columns = ("epoch_s", "accuracy", "process_peak_bytes")
        speed, accuracy, memory = (
            words.spread(column, row[column], row[f"{column}_low"], row[f"{column}_high"])
            if wide or column == "epoch_s"
            else words.figure(column, row[column])
            for column in columns
        )
        first = words.figure("first_epoch_s", row["first_epoch_s"])
        rows.append((two_lines(group, name) if wide else name, speed, times(group, name, fastest), accuracy, memory, first))
    columns = ("implementation", "time per epoch", "times the fastest", "accuracy", "memory", "first epoch")
    tiers = sorted(set(group.summary["tier"]) if len(group.summary) else [], key=words.tier_rank)
    meanings = "; ".join(f"{tier}: {words.TIERS[tier]}" for tier in tiers if tier in words.TIERS)
    note = f"Median of the processes (range); accuracy {group.after}; memory is the whole process's peak. {meanings}."
    return Sheet(group.title, columns, tuple(rows), note=note)


def two_lines(group: Group, name: str) -> str:
    """An implementation's name, its tier beneath."""
    tier = str(group.row(name)["tier"])
    return f"{words.label(name, tier)}\n{tier}"


def times(group: Group, name: str, fastest: str | None) -> str:
    """How many times the fastest implementation's time another took, with its interval if there is one."""
    if name == fastest:
        return "1"
    pair = group.pair(name, fastest) if fastest else None
    if pair is None:
        return words.MISSING
    estimate, low, high = pair.estimate, pair.low, pair.high
    if pair.slow != name:  # the typical epoch is longer, the paired ratio says otherwise
        estimate, low, high = 1 / estimate, 1 / high, 1 / low if low > 0 else math.inf
    ends = "" if math.isinf(high) or low <= 0 else f" ({words.ratio(low)}–{words.ratio(high)})"
    return f"{words.ratio(estimate)}{ends}"


def pairs(group: Group, within_tier: bool) -> Sheet:
    """Every pair of implementations of a group, of the same tier or of different ones, with the verdict in words."""
    tier = dict(zip(group.runs["implementation"], group.runs["tier"], strict=True))
    rows = []
    for pair in sorted(group.pairs, key=lambda pair: words.tier_rank(tier[pair.fast])):
        if (tier[pair.fast] == tier[pair.slow]) == within_tier:
            ends = f"{words.ratio(pair.low)}–{words.ratio(pair.high)}"
            rows.append((
                group.named(pair.fast), group.named(pair.slow),
                words.verdict(pair.verdict, pair.estimate, pair.low, pair.high, group.named(pair.fast), pair.delta),
                words.ratio(pair.estimate), words.MISSING if math.isinf(pair.high) else ends, str(pair.blocks),
            ))  # fmt: skip
    columns = ("shorter time", "longer time", "verdict", "times as long", "95 % interval", "blocks")
    return Sheet(group.title, columns, tuple(rows), texts=3)


def control(group: Group) -> list[str]:
    """The A/A control in words: what the machine shows between a thing and itself."""
    told = []
    for _, row in group.control.iterrows():
        found = words.interval(row["low"], row["high"], group.runs.loc[group.runs["role"] == "control", "block"].nunique())
        state = "fit" if row["fit"] else "UNFIT, it differs from itself"
        if math.isinf(row["high"]):
            state = "cannot be judged"
        told.append(
            f"A/A control: {row['implementation']} against itself, {words.ratio(row['estimate'])} times ({found}): {state}. "
            f"Differences below {words.share(row['delta'])} are not called differences."
        )
    return told or ["A/A control: none was measured, so how much this machine differs from itself is not known."]


def table_4(frame: pd.DataFrame, group: Group, document_epochs: int | None, wide: bool) -> list[Sheet]:
    """Document 1's performance table for the workload that it makes claims about: claim beside measured, by tier.

    Without ``wide``, a device on which nothing was measured becomes a note instead of rows.
    """
    own = frame[frame["workload"] == group.workload] if len(frame) else frame
    if own.empty or own["claim_low"].isna().all():
        return []
    tiers = sorted(own["tier"].unique(), key=words.tier_rank)
    sheets = []
    for threads, there in own.groupby("threads"):
        rows, notes = [], []
        for device in there["device"].unique():
            on_device = there[there["device"] == device]
            if not wide and not (on_device["processes"] > 0).any():
                notes.append(f"{words.device(device)}: {shorten(on_device['why'].iloc[0])}.")
        for quantity, name in words.QUANTITIES.items():
            for device in there["device"].unique():
                for framework in ("pytorch", "keras"):
                    found = there[(there["quantity"] == quantity) & (there["device"] == device)]
                    found = found[found["framework"] == framework].set_index("tier")
                    if found.empty or (not wide and any(note.startswith(words.device(device)) for note in notes)):
                        continue
                    epochs = int(found["epochs"].iloc[0])
                    shown = f"{name}\n{words.after(epochs, document_epochs)}" if quantity == "accuracy" else name
                    claim = found[["claim_low", "claim_high"]].iloc[0]
                    values = [measured(found.loc[tier], wide) if tier in found.index else words.MISSING for tier in tiers]
                    rows.append((
                        shown, words.LABELS[framework], words.device(device),
                        words.claimed(quantity, claim["claim_low"], claim["claim_high"]) or "no claim", *values,
                    ))  # fmt: skip
        title = f"{group.workload}, {words.count(int(threads), 'thread')}"
        columns = ("quantity", "framework", "device", "document 1 says", *(f"measured, {tier}" for tier in tiers))
        sheets.append(Sheet(title, columns, tuple(rows), texts=3, note=" ".join(notes), grouped=True))
    return sheets


def measured(row: pd.Series, wide: bool) -> str:
    """One measured value of Table 4 with its range, and in a wide table what it is to the claim; or why it is missing."""
    if not row["processes"]:
        return str(row["why"]) if wide else shorten(row["why"], 24)
    quantity = str(row["quantity"])
    shown = words.spread(quantity, row["value"], row["low"], row["high"])
    if not wide or words.missing(row["claim_low"]):
        return shown
    return f"{shown}\n{words.beside_claim(quantity, row['value'], row['claim_low'], row['claim_high'])}"


def cold_start(group: Group) -> Sheet:
    """What happens once in a process, before steady epochs: medians."""
    rows = []
    for name in group.summary["implementation"] if len(group.summary) else []:
        own = group.runs[(group.runs["implementation"] == name) & (group.runs["status"] == "ok")]
        own = own[own["role"] == "measured"]
        columns = ("import_s", "build_s", "load_s", "first_epoch_s", "predict_s", "process_s")
        rows.append((two_lines(group, name), *(words.figure(column, own[column].median()) for column in columns)))
    columns = ("implementation", "import", "build", "load data", "first epoch", "prediction", "whole process")
    return Sheet(group.title, columns, tuple(rows), note="Medians; prediction is of all test images, after every epoch.")


def cells(runs: pd.DataFrame) -> Sheet:
    """Every cell as it was measured, one row each, in the order of the session."""
    rows = []
    for _, row in runs.iterrows():
        busy = None if words.missing(row["process_s"]) or not row["process_s"] else row["others_cpu_s"] / row["process_s"]
        state = row["status"] if row["status"] != "ok" else row["role"]
        figures = [words.figure(name, row[name]) for name in ("epoch_s", "first_epoch_s", "accuracy", "process_peak_bytes")]
        cpus = [words.MISSING if words.missing(value) else f"{value:.2f}" for value in (row["cpu_per_wall"], busy)]
        rows.append((
            row["implementation"], row["workload"], words.place(row["device"], row["threads"]), f"{row['block']}", state,
            *figures, *cpus,
        ))  # fmt: skip
    columns = (
        "implementation", "network", "place", "block", "status", "time per epoch", "first epoch", "accuracy", "memory",
        "CPUs busy", "CPUs of others",
    )  # fmt: skip
    return Sheet("", columns, tuple(rows), texts=5)


@dataclass(frozen=True)
class Lost:
    """Cells that ended the same way: what they were, why, and the end of the first one's log."""

    what: str
    status: str
    reason: str
    log: str

    @property
    def line(self) -> str:
        """All of it on one line, without the log."""
        return f"{self.status}: {self.what}: {shorten(self.reason, 240)}"


def lost(results: Sequence[Result]) -> list[Lost]:
    """The cells that failed or were skipped, those of the same reason together; failures first."""
    kinds: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        cell = result.cell
        if result.status != "ok":
            place = words.place(cell.device, cell.threads)
            kinds.setdefault((result.status, cell.workload.name, place, result.reason), []).append(result)
    found = []
    for (status, workload, place, reason), same in kinds.items():
        names = dict.fromkeys(result.cell.implementation for result in same)
        control = " (control)" if all(result.cell.role == "control" for result in same) else ""
        blocks = sorted({result.cell.block for result in same})
        which = f"block{'' if len(blocks) == 1 else 's'} {words.listed([str(block) for block in blocks])}"
        log = next((result.log_tail for result in same if result.log_tail), "")
        what = f"{words.listed(list(names))}{control}, {workload}, {place}, {which}"
        found.append(Lost(what, status, reason or "no reason was given", log))
    return sorted(found, key=lambda lost: lost.status)


def shorten(text: str, letters: int = SHORT) -> str:
    """The text on one line, cut where it is too long."""
    line = " ".join(str(text).split())
    return line if len(line) <= letters else f"{line[: letters - 3]}..."


def failed_gates(gates: Sequence[Gate]) -> list[str]:
    """The implementations that do other work than the workload asks for, a line each."""
    return [
        f"withheld: {gate.implementation}, {gate.workload}, {words.device(gate.device)}: it does not do the same work: "
        f"{shorten(gate.reason, 240)}"
        for gate in gates
        if gate.status == "failed"
    ]


def gate(gates: Sequence[Gate]) -> Sheet:
    """What the equivalence gate found: the worst rung of each implementation, workload and device."""
    rows = []
    for gate in gates:
        compared = [(rung.figure / rung.limit, rung) for rung in gate.rungs if rung.figure is not None and rung.limit]
        share, worst = max(compared, key=lambda found: found[0], default=(0.0, None))
        rows.append((
            gate.implementation, gate.workload, words.device(gate.device), gate.status,
            gate.reason or (f"{worst.name}: {share:.0%} of the limit".replace("%", " %") if worst else ""),
            str(sum(rung.passed for rung in gate.rungs)),
        ))  # fmt: skip
    columns = ("implementation", "network", "device", "same work?", "nearest to its limit", "rungs passed")
    return Sheet("", columns, tuple(rows), texts=5)


def fairness(results: Sequence[Result]) -> Sheet:
    """What each implementation declared about its work: who drew weights and order, and which form of Adam it ran."""
    rows = {}
    for result in results:
        if result.status == "ok" and result.cell.role == "measured" and result.cell.implementation not in rows:
            switches = result.switches
            order = {True: "given by the harness, equal for all", False: "its own"}.get(switches.get("takes_order", None))
            form = switches.get("adam")
            adam = f"as {WRITERS.get(form[0], form[0])} writes it, epsilon {form[1]:g}" if isinstance(form, list) else ""
            packages = ", ".join(f"{name} {version}" for name, version in result.versions.items())
            name = words.named(result.cell.implementation, result.cell.tier)
            rows[result.cell.implementation] = (name, order or words.MISSING, adam or words.MISSING, packages)
    columns = ("implementation", "start weights and batch order", "Adam", "versions")
    return Sheet("", columns, tuple(rows[name] for name in sorted(rows)), texts=4)


def machine(found: Machine) -> Sheet:
    """A machine, a property in each row."""
    rows = []
    for name, value in asdict(found).items():
        shown = words.figure(name, value) if name.endswith("_bytes") else str(value)
        rows.append((MACHINE.get(name, name), words.MISSING if value in (None, "") else shown))
    return Sheet("machine", ("property", "value"), tuple(rows), texts=2)


@dataclass(frozen=True)
class Switches:
    """Switches and environment variables: those that all share, and each implementation's others."""

    common: Sheet
    own: tuple[Sheet, ...]


def switches(results: Sequence[Result]) -> Switches:
    """What was in force, read from the results; cells that differ have their values side by side."""
    found: dict[str, dict[str, list[str]]] = {}
    for result in results:
        if result.status == "ok":
            own = found.setdefault(words.named(result.cell.implementation, result.cell.tier), {})
            for name, value in {**result.switches, **result.environment}.items():
                text = value if isinstance(value, str) else json.dumps(value)
                own.setdefault(name, [])
                own[name] += [] if text in own[name] else [text]
    joined = {title: {name: " / ".join(values) for name, values in own.items()} for title, own in found.items()}
    first = next(iter(joined.values()), {})
    common = {name: value for name, value in first.items() if all(own.get(name) == value for own in joined.values())}
    blank = Sheet("the same for all", ("switch", "value"), tuple(sorted(common.items())), texts=2)
    others = []
    for title, own in sorted(joined.items()):
        rows = tuple((name, value) for name, value in sorted(own.items()) if name not in common)
        others.append(replace(blank, title=title, rows=rows))
    return Switches(blank, tuple(sheet for sheet in others if sheet.rows))


def disturbance(runs: pd.DataFrame) -> str:
    """How busy other programs kept the machine meanwhile: a count, no verdict; empty where it is not known."""
    share = (runs["others_cpu_s"] / runs["process_s"]).astype(float).dropna()
    if share.empty:
        return ""
    return (
        f"While cells ran, other programs kept {share.median():.2f} CPUs busy (median; {share.max():.2f} at worst)."
    )
