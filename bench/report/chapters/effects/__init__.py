"""What one change to a network does: SGD for Adam, sigmoid for relu, dropout."""

import math

import pandas as pd

from bench.display import numbers
from bench.display.section import shown
from bench.display.tables import Sheet
from bench.report.chapter import Chapter
from bench.report.chapters.effects import changes, charts
from bench.report.groups import Group

CAPTION = "one thing changed: mean over the processes of the blocks that both networks have"


def sheet(frame: pd.DataFrame, group: Group) -> Sheet:
    """What each change did to the accuracy, after the first epoch and at the end, and to the time of an epoch."""
    rows = []
    for _, row in group.part(frame).iterrows():
        blocks = numbers.count(row["blocks"], "block") if row["blocks"] > 1 else "one block: no interval"
        if not math.isnan(row["low"]):
            blocks = f"95 %: {row['low'] * 100:+.2f} to {row['high'] * 100:+.2f}, {blocks}"
        sides = [f"{numbers.figure(column, row[column])} to {numbers.figure(column, row[f'other_{column}'])}"
                 for column in ("first_accuracy", "accuracy")]  # fmt: skip
        times = numbers.MISSING
        if not numbers.missing(row["epoch_s"]) and not numbers.missing(row["other_epoch_s"]):
            times = f"{numbers.ratio(row['other_epoch_s'] / row['epoch_s'])} times"
        rows.append((f"{row['changed']}\n{row['other']}", group.named(row["implementation"]), *sides,
                     f"{row['difference'] * 100:+.2f} points\n{blocks}", times))  # fmt: skip
    columns = ("changed", "implementation", "after the first epoch", "at the end", "difference at the end",
               "epoch takes")  # fmt: skip
    return Sheet("", columns, tuple(rows), texts=2, grouped=True)


CHAPTER = Chapter(
    tables={"effects": changes.EFFECTS},
    frames=lambda results: {"effects": changes.effects(results.runs, results.epochs, results.workloads)},
    kinds={"effect": "tables/effects.csv"},
    charts=charts.drawn,
    evidence=lambda results, group, pictures: [*pictures, *shown(sheet(results.frames["effects"], group), CAPTION)],
)
