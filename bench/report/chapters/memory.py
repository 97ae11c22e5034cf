"""How much memory a program holds: a chart of the host's by phase, and of the device's peak."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from bench import statistics
from bench.display import axes as display_axes
from bench.display import numbers
from bench.display.charts import HEAD, INK, WIDTH, Chart, headed
from bench.report.chapter import Chapter

PHASES = {
    "after_import_rss_bytes": "after import",
    "after_load_rss_bytes": "after load",
    "training_peak_bytes": "training peak",
    "process_peak_bytes": "whole process",
    "device_peak_bytes": "device peak",
}


def figure(runs: pd.DataFrame, title: str) -> Figure | None:
    """A column for each phase: a bar at the geometric mean of the processes, a dot for each process."""
    programs = [(name, cells[cells["role"] == "measured"]) for name, cells in display_axes.rows(runs)]
    phases = [column for column in PHASES if any(cells[column].notna().any() for _, cells in programs)]
    if not phases:
        return None
    height, labels = 0.46 * len(programs) + HEAD + 0.35, display_axes.LABELS
    drawn = headed(height, title, "a bar: the geometric mean of the processes; a dot: one process")
    width, high = 1 - (labels + 0.05) / WIDTH, 1 - (HEAD + 0.35) / height
    axes = drawn.add_axes((labels / WIDTH, 0.05 / height, width, high))
    display_axes.named_rows(axes, programs)
    axes.set_xticks([])
    step = 2 * max(float(cells[phases].max().max()) for _, cells in programs)  # half a column is for the figures
    axes.set_xlim(-0.01 * step, step * len(phases))
    axes.vlines([step * i for i in range(len(phases))], -0.5, len(programs) - 0.5, color=INK, linewidth=0.8)
    for i, column in enumerate(phases):
        axes.text(step * i, -0.62, PHASES[column], va="bottom")
        for y, (_, cells) in enumerate(programs):
            values = cells[column].dropna().astype(float)
            mean, end = statistics.program_value(values), step * i + (values.max() if len(values) else 0)
            axes.text(end + step * 0.03, y, numbers.figure("_bytes", mean), va="center", fontsize=8)
            if len(values):
                shade = display_axes.SHADES.get(cells["tier"].iloc[0], 0.9)
                axes.barh(y, mean, left=step * i, height=0.5, color=display_axes.colour(cells), alpha=shade)
                axes.scatter(values + step * i, [y] * len(values), s=5, color=INK, linewidths=0)
    return drawn


def chart(title: str, key: str, runs: pd.DataFrame) -> Chart | None:
    """The chart with its words; None where no memory was read."""
    return display_axes.of_runs("memory", "Memory by phase", title, key, runs, PHASES, partial(figure, runs))


CHAPTER = Chapter(
    kinds={"memory": "runs.csv"},
    charts=lambda results, group: [chart(group.title, group.key, group.runs)],
    evidence=lambda results, group, pictures: pictures,
)
