"""Where an epoch's time goes, as a picture: a bar for each program, its stages one behind the other."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bench.display import charts, naming, numbers
from bench.display.charts import HEAD, INK, WIDTH, Chart, headed
from bench.report.chapters.breakdown.stages import per_image, whole
from bench.report.groups import Group

HUES = {
    "data feeding": "#e69f00",
    "forward": "#8ccbf2",
    "backward": "#3d9fdb",
    "optimiser": "#4fc3a1",
    "rest": "#b9bec7",
}
ON_HUES = "#11151b"
"""The colour of the letters on the stages, also in a dark page."""
LABELS, FIGURES, ROW, KEY, FOOT = 1.5, 0.95, 0.72, 0.28, 0.62
"""Inches: names at the left, figures at the right, a row, the key above and the axis below."""
LETTER = 0.075
"""Inches that a letter of a stage's figures needs."""
Program = tuple[str, pd.DataFrame]


def chart(frame: pd.DataFrame, group: Group) -> Chart | None:
    """The chart of a group, where one of its programs was broken down."""
    programs = whole(frame, group)
    if not programs:
        return None
    title = f"Where the time goes: {group.title}"
    text = f"{title}. Per training image, {'; '.join(in_words(*program) for program in programs)}."
    return charts.draw(f"breakdown.{group.key}", title, text, partial(figure, programs))


def in_words(name: str, stages: pd.DataFrame) -> str:
    """Each stage of a program with its time and share."""
    parts = [
        f"{stage} {per_image(row['image_s'])} ({numbers.percent(row['share'])})" for stage, row in stages.iterrows()
    ]
    return f"{naming.named(name, stages['tier'].iloc[0])}: {numbers.listed(parts)}"


def figure(programs: Sequence[Program], title: str) -> Figure:
    """The bars from top to bottom; beneath them microseconds per image, and seconds per epoch."""
    height = ROW * len(programs) + HEAD + KEY + FOOT
    drawn = headed(height, title, "what each stage adds, in a run apart; marks: an epoch of the timed run")
    wide, high = 1 - (LABELS + FIGURES) / WIDTH, ROW * len(programs) / height
    axes = drawn.add_axes((LABELS / WIDTH, FOOT / height, wide, high))
    axes.set_ylim(len(programs) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    most = max(float(stages[["whole_image_s", "timed_image_s"]].max().max()) for _, stages in programs) * 1e6
    axes.set_xlim(0, most * 1.02)
    key(drawn, 1 - (HEAD + KEY * 0.45) / height)
    for y, (name, stages) in enumerate(programs):
        bar(axes, y, name, stages, wide * WIDTH / (most * 1.02))
    images = min(int(stages["epoch_images"].iloc[0]) for _, stages in programs)
    ticks = [float(tick) for tick in MaxNLocator(6).tick_values(0, most) if tick <= most * 1.02]
    axes.set_xticks(ticks, [f"{tick:g}\n{tick * images / 1e6:.3g} s" for tick in ticks])
    axes.set_xlabel(f"µs per training image; beneath, seconds per epoch of {images:,} images")
    return drawn


def key(drawn: Figure, y: float) -> None:
    """The stages by their colours, in a line."""
    marks = [Patch(color=hue, label=stage) for stage, hue in HUES.items()]
    drawn.legend(
        handles=marks, ncols=len(marks), loc="center left", bbox_to_anchor=(LABELS / WIDTH, y), borderaxespad=0,
        borderpad=0, frameon=False, fontsize=8.5, handlelength=1.0, handleheight=1.0, handletextpad=0.5,
        columnspacing=1.4,
    )  # fmt: skip


def bar(axes: Axes, y: int, name: str, stages: pd.DataFrame, inches: float) -> None:
    """One program: its name, its stages, their sum, and marks where the timed run's epoch ends.

    ``inches`` are as long as a microsecond is drawn. A stage that came out below 0 has no place in the bar.
    """
    first, left = stages.iloc[0], 0.0
    write = partial(axes.text, transform=axes.get_yaxis_transform(), parse_math=False)
    write(-0.02, y, naming.label(name, first["tier"]), ha="right", va="bottom", fontsize=9.5)
    write(-0.02, y, first["tier"], ha="right", va="top", fontsize=7.5, alpha=0.7)
    for stage, row in stages.iterrows():
        width = max(0.0, row["image_s"] * 1e6)
        axes.barh(y, width, left=left, height=0.56, color=HUES[str(stage)], linewidth=0)
        time, share = per_image(row["image_s"]), numbers.percent(row["share"])
        room = width * inches / LETTER
        if room > len(share):
            text = f"{time}\n{share}" if room > len(time) else share
            axes.text(left + width / 2, y, text, ha="center", va="center", fontsize=8, color=ON_HUES, linespacing=1.1)
        left += width
    write(1.02, y, per_image(first["whole_image_s"]), va="bottom", fontsize=9.5)
    if not numbers.missing(first["timed_image_s"]):
        ends = [y - 0.44, y + 0.3], [y - 0.3, y + 0.44]  # above the bar and beneath it, where no figures stand
        axes.vlines([first["timed_image_s"] * 1e6] * 2, *ends, color=INK, linewidth=1.5)
        write(1.02, y, f"timed {per_image(first['timed_image_s'])}", va="top", fontsize=7.5, alpha=0.7)
