"""What training costs besides time per epoch: memory, the first epoch, and when a slower start pays off."""

import math
from functools import partial
from itertools import combinations

import pandas as pd
from matplotlib.figure import Figure

from bench import statistics
from bench.display import axes as display_axes
from bench.display import numbers
from bench.display.charts import HEAD, INK, WIDTH, Chart, headed
from bench.display.section import Block, Picture, Section, shown
from bench.display.tables import Sheet
from bench.report import groups, pairs
from bench.report.chapter import Chapter
from bench.report.columns import CONFIGURATION, Column, Table
from bench.report.groups import Group
from bench.report.results import Results
from bench.report.runs import GROUP, measured

COLD = ["import_s", "build_s", "load_s", "first_epoch_s"]
"""What a process does once; the first epoch includes tracing and compiling."""
ONCE = {
    "import_s": "import", "build_s": "build", "load_s": "load data", "first_epoch_s": "first epoch",
    "predict_s": "prediction", "process_s": "whole process",
}  # fmt: skip
ONCE_ONLY = "what happens once in a process, apart from steady epochs"
PAID = "break-even: who starts later and trains faster, and when that has paid"
PHASES = {
    "after_import_rss_bytes": "after import",
    "after_load_rss_bytes": "after load",
    "training_peak_bytes": "training peak",
    "process_peak_bytes": "whole process",
    "device_peak_bytes": "device peak",
}
BREAK_EVEN = Table("One row for each pair of which one starts first and the other trains faster.", (
    *CONFIGURATION,
    Column("starts_first", "", "the implementation whose first epoch ends first"),
    Column("faster_later", "", "the one whose steady epochs are shorter"),
    Column("ahead_s", "s", "by how much the first is ahead after its first epoch"),
    Column("gain_s", "s", "what the other gains with every epoch"),
    Column("epoch", "number", "epoch after which the other is ahead, from medians over processes"),
    Column("epoch_low", "number", "least over blocks"),
    Column("epoch_high", "number", "greatest over blocks; inf where the other is never ahead in one"),
))  # fmt: skip


def break_even_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Where one implementation starts first and another trains faster: the epoch after which the other is ahead.

    A start is import, build, loading and the first epoch. ``epoch`` is the least E with start + (E - 1) * epoch time no
    longer than the other's, from medians over processes; ``epoch_low`` and ``epoch_high`` are its range over blocks,
    infinite where the other is never ahead in one. Predictions are left out.
    """
    own = measured(frame).dropna(subset=["epoch_s", *COLD])
    own = own.assign(cold_s=own[COLD].astype(float).sum(axis=1))
    rows = []
    for key, group in own.groupby(GROUP, sort=False):
        by_name = dict(iter(group.groupby("implementation")))
        typical = {
            name: tuple(statistics.program_value(part[column]) for column in ("cold_s", "epoch_s"))
            for name, part in by_name.items()
        }
        for first, later in combinations(sorted(typical, key=lambda name: typical[name][0]), 2):
            if typical[later][1] < typical[first][1]:
                cold, steady = (pairs.in_blocks(by_name[first], by_name[later], name) for name in ("cold_s", "epoch_s"))
                each = [overtaken(*cold.loc[block], *steady.loc[block]) for block in cold.index] or [math.nan]
                rows.append(dict(zip(GROUP, key, strict=True)) | {
                    "starts_first": first, "faster_later": later,
                    "ahead_s": typical[later][0] - typical[first][0], "gain_s": typical[first][1] - typical[later][1],
                    "epoch": overtaken(typical[first][0], typical[later][0], typical[first][1], typical[later][1]),
                    "epoch_low": min(each), "epoch_high": max(each),
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
        shown = epoch if low == high else f"{epoch} ({low}–{high})"
        rows.append((
            group.named(row["faster_later"]), group.named(row["starts_first"]),
            numbers.figure("_s", row["ahead_s"]), numbers.figure("_s", row["gain_s"]),
            numbers.Absent(shown) if math.isinf(row["epoch"]) else shown,
        ))  # fmt: skip
    columns = ("trains faster", "starts first", "behind after epoch 1", "gains in each epoch", "ahead after epoch")
    note = (
        "Import, build, loading and the first epoch are a start; predictions are left out. Medians over processes, in "
        "brackets the range over blocks."
    )
    return Sheet(group.title, columns, tuple(rows), texts=2, note=note)


def cold_start(group: Group) -> Sheet:
    """What happens once in a process, before steady epochs: medians."""
    rows = []
    for name in group.summary["implementation"] if len(group.summary) else []:
        own = group.runs[(group.runs["implementation"] == name) & (group.runs["status"] == "ok")]
        medians = own.loc[own["role"] == "measured", list(ONCE)].median()
        rows.append((groups.two_lines(group, name), *(numbers.figure(column, medians[column]) for column in ONCE)))
    note = (
        "Medians over processes; prediction is of all test images, after every epoch, and where a network holds images "
        "out, of those and of 2,000 training images too."
    )
    return Sheet(group.title, ("implementation", *ONCE.values()), tuple(rows), note=note)


def memory_chart(runs: pd.DataFrame, title: str) -> Figure | None:
    """Host memory by phase, and the device's peak: a bar at the median of the processes, a dot for each process."""
    found = [(name, part[part["role"] == "measured"]) for name, part in display_axes.rows(runs)]
    phases = [column for column in PHASES if any(part[column].notna().any() for _, part in found)]
    if not phases:
        return None
    height = 0.46 * len(found) + HEAD + 0.35
    figure = headed(height, title, "a bar: the median of the processes; a dot: one process")
    axes = figure.add_axes(
        (
            display_axes.LABELS / WIDTH,
            0.05 / height,
            1 - (display_axes.LABELS + 0.05) / WIDTH,
            1 - (HEAD + 0.35) / height,
        )
    )
    display_axes.named_rows(axes, found)
    axes.set_xticks([])
    step = 2 * max(float(part[phases].max().max()) for _, part in found)  # half a column is left for the figures
    axes.set_xlim(-0.01 * step, step * len(phases))
    axes.vlines([step * i for i in range(len(phases))], -0.5, len(found) - 0.5, color=INK, linewidth=0.8)
    for i, column in enumerate(phases):
        axes.text(step * i, -0.62, PHASES[column], va="bottom")
        for y, (_, part) in enumerate(found):
            values = part[column].dropna().astype(float)
            end = step * i + (values.max() if len(values) else 0)
            axes.text(end + step * 0.03, y, numbers.figure("_bytes", values.median()), va="center", fontsize=8)
            if len(values):
                shade = display_axes.SHADES.get(part["tier"].iloc[0], 0.9)
                axes.barh(y, values.median(), left=step * i, height=0.5, color=display_axes.colour(part), alpha=shade)
                axes.scatter(values + step * i, [y] * len(values), s=5, color=INK, linewidths=0)
    return figure


def memory(title: str, key: str, runs: pd.DataFrame) -> Chart | None:
    """The chart of memory by phase, with its words."""
    return display_axes.of_runs("memory", "Memory by phase", title, key, runs, PHASES, partial(memory_chart, runs))


def evidence(results: Results, group: Group, pictures: list[Picture]) -> list[Block]:
    """Memory, the start, and last of all when a slower start has paid."""
    later = shown(break_even_table(results.part("break_even", group), group), PAID)
    return [*pictures, *shown(cold_start(group), ONCE_ONLY), Section("", later)]


CHAPTER = Chapter(
    tables={"break_even": BREAK_EVEN},
    frames=lambda results: {"break_even": break_even_frame(results.runs)},
    kinds={"memory": "runs.csv"},
    charts=lambda results, group: [memory(group.title, group.key, group.runs)],
    evidence=evidence,
)
