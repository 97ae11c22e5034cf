"""The chart that a page opens with: a bar for each program, from zero, the fastest first, under what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.display import charts, naming, numbers
from bench.display.axes import COLOURS, OTHER_COLOUR, SHADES
from bench.display.charts import INK, Chart
from bench.report.chapters.comparison import answer, programs
from bench.report.groups import Group
from bench.report.runs import measured

WIDTH, ROW, LINE, FOOT, SMALL = 4.6, 0.44, 0.19, 0.42, 0.12
"""Inches: narrow enough to be read on a phone; a program, a line of the title, the axis, a small line."""
LETTERS, SMALL_LETTERS = 58, 82
"""Of a line of the title, and of a small one."""
KEY = "Seconds per training epoch, less is better. Lines: 95 % intervals over blocks."


@dataclass(frozen=True)
class Bar:
    """A program: its names, its seconds and their interval, how many times as long as the fastest it takes."""

    label: str
    tier: str
    framework: str
    seconds: float
    low: float
    high: float
    times: float


def chart(group: Group) -> Chart | None:
    """The chart of a group, where programs were timed."""
    drawn = bars(group)
    if not drawn:
        return None
    title = title_of(group)
    return charts.draw(f"answer.{group.key}", title, in_words(title, drawn), partial(figure, drawn))


def title_of(group: Group) -> str:
    """What was found, and where."""
    return f"{answer.finding(group)} ({group.title})"


def in_words(title: str, drawn: Sequence[Bar]) -> str:
    """The chart in a sentence."""
    return f"{title}. {KEY} {'; '.join(f'{bar.label} ({bar.tier}) {figures(bar)}' for bar in drawn)}."


def bars(group: Group) -> list[Bar]:
    """The programs, the fastest first."""
    made, runs = [], measured(group.runs)
    for _, row in group.timed.iterrows():
        name = str(row["implementation"])
        interval = programs.interval(runs.loc[runs["implementation"] == name, "epoch_s"])
        low, high = (interval.get(end, row["epoch_s"]) for end in ("epoch_low_s", "epoch_high_s"))
        times = row["epoch_s"] / group.timed["epoch_s"].iloc[0]
        label = naming.label(name, row["tier"])
        made.append(Bar(label, row["tier"], row["framework"], float(row["epoch_s"]), low, high, times))
    return made


def figures(bar: Bar) -> str:
    """``2.73 s, 1.88 times``; the fastest has its time alone."""
    times = f", {numbers.ratio(bar.times)} times" if bar.times > 1 else ""
    return f"{numbers.figure('epoch_s', bar.seconds)}{times}"


def figure(drawn: Sequence[Bar], title: str, below: Sequence[str] = ()) -> Figure:
    """Names above the bars, so that these have all of the width; small lines ``below``, where there are some."""
    lines = wrap(title, LETTERS)
    small = [line for words in below for line in wrap(words, SMALL_LETTERS)]
    head, foot = LINE * len(lines) + 0.36, FOOT + SMALL * len(small)
    height = head + ROW * len(drawn) + foot
    made = Figure(figsize=(WIDTH, height))
    made.text(0.01, 1 - 0.04 / height, "\n".join(lines), va="top", fontsize=10, weight="bold", parse_math=False)
    made.text(0.01, 1 - (LINE * len(lines) + 0.1) / height, KEY, va="top", fontsize=7.5, alpha=0.7)
    made.text(0.01, 0.05 / height, "\n".join(small), va="bottom", fontsize=6.5, alpha=0.7, parse_math=False)
    axes = made.add_axes((0.01, foot / height, 0.98, ROW * len(drawn) / height))
    axes.set_ylim(len(drawn), 0)
    axes.set_xlim(0, 1.02 * max(min(bar.high, 2 * bar.seconds) for bar in drawn))
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.set_xlabel("seconds", fontsize=8)
    for position, bar in enumerate(drawn):
        row(axes, position, bar)
    return made


def row(axes: Axes, position: int, bar: Bar) -> None:
    """One program: a line with its name and its figures, the bar beneath it."""
    write = partial(axes.text, y=position + 0.42, va="bottom", transform=axes.get_yaxis_transform(), parse_math=False)
    write(0, s=f"{bar.label}, {bar.tier}", fontsize=8.5)
    write(1, s=figures(bar), ha="right", fontsize=8.5)
    hue = COLOURS.get(bar.framework, OTHER_COLOUR)
    axes.barh(position + 0.66, bar.seconds, height=0.38, color=hue, alpha=SHADES.get(bar.tier, 1.0), linewidth=0)
    if bar.low < bar.high:
        axes.hlines(position + 0.66, bar.low, min(bar.high, axes.get_xlim()[1]), color=INK, linewidth=1.2)
