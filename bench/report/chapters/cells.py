"""The cells themselves: every process as it was measured, what disturbed it, and what failed or was skipped."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from bench.display import naming, numbers
from bench.display.section import Block, Details, Failure, Failures, Section, Shown, note
from bench.display.tables import Sheet
from bench.machine import restlessness
from bench.report import runs as report_runs
from bench.report.chapter import Chapter, Pictures
from bench.report.results import Results
from bench.store.records.cell import Result
from bench.store.records.verification import Verification

FIGURES = ("epoch_s", "first_epoch_s", "accuracy", "process_peak_bytes")
SUITE = (
    "Measured by the pytest-benchmark suite: the implementations of a block ran one after the other, always in the "
    "same order, and without a control."
)
BUSY = (
    "CPUs busy: CPU time of the process by wall time, over its steady epochs. CPUs of others: what all other "
    "programs used meanwhile."
)
CORE = 0.5
"""CPUs that a process lacked for its threads, from which on a core was busy with something else."""
WAITING, WAITING_ROWS = 0.05, 3
"""Share of a program's epochs in which it computes nothing, from which on that is told; of how many programs."""
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
        if result.status != "ok":
            place = naming.place(result.cell.device, result.cell.threads)
            kinds.setdefault((result.status, result.cell.workload.name, place, result.reason), []).append(result)
    merged = []
    for (status, workload, place, reason), same in kinds.items():
        names = numbers.listed(list(dict.fromkeys(result.cell.implementation for result in same)))
        roles = {result.cell.role for result in same}
        role = naming.as_role(roles.pop()) if len(roles) == 1 else ""
        blocks = [str(block) for block in sorted({result.cell.block for result in same})]
        which = f"block{'' if len(blocks) == 1 else 's'} {numbers.listed(blocks)}"
        log = next((result.log_tail for result in same if result.log_tail), "")
        what = f"{names}{role}, {workload}, {place}, {which}"
        merged.append(Failure(status, what, reason or "no reason was given", log))
    return sorted(merged, key=lambda failure: failure.status)


def failed_gates(verifications: Sequence[Verification]) -> list[str]:
    """The implementations whose verification failed, a line each."""
    return [
        f"withheld: {one.implementation}, {one.workload}, {naming.device(one.device)}: it does not do the same "
        f"work: {numbers.shorten(one.reason, 240)}"
        for one in verifications
        if one.status == "failed"
    ]


def withheld(results: Results) -> list[str]:
    """What has no speed although it was measured, a line each: by the gate, or by its timed epochs themselves."""
    refused = results.runs[(results.runs["attested"] == "no") & (results.runs["gate"] != "failed")]
    return failed_gates(results.gates) + [
        f"withheld: {row['implementation']}{naming.as_role(row['role'])}, {row['workload']}, "
        f"{naming.place(row['device'], row['threads'])}, block {row['block']}: {row['attested_reason']}"
        for _, row in refused.iterrows()
    ]


def cells(runs: pd.DataFrame) -> Sheet:
    """Every cell as it was measured, one row each, in the order of the session."""
    rows = []
    for _, row in runs.assign(others=runs["others_cpu_s"] / runs["process_s"]).iterrows():
        refused = "withheld: not attested" if row["attested"] == "no" else ""
        remarks = [
            refused,
            row["disturbed_by"],
            row["hints"],
            f"attempt {row['attempt']}" if row["attempt"] > 1 else "",
        ]
        cpus = [
            numbers.MISSING if numbers.missing(row[name]) else f"{row[name]:.2f}" for name in ("cpu_per_wall", "others")
        ]
        rows.append((
            row["implementation"], row["workload"], naming.place(row["device"], row["threads"]), str(row["block"]),
            row["role"] if row["status"] == "ok" else row["status"], "; ".join(filter(None, remarks)),
            *(numbers.figure(name, row[name]) for name in FIGURES), *cpus,
        ))  # fmt: skip
    columns = (
        "implementation", "network", "place", "block", "status", "disturbed by", "time per epoch", "first epoch",
        "accuracy", "memory", "CPUs busy", "CPUs of others",
    )  # fmt: skip
    return Sheet("", columns, tuple(rows), texts=6)


def disturbance(runs: pd.DataFrame) -> str:
    """What disturbed the cells, as counted by the system, and which blocks were repeated for it; may be empty."""
    share = (runs["others_cpu_s"] / runs["process_s"]).astype(float).dropna()
    sentences = []
    if len(share):
        busy = f"{share.median():.2f} CPUs busy (median; {share.max():.2f} at worst)"
        sentences.append(f"Meanwhile other programs kept {busy}.")
    disturbed = runs[(runs["disturbed_by"] != "") & (runs["status"] == "ok")]
    if len(disturbed):
        first = disturbed.iloc[0]
        sentences.append(
            f"{numbers.count(len(disturbed), 'process', 'es')} of {len(runs)} ran disturbed, such as "
            f"{first['implementation']} in block {first['block']}: {first['disturbed_by']}."
        )
    if len(short := crowded(disturbed)):
        fitting = max(1, int(short["left"].min() + CORE))
        stop = "stop it" if fitting >= short["threads"].max() else f"run with --threads {fitting} or stop it"
        number = numbers.count(len(short), "process", "es")
        sentences.append(f"{number} had fewer CPUs than threads: another program kept a core busy: {stop}.")
    for (workload, block), repeated in runs[runs["attempt"] > 1].groupby(["workload", "block"]):
        why = repeated["repeated"].iloc[0]
        sentences.append(f"Block {block} of {workload} was measured again, without a look at its times, since: {why}.")
    return " ".join(sentences)


def crowded(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of processes to which other programs left fewer CPUs than threads, with the CPUs that were ``left``."""
    counted = runs[["cpus", "others_cpu_s", "process_s"]].astype(float)
    left = counted["cpus"] - counted["others_cpu_s"] / counted["process_s"]
    return runs.assign(left=left)[left < runs["threads"] - CORE]


def restless(results: Results) -> str:
    """That a program's epochs differ much from each other within one process, where they do; may be empty.

    The program is the one that the control repeats: it computes all the time, so that its epochs would be the same.
    """
    timed = results.epochs[(results.epochs["epoch"] > 1)].astype({"train_s": float}).dropna(subset="train_s")
    lines = []
    for group in results.groups:
        for name in group.control["implementation"]:
            cells = group.runs.loc[(group.runs["implementation"] == name) & (group.runs["status"] == "ok"), "cell"]
            processes = timed[timed["cell"].isin(cells)].groupby("cell")["train_s"]
            spread = restlessness.spread(list(seconds) for _, seconds in processes)
            if spread > restlessness.RESTLESS:
                lines.append(f"{numbers.share(spread)} ({name}, {group.title})")
    if not lines:
        return ""
    return (
        f"This machine is restless: epochs of one process differ by {'; '.join(lines)}, one standard deviation. "
        "Intervals are wide for that reason; more blocks make them narrower (--blocks)."
    )


def waiting(results: Results) -> str:
    """Which implementations waited for a good part of their steady epochs, the worst first; may be empty.

    What others may have taken of a process is no wait of its own, so that the rest is the least that it waited.
    """
    shown = report_runs.measured(results.runs)
    taken = dict(zip(shown["cell"], taken_share(shown), strict=True))
    epochs = results.epochs[(results.epochs["epoch"] > 1) & results.epochs["cell"].isin(taken)]
    epochs = epochs.astype({"train_s": float, "idle_s": float}).dropna(subset=["train_s", "idle_s"])
    waited_s = (epochs["idle_s"] - epochs["train_s"] * epochs["cell"].map(taken)).clip(lower=0)
    means = epochs.assign(waited_s=waited_s).groupby([*report_runs.GROUP, "tier", "implementation"], sort=False)
    rows = means[["train_s", "waited_s"]].mean().reset_index()
    rows = rows.assign(share=rows["waited_s"] / rows["train_s"]).sort_values("share", ascending=False, kind="stable")
    found, lines = rows[rows["share"] > WAITING], []
    for _, row in found.head(WAITING_ROWS).iterrows():
        where = "" if len(results.groups) == 1 else f" ({naming.title(*row[report_runs.GROUP])})"
        waited, epoch = (numbers.figure(name, row[name]) for name in ("waited_s", "train_s"))
        lines.append(f"{naming.named(row['implementation'], row['tier'])} waited {waited} of {epoch} an epoch{where}")
    if len(found) > WAITING_ROWS:
        lines.append(f"so did {len(found) - WAITING_ROWS} more")
    return f"{'; '.join(lines)}: see docs/waiting.md." if lines else ""


def taken_share(runs: pd.DataFrame) -> pd.Series:
    """Seconds of CPU time that each process may have lost in a second, to whatever is counted; 0 where nothing is."""
    names = ["cpus", "threads", "others_cpu_s", "steal_s", "throttled_s", "process_s"]
    counted = runs[names].astype(float)
    free_s = (counted["cpus"] - counted["threads"]).clip(lower=0) * counted["process_s"]
    others_s = (counted["others_cpu_s"] - free_s).clip(lower=0)
    lost_s = others_s.fillna(0) + counted["steal_s"].fillna(0) + counted["throttled_s"].fillna(0)
    return lost_s / counted["process_s"]


def noted(results: Results) -> Iterator[Block]:
    """A note beneath the answer: what disturbed the cells, who waited, and whether the suite measured them."""
    suite = SUITE if any(result.harness == "pytest-benchmark" for result in results.trained) else ""
    said = [words for words in (disturbance(results.runs), restless(results), waiting(results), suite) if words]
    if said:
        yield note(" ".join(said))


def listed(results: Results, pictures: Pictures) -> Iterator[Block]:
    """What failed or was skipped, then all cells."""
    lost = [
        replace(failure, log=failure.log[-LOG_LETTERS:] if i < LOGS else "")
        for i, failure in enumerate(failures(results.cells))
    ]
    without_speed = withheld(results)
    if without_speed or lost:
        yield Section("Failed and skipped", [Failures([*without_speed, *lost])], "not-measured")
    sheet, number = cells(results.runs.head(CELLS)), len(results.trained)
    which = f"{'the first ' if len(sheet.rows) < number else ''}{len(sheet.rows)} processes"
    summary = f"{which}, in the order in which they ran"
    yield Section("All processes", [Details(summary, [Shown(sheet), note(BUSY)], open=len(sheet.rows) <= OPEN)])


CHAPTER = Chapter(parts={"evidence": listed})
