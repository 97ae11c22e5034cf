"""The forest plot: every pair's ratio with its interval, the control among them, on one logarithmic axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import statistics
from bench.display import charts, naming, numbers
from bench.display.axes import LABELS, MARKERS, colour, named_rows, of_runs, rows, scale
from bench.display.charts import HEAD, INK, WIDTH, Chart, headed
from bench.report.groups import Group
from bench.statistics import Verdict

NAMES = 2.35
FIGURES = 1.25
"""Inches for the names at the left and the figures at the right."""
DECIDED, UNDECIDED = "#0072b2", "#8a8f98"
WIDEST = 20.0
"""An interval beyond this ratio is cut, with an arrow: others could not be read beside it."""


@dataclass(frozen=True)
class Line:
    """One row: what is above and below in the ratio, estimate and interval, and whether that is a verdict."""

    over: str
    under: str
    estimate: float
    low: float
    high: float
    decided: bool


def ratios(group: Group) -> Chart | None:
    """The chart of a group, where there are pairs."""
    drawn = lines(group)
    if not drawn:
        return None
    title = f"Ratios with 95 % intervals: {group.title}"
    ratios = "; ".join(f"{line.over} over {line.under} {numbers.ratio(line.estimate)}" for line in drawn)
    return charts.draw(f"ratios.{group.key}", title, f"{title}. {ratios}.", partial(figure, drawn, band(group)))


def lines(group: Group) -> list[Line]:
    """The pairs, those of the same tier first, then the control; nothing where there is no pair."""
    within: list[Line] = []
    across: list[Line] = []
    for pair in sorted(group.pairs, key=lambda pair: naming.tier_rank(group.tier(pair.fast))):
        decided = pair.verdict.is_difference or pair.verdict is Verdict.EQUIVALENT
        line = Line(group.named(pair.slow), group.named(pair.fast), pair.estimate, pair.low, pair.high, decided)
        (within if group.tier(pair.fast) == group.tier(pair.slow) else across).append(line)
    controls = [
        Line("A/A control", group.named(row["implementation"]), row["estimate"], row["low"], row["high"], False)
        for _, row in group.control.iterrows()
    ]
    return [*within, *across, *controls] if group.pairs else []


def band(group: Group) -> float:
    """The difference that does not count in this session."""
    return max((pair.delta for pair in group.pairs), default=0.0)


def figure(drawn: Sequence[Line], delta: float, title: str) -> Figure:
    """A row for each line: a mark at the estimate, the interval through it."""
    height = 0.4 * len(drawn) + HEAD + 0.6
    decided, shaded = "filled: a verdict; open: none", f"band: within {numbers.share(delta)}, no difference"
    figure = headed(height, title, f"time of the first by time of the second; {decided}; {shaded}")
    axes = figure.add_axes((NAMES / WIDTH, 0.55 / height, 1 - (NAMES + FIGURES) / WIDTH, 1 - (HEAD + 0.6) / height))
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    left, right = ends(drawn, delta)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.axvspan(1 / (1 + delta), 1 + delta, color=INK, alpha=0.08, linewidth=0)
    axes.axvline(1, color=INK, linewidth=0.9)
    for y, line in enumerate(drawn):
        row(axes, y, line, left, right)
    ticks = [tick for tick in steps(left, right) if left <= tick <= right]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("times as long (logarithmic)")
    return figure


def row(axes: Axes, y: int, line: Line, left: float, right: float) -> None:
    """One pair: names, interval, mark, figures."""
    hue = DECIDED if line.decided else UNDECIDED
    write = partial(axes.text, transform=axes.get_yaxis_transform(), parse_math=False)
    write(-0.03, y, line.over, ha="right", va="bottom", fontsize=8.5)
    write(-0.03, y, f"over {line.under}", ha="right", va="top", fontsize=7.5, alpha=0.7)
    interval = numbers.ends(line.estimate, line.low, line.high)
    write(1.03, y, numbers.ratio(line.estimate), va="bottom" if interval else "center", fontsize=8.5)
    if interval:
        write(1.03, y, interval, va="top", fontsize=7.5, alpha=0.7)
        axes.hlines(y, max(line.low, left), min(line.high, right), color=hue, linewidth=1.8)
        for end, beyond, mark in ((left, line.low < left, "<"), (right, line.high > right, ">")):
            if beyond:
                axes.scatter([end], [y], marker=mark, s=26, color=hue, clip_on=False)
    if left <= line.estimate <= right:
        axes.scatter([line.estimate], [y], s=34, facecolors=hue if line.decided else "none", edgecolors=hue, zorder=3)


def ends(drawn: Sequence[Line], delta: float) -> tuple[float, float]:
    """The axis: every estimate, and the intervals as far as they can be read together."""
    known = [line for line in drawn if line.low > 0 and not math.isinf(line.high)]
    nearest, furthest = min(line.estimate for line in drawn), max(line.estimate for line in drawn)
    most = max([furthest * 1.1, 1 + 1.3 * delta, *(min(line.high, WIDEST, furthest * 3) for line in known)])
    least = min([nearest / 1.1, 1 / (1 + 1.3 * delta), *(max(line.low, 1 / WIDEST, nearest / 3) for line in known)])
    return least / 1.03, most * 1.03


def steps(left: float, right: float) -> list[float]:
    """Round ratios for the axis: more of them where it is short."""
    if right / left < 1.3:
        return [round(0.8 + 0.02 * i, 2) for i in range(30)]
    if right / left < 2.5:
        return [round(0.4 + 0.1 * i, 1) for i in range(30)]
    if right / left <= 6:
        return [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 6]
    return [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50, 100]


def epoch_time(runs: pd.DataFrame, title: str) -> Figure | None:
    """Seconds per steady epoch: a dot for each process, a bar at the geometric mean, rings for the control."""
    programs = [(name, cells.dropna(subset="epoch_s")) for name, cells in rows(runs)]
    programs = [(name, cells) for name, cells in programs if (cells["role"] == "measured").any()]
    if not programs:
        return None
    height = 0.52 * len(programs) + HEAD + 0.55
    key = "a dot: one process; bar and figure: the geometric mean"
    figure = headed(height, title, key + "; a ring: the control, run again" * ("control" in set(runs["role"])))
    axes = figure.add_axes((LABELS / WIDTH, 0.55 / height, 1 - (LABELS + 0.85) / WIDTH, 1 - (HEAD + 0.55) / height))
    named_rows(axes, programs)
    every = pd.concat([cells for _, cells in programs])
    scale(axes, float(every["epoch_s"].min()), float(every["epoch_s"].max()))
    blocks = sorted(every["block"].unique())
    lift = {block: 0.5 * (i / max(1, len(blocks) - 1) - 0.5) * (len(blocks) > 1) for i, block in enumerate(blocks)}
    axes.hlines(range(len(programs)), *axes.get_xlim(), color=INK, alpha=0.12, linewidth=0.8, zorder=0)
    for y, (_, cells) in enumerate(programs):
        hue, marker = colour(cells), MARKERS.get(cells["tier"].iloc[0], "v")
        for role, face, size in (("control", "none", 62), ("measured", hue, 20)):
            dots = cells[cells["role"] == role]
            if len(dots):
                heights = y + dots["block"].map(lift)
                axes.scatter(dots["epoch_s"], heights, s=size, marker=marker, facecolors=face, edgecolors=hue, zorder=2)
        middle_s = statistics.program_value(cells.loc[cells["role"] == "measured", "epoch_s"])
        axes.vlines(middle_s, y - 0.4, y + 0.4, color=INK, linewidth=1.3, zorder=1)
        axes.text(1.02, y, numbers.figure("epoch_s", middle_s), transform=axes.get_yaxis_transform(), va="center")
    return figure


def times(title: str, key: str, runs: pd.DataFrame) -> Chart | None:
    """The chart of times per epoch, with its words."""
    draw = partial(epoch_time, runs)
    return of_runs("epoch-time", "Training time per epoch", title, key, runs, {"epoch_s": ""}, draw)
