"""Time per step against batch size and against width, both axes logarithmic: a panel for each implementation.

Dots are what was measured, the line is the fit; its overhead is a level, its arithmetic a straight line, and where the
two cross a step spends as long on the one as on the other.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.display import charts, naming, numbers
from bench.display.axes import colour
from bench.display.charts import HEAD, INK, WIDTH, Chart, headed
from bench.report.chapters.overhead import tables
from bench.report.chapters.overhead.fit import Fit, same_width
from bench.report.chapters.overhead.tables import figure as shown
from bench.report.groups import Group
from bench.report.results import Results
from impls.workload import Workload

KINDS = ("sweep-batch", "sweep-width")
TIMES = {1e-6: "1 µs", 1e-5: "10 µs", 1e-4: "100 µs", 1e-3: "1 ms", 1e-2: "10 ms", 0.1: "100 ms", 1.0: "1 s"}
PANEL = 1.95
"""Inches from one panel to the one beneath it."""


def drawn(results: Results, group: Group) -> Iterator[Chart | None]:
    """The charts of a group: against batch size, and against width where there are hidden layers."""
    points, fits = results.part("sweep", group).dropna(subset="step_s"), results.part("overhead", group)
    if points.empty or fits.empty:
        return
    base = results.workloads[group.workload]
    ranked = sorted(
        (row for _, row in fits.iterrows()), key=lambda row: naming.rank(row["implementation"], row["tier"])
    )
    lines = [(row, points[points["implementation"] == row["implementation"]]) for row in ranked]
    said = "; ".join(in_words(row) for row in ranked)
    for kind, what in zip(KINDS, ("batch size", "width"), strict=True):
        if kind == KINDS[0] or base.width is not None:
            title, draw = f"Time per step by {what}: {group.title}", partial(figure, lines, base, kind)
            text = f"{what.capitalize()} against the time of a step. {said}."
            yield charts.draw(f"{kind}.{group.key}", title, text, draw)


def in_words(row: pd.Series) -> str:
    """One implementation's figures in words."""
    crossing, name = row["crossing_batch_size"], naming.named(row["implementation"], row["tier"])
    equal = "" if numbers.missing(crossing) else f", as long as the arithmetic at batch {shown(crossing)}"
    return f"{name} overhead {tables.step(row['overhead_s'])}{equal}"


def figure(lines: Sequence[tuple[pd.Series, pd.DataFrame]], base: Workload, kind: str, title: str) -> Figure:
    """A panel for each implementation, two abreast, all on the same axes."""
    by_batch = kind == KINDS[0]
    across = min(2, len(lines))
    down = math.ceil(len(lines) / across)
    height, column = PANEL * down + HEAD + 0.45, (WIDTH - 0.7) / across
    marks = "dots: measured; line: the fit; dashed: overhead; dotted: arithmetic"
    drawn = headed(height, title, marks + ("; ring: next to no arithmetic" if by_batch else "; grey: the others"))
    placed = [axis(points, base, by_batch) for _, points in lines]
    levels = [row["overhead_s"] for row, _ in lines if row["overhead_s"] > 0]
    least = min([points["step_s"].min() for _, points in lines] + levels) if by_batch else math.inf
    every = pd.concat(placed)
    for i, ((row, points), dots) in enumerate(zip(lines, placed, strict=True)):
        left, bottom = 0.6 + column * (i % across), 0.45 + PANEL * (down - 1 - i // across)
        axes = drawn.add_axes((left / WIDTH, bottom / height, (column - 0.15) / WIDTH, (PANEL - 0.4) / height))
        prepare(axes, every, least, by_batch, first=i % across == 0, last=i + across >= len(lines))
        for other in placed[:i] + placed[i + 1 :]:
            middle = other.groupby("x")["step_s"].median()
            axes.plot(middle.index, middle, color=INK, alpha=0.15, linewidth=0.8)
        panel(axes, row, dots, base, by_batch)
        apart = points.loc[points["held_out"].astype(bool), "step_s"] if by_batch else pd.Series(dtype=float)
        axes.scatter([every["x"].min()] * len(apart), apart, s=30, facecolors="none", edgecolors=colour(points))
        axes.text(0, 1.03, naming.named(row["implementation"], row["tier"]), transform=axes.transAxes, parse_math=False)
    return drawn


def axis(points: pd.DataFrame, base: Workload, by_batch: bool) -> pd.DataFrame:
    """The points of one axis, with their place on it as ``x``."""
    known = points[~points["held_out"].astype(bool)]
    on_axis = known[same_width(known, base)] if by_batch else known[known["batch_size"] == base.batch_size]
    return on_axis.assign(x=on_axis["batch_size" if by_batch else "width"].astype(float))


def panel(axes: Axes, row: pd.Series, dots: pd.DataFrame, base: Workload, by_batch: bool) -> None:
    """What was measured of one implementation, and its fit in parts."""
    hue = colour(dots)
    fit = Fit(row["overhead_s"], row["parameter_s"], 1 / row["flops_per_s"] if row["flops_per_s"] > 0 else 0.0)
    ends = axes.get_xlim()
    x = np.unique(np.geomspace(max(1, ends[0]), ends[1], 60).round())
    made = [base.with_batch_size(int(at)) if by_batch else base.with_width(int(at)) for at in x]
    flops = np.array([network.flops * network.batch_size for network in made], float)
    axes.plot(x, fit.step_s(np.array([network.parameters for network in made]), flops), color=hue, linewidth=1.1)
    axes.scatter(dots["x"], dots["step_s"], s=11, color=hue, zorder=3)
    axes.plot(x, np.full(len(x), fit.overhead_s), color=hue, linewidth=0.9, linestyle=(0, (4, 2)))
    axes.plot(x, fit.flop_s * flops, color=hue, linewidth=0.9, linestyle=(0, (1, 1.5)))
    crossing = row["crossing_batch_size"]
    if by_batch and ends[0] < crossing < ends[1]:
        axes.vlines(crossing, axes.get_ylim()[0], fit.overhead_s, color=INK, linewidth=0.8, alpha=0.6)
        side, bottom = "left" if crossing < math.sqrt(ends[0] * ends[1]) else "right", axes.get_ylim()[0] * 1.15
        axes.text(crossing, bottom, f" {shown(crossing)} ", fontsize=7.5, va="bottom", ha=side)


def prepare(axes: Axes, every: pd.DataFrame, least: float, by_batch: bool, first: bool, last: bool) -> None:
    """A panel on the scale that all panels share, on which ``least`` seconds are too.

    Only the ``first`` and the ``last`` of them label their axes.
    """
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = every["step_s"].min(), every["step_s"].max()
    axes.set_ylim(max(min(low / 3, least / 3), low / 100), high * 1.6)
    axes.set_xlim(every["x"].min() / 1.3, every["x"].max() * 1.3)
    bottom, top = axes.get_ylim()
    ticks = [tick for tick in TIMES if bottom <= tick <= top]
    axes.set_yticks(ticks, [TIMES[tick] for tick in ticks] if first else [])
    axes.set_yticks([], minor=True)
    places = sorted(every["x"].unique())
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.set_xticks([], minor=True)
    axes.tick_params(labelbottom=last, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    if last:
        axes.set_xlabel("batch size" if by_batch else "units of the first hidden layer")
