"""What training costs besides time per epoch: what happens once in a process, and when a slower start pays off."""

import math
from itertools import combinations

import pandas as pd

from bench import statistics
from bench.display import numbers
from bench.display.section import Block, Picture, Section, shown
from bench.display.tables import Sheet
from bench.report.chapter import Chapter
from bench.report.columns import CONFIGURATION, Column, Table
from bench.report.groups import Group
from bench.report.pairs import grouped, in_blocks
from bench.report.results import Results
from bench.report.runs import GROUP, measured

COLD = ["import_s", "build_s", "load_s", "first_epoch_s"]
"""What a process does once; the first epoch includes tracing and compiling."""
ONCE = {
    "import_s": "import", "build_s": "build", "load_s": "load data", "first_epoch_s": "first epoch",
    "predict_s": "prediction", "process_s": "whole process",
}  # fmt: skip
ONCE_ONLY = "what happens once in a process, apart from steady epochs"
ONCE_NOTE = (
    "Geometric means over processes; prediction is of all test images, after every epoch, and where a network holds "
    "images out, of those and of 2,000 training images too."
)
PAID = "break-even: who starts later and trains faster, and when that has paid"
PAID_NOTE = (
    "Import, build, loading and the first epoch are a start; predictions are left out. Geometric means over processes, "
    "in brackets the range over blocks."
)
BREAK_EVEN = Table("One row for each pair of which one starts first and the other trains faster.", (
    *CONFIGURATION,
    Column("starts_first", "", "the implementation whose first epoch ends first"),
    Column("faster_later", "", "the one whose steady epochs are shorter"),
    Column("ahead_s", "s", "by how much the first is ahead after its first epoch"),
    Column("gain_s", "s", "what the other gains with every epoch"),
    Column("epoch", "number", "epoch after which the other is ahead, from geometric means over processes"),
    Column("epoch_low", "number", "least over blocks"),
    Column("epoch_high", "number", "greatest over blocks; inf where the other is never ahead in one"),
))  # fmt: skip


def break_even_frame(runs: pd.DataFrame) -> pd.DataFrame:
    """Where one implementation starts first and another trains faster: the epoch after which the other is ahead.

    ``epoch`` is the least E with start + (E - 1) * epoch time no longer than the other's, from geometric means over
    processes; ``epoch_low`` and ``epoch_high`` are its range over blocks, infinite where the other is never ahead in
    one.
    """
    timed = measured(runs).dropna(subset=["epoch_s", *COLD]).astype(dict.fromkeys(("epoch_s", *COLD), float))
    timed = timed.assign(cold_s=timed[COLD].sum(axis=1))
    rows = []
    for configuration, group in grouped(timed, GROUP):
        cells = dict(iter(group.groupby("implementation")))
        typical = group.groupby("implementation")[["cold_s", "epoch_s"]].agg(statistics.program_value)
        for first, later in combinations(typical.sort_values("cold_s", kind="stable").index, 2):
            starts, epochs = (typical[column][[first, later]].tolist() for column in ("cold_s", "epoch_s"))
            if epochs[1] < epochs[0]:
                cold, steady = (in_blocks(cells[first], cells[later], column) for column in ("cold_s", "epoch_s"))
                each = [overtaken(*cold.loc[block], *steady.loc[block]) for block in cold.index] or [math.nan]
                rows.append(configuration | {
                    "starts_first": first, "faster_later": later,
                    "ahead_s": starts[1] - starts[0], "gain_s": epochs[0] - epochs[1],
                    "epoch": overtaken(*starts, *epochs), "epoch_low": min(each), "epoch_high": max(each),
                })  # fmt: skip
    return BREAK_EVEN.frame(rows)


def overtaken(first_cold_s: float, later_cold_s: float, first_epoch_s: float, later_epoch_s: float) -> float:
    """The epoch after which the one that starts later is ahead; 1 where it is ahead from the first, else infinite."""
    behind, gain = later_cold_s - first_cold_s, first_epoch_s - later_epoch_s
    if behind <= 0:
        return 1.0
    return math.inf if gain <= 0 else float(math.ceil(1 + behind / gain))


def break_even_table(frame: pd.DataFrame, group: Group) -> Sheet:
    """Which implementation starts later, trains faster, and has overtaken which after how many epochs."""
    rows = []
    for _, row in frame.iterrows():
        low, high, epoch = (numbers.epoch(row[name]) for name in ("epoch_low", "epoch_high", "epoch"))
        after = epoch if low == high else f"{epoch} ({low}–{high})"
        rows.append((
            group.named(row["faster_later"]), group.named(row["starts_first"]),
            numbers.figure("_s", row["ahead_s"]), numbers.figure("_s", row["gain_s"]),
            numbers.Absent(after) if math.isinf(row["epoch"]) else after,
        ))  # fmt: skip
    columns = ("trains faster", "starts first", "behind after epoch 1", "gains in each epoch", "ahead after epoch")
    return Sheet(group.title, columns, tuple(rows), texts=2, note=PAID_NOTE)


def cold_start(group: Group) -> Sheet:
    """What happens once in a process, before steady epochs: geometric means over processes."""
    cells = group.runs[(group.runs["status"] == "ok") & (group.runs["role"] == "measured")]
    rows = []
    for name in group.summary["implementation"] if len(group.summary) else []:
        values = cells.loc[cells["implementation"] == name, list(ONCE)].agg(statistics.program_value)
        rows.append((group.two_lines(name), *(numbers.figure(column, values[column]) for column in ONCE)))
    return Sheet(group.title, ("implementation", *ONCE.values()), tuple(rows), note=ONCE_NOTE)


def evidence(results: Results, group: Group, pictures: list[Picture]) -> list[Block]:
    """The start, and last of all when a slower one has paid."""
    later = shown(break_even_table(results.part("break_even", group), group), PAID)
    return [*shown(cold_start(group), ONCE_ONLY), Section("", later)]


CHAPTER = Chapter(
    tables={"break_even": BREAK_EVEN},
    frames=lambda results: {"break_even": break_even_frame(results.runs)},
    evidence=evidence,
)
