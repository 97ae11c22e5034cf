"""Time to accuracy: how long until so many of the test images are recognised. DataFrame -> DataFrame, and for people.

Accuracies are known after each epoch, so that a time is that of the end of an epoch. Predictions are left out.
"""

import math

import pandas as pd

from bench.display import numbers
from bench.display.tables import Sheet
from bench.report.columns import BLOCK, CONFIGURATION, IMPLEMENTATION, TIER, Column, Table
from bench.report.groups import Group
from bench.report.runs import GROUP, measured

GOAL = 0.97
"""What the documents' dense networks are said to reach."""
START = ["import_s", "build_s", "load_s"]
TIME_TO_ACCURACY = Table("One row for each process; those that never reached the goal keep their row, without "
                         "figures.", (
    *CONFIGURATION, TIER, IMPLEMENTATION, BLOCK,
    Column("goal", "0 to 1", "the test accuracy to be reached"),
    Column("epoch", "number", "the first epoch after which it was"),
    Column("train_s", "s", "training until then, from the first step; predictions left out"),
    Column("from_start_s", "s", "the same with import, build and loading"),
    Column("best_accuracy", "0 to 1", "the highest after any epoch"),
))  # fmt: skip


def time_to_accuracy(runs: pd.DataFrame, epochs: pd.DataFrame, goal: float = GOAL) -> pd.DataFrame:
    """One row per process: the first epoch after which the accuracy was at least ``goal``, and the seconds until then.

    ``train_s`` counts from the first step, ``from_start_s`` import, build and loading besides. Processes that never
    reached it keep their row, without figures.
    """
    trained, rows = dict(iter(epochs[epochs["epoch"] > 0].sort_values("epoch").groupby("cell"))), []
    for _, run in measured(runs).iterrows():
        if run["cell"] not in trained:
            continue
        of_run = trained[run["cell"]]
        reached = of_run.loc[of_run["accuracy"] >= goal, "epoch"]
        row = {name: run[name] for name in (*GROUP, "tier", "implementation", "block")}
        row |= {"goal": goal, "best_accuracy": of_run["accuracy"].max()}
        if len(reached):
            epoch = int(reached.iloc[0])
            train_s = float(of_run.loc[of_run["epoch"] <= epoch, "train_s"].sum())
            row |= {"epoch": epoch, "train_s": train_s, "from_start_s": train_s + float(run[START].sum(skipna=False))}
        rows.append(row)
    return TIME_TO_ACCURACY.frame(rows).astype({"epoch": "Int64"})


def sheet(frame: pd.DataFrame, group: Group) -> Sheet:
    """A row for each implementation: how many processes reached it, and after how long, median and range of those."""
    ranked = []
    for name, runs in group.part(frame).groupby("implementation", sort=False):
        reached = runs.dropna(subset="epoch")
        figures = [over(reached[column], column) for column in ("epoch", "train_s", "from_start_s")]
        median = float(reached["from_start_s"].median()) if 2 * len(reached) > len(runs) else math.inf
        share = f"{len(reached)} of {numbers.count(len(runs), 'process', 'es')}"
        best = numbers.figure("accuracy", runs["best_accuracy"].max())
        ranked.append((median, (group.named(str(name)), share, *figures, best)))
    rows = tuple(row for _, row in sorted(ranked, key=lambda item: item[0]))
    columns = ("implementation", f"reached {GOAL:.0%}".replace("%", " %"), "after epoch", "from the first step",
               "from the start of the process", "best accuracy")  # fmt: skip
    return Sheet("", columns, rows, texts=2)


def over(values: pd.Series, column: str) -> str:
    """Median and range of those that there are."""
    if values.empty:
        return numbers.MISSING
    median, low, high = (float(value) for value in (values.median(), values.min(), values.max()))
    if column != "epoch":
        return numbers.spread(column, median, low, high)
    return f"{median:g}" + ("" if low == high else f" ({low:g}–{high:g})")
