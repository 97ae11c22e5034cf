"""The cells themselves: every process as it was measured, what disturbed it, and what failed or was skipped."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from bench.display import naming, numbers
from bench.display.naming import as_role
from bench.display.section import Block, Details, Failure, Failures, Section, Shown, note
from bench.display.tables import Sheet
from bench.report.chapter import Chapter, Pictures
from bench.report.results import Results
from bench.store.records.cell import Result
from bench.store.records.verification import Verification

FIGURES = ("epoch_s", "first_epoch_s", "accuracy", "process_peak_bytes")
SUITE = (
    "Measured by the pytest-benchmark suite: the implementations of a block ran one after the other, always in the "
    "same order, and without a control."
)
CELLS = 600
LOGS = 20
LOG_LETTERS = 4000
"""Rows, logs and letters of a log that the page shows; the files have them all."""
OPEN = 16
"""A table with more rows than that is folded away at first."""


def failures(results: Sequence[Result]) -> list[Failure]:
    """The cells that failed or were skipped, those of the same reason together; failures first."""
    kinds: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        cell = result.cell
        if result.status != "ok":
            place = naming.place(cell.device, cell.threads)
            kinds.setdefault((result.status, cell.workload.name, place, result.reason), []).append(result)
    found = []
    for (status, workload, place, reason), same in kinds.items():
        names = dict.fromkeys(result.cell.implementation for result in same)
        roles = {result.cell.role for result in same}
        role = as_role(roles.pop()) if len(roles) == 1 else ""
        blocks = sorted({result.cell.block for result in same})
        which = f"block{'' if len(blocks) == 1 else 's'} {numbers.listed([str(block) for block in blocks])}"
        log = next((result.log_tail for result in same if result.log_tail), "")
        what = f"{numbers.listed(list(names))}{role}, {workload}, {place}, {which}"
        found.append(Failure(status, what, reason or "no reason was given", log))
    return sorted(found, key=lambda failure: failure.status)


def failed_gates(gates: Sequence[Verification]) -> list[str]:
    """The implementations that do other work than the workload asks for, a line each."""
    return [
        f"withheld: {gate.implementation}, {gate.workload}, {naming.device(gate.device)}: it does not do the same "
        f"work: {numbers.shorten(gate.reason, 240)}"
        for gate in gates
        if gate.status == "failed"
    ]


def cells(runs: pd.DataFrame) -> Sheet:
    """Every cell as it was measured, one row each, in the order of the session."""
    rows = []
    for _, row in runs.assign(others=runs["others_cpu_s"] / runs["process_s"]).iterrows():
        figures = [numbers.figure(name, row[name]) for name in FIGURES]
        noted = "; ".join(text for text in (row["disturbed_by"], row["hints"]) if text)
        noted += f"{'; ' if noted else ''}attempt {row['attempt']}" if row["attempt"] > 1 else ""
        cpus = [
            numbers.MISSING if numbers.missing(row[name]) else f"{row[name]:.2f}" for name in ("cpu_per_wall", "others")
        ]
        state = row["role"] if row["status"] == "ok" else row["status"]
        place = naming.place(row["device"], row["threads"])
        rows.append((row["implementation"], row["workload"], place, str(row["block"]), state, noted, *figures, *cpus))
    columns = (
        "implementation", "network", "place", "block", "status", "disturbed by", "time per epoch", "first epoch",
        "accuracy", "memory", "CPUs busy", "CPUs of others",
    )  # fmt: skip
    return Sheet("", columns, tuple(rows), texts=6)


def disturbance(runs: pd.DataFrame) -> str:
    """What disturbed the cells, counted by the system, and which blocks were repeated for it; empty where not known."""
    share = (runs["others_cpu_s"] / runs["process_s"]).astype(float).dropna()
    told = []
    if len(share):
        busy = f"{share.median():.2f} CPUs busy (median; {share.max():.2f} at worst)"
        told.append(f"While cells ran, other programs kept {busy}.")
    disturbed = runs[(runs["disturbed_by"] != "") & (runs["status"] == "ok")]
    if len(disturbed):
        first = disturbed.iloc[0]
        told.append(
            f"{numbers.count(len(disturbed), 'cell')} of {len(runs)} ran disturbed, such as {first['implementation']} "
            f"in block {first['block']}: {first['disturbed_by']}."
        )
    for (workload, block), part in runs[runs["attempt"] > 1].groupby(["workload", "block"]):
        why = part["repeated"].iloc[0]
        told.append(f"Block {block} of {workload} was measured again, without a look at its times, since: {why}.")
    return " ".join(told)


def noted(results: Results, pictures: Pictures) -> Iterator[Block]:
    """Beneath the answer: what disturbed the cells, and by whom they were measured."""
    told = disturbance(results.runs)
    suite = any(result.harness == "pytest-benchmark" for result in results.trained)
    yield from [note(told)] if told else []
    yield from [note(SUITE)] if suite else []


def listed(results: Results, pictures: Pictures) -> Iterator[Block]:
    """What failed or was skipped, then all cells."""
    lost = failures(results.cells)
    logs = [item.log[-LOG_LETTERS:] if i < LOGS else "" for i, item in enumerate(lost)]
    items: list[Failure | str] = [
        *failed_gates(results.gates),
        *(replace(item, log=log) for item, log in zip(lost, logs, strict=True)),
    ]
    if items:
        yield Section("Failed and skipped", [Failures(items)], "not-measured")
    sheet, number = cells(results.runs.head(CELLS)), len(results.trained)
    which = f"{'the first ' if len(sheet.rows) < number else ''}{len(sheet.rows)} cells"
    busy = (
        "CPUs busy: CPU time of the process by wall time, over its steady epochs. CPUs of others: what all other "
        "programs used meanwhile."
    )
    summary = f"{which}, one process each, in the order in which they ran"
    yield Section("All cells", [Details(summary, [Shown(sheet), note(busy)], open=len(sheet.rows) <= OPEN)])


CHAPTER = Chapter(parts={"answer": noted, "evidence": listed})
