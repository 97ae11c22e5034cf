"""What several charts share: colours, rows, scales and legends."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import statistics
from bench.display import naming, numbers
from bench.display.charts import HEAD, WIDTH, Chart, draw, headed
from impls.frameworks import FRAMEWORKS

COLOURS = {name: row.colour for name, row in FRAMEWORKS.items()}
OTHER_COLOUR = "#cc79a7"
MARKERS = {"documented": "s", "matched": "o", "tuned": "D", "reference": "^"}
SHADES = {"documented": 0.55, "matched": 1.0, "tuned": 0.8}
ACCURACIES = (0.1, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
LABELS = 1.65
"""Inches for the names at the left."""


def rows(runs: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The implementations of a group with their cells: in the same order in all charts and all tiers."""
    good = runs[(runs["status"] == "ok") & (runs["gate"] != "failed") & (runs["attested"] != "no")]
    parts = [(str(name), part) for name, part in good.groupby("implementation") if (part["role"] == "measured").any()]
    return sorted(parts, key=lambda row: naming.rank(row[0], row[1]["tier"].iloc[0]))


def colour(part: pd.DataFrame) -> str:
    """The framework's hue."""
    return COLOURS.get(part["framework"].iloc[0], OTHER_COLOUR)


def named_rows(axes: Axes, parts: Sequence[tuple[str, pd.DataFrame]]) -> None:
    """Rows from top to bottom without a frame, each with its implementation's name and tier at the left."""
    axes.set_ylim(len(parts) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    for y, (name, part) in enumerate(parts):
        tier = part["tier"].iloc[0]
        write = partial(axes.text, -0.02, y, transform=axes.get_yaxis_transform(), ha="right", parse_math=False)
        write(naming.label(name, tier), va="bottom", fontsize=9.5)
        write(tier, va="top", fontsize=7.5, alpha=0.7)


def scale(axes: Axes, low: float, high: float) -> None:
    """A linear axis from zero; a logarithmic one where the greatest value is more than four times the least."""
    axes.spines["bottom"].set_visible(True)
    axes.set_xlabel("seconds per epoch" + " (logarithmic)" * (high > 4 * low))
    if high <= 4 * low:
        axes.set_xlim(0, high * 1.08)
        return
    steps = [step * 10.0**power for power in range(-9, 9) for step in (1, 2, 5)]
    left, right = max(step for step in steps if step < low * 0.97), min(step for step in steps if step > high * 1.03)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    ticks = [step for step in steps if left <= step <= right]
    ticks = ticks if len(ticks) < 12 else [tick for tick in ticks if f"{tick:e}".startswith("1")]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)


def panels(
    title: str, key: str, parts: Sequence[tuple[str, pd.DataFrame]], every: pd.DataFrame
) -> tuple[Figure, list[Axes]]:
    """A panel for each implementation, two abreast, each with its name, all on the scale of ``every`` line."""
    across = min(2, len(parts))
    down = math.ceil(len(parts) / across)
    height, width = 1.9 * down + HEAD + 0.45, (WIDTH - 0.7) / across
    figure, drawn = headed(height, title, key), []
    for i, (name, part) in enumerate(parts):
        left, bottom = 0.6 + width * (i % across), 0.45 + 1.9 * (down - 1 - i // across)
        axes = figure.add_axes((left / WIDTH, bottom / height, (width - 0.15) / WIDTH, 1.5 / height))
        prepare(axes, every, first=i % across == 0, last=i + across >= len(parts))
        axes.text(0, 1.03, naming.named(name, part["tier"].iloc[0]), transform=axes.transAxes, parse_math=False)
        drawn.append(axes)
    return figure, drawn


def own_lines(part: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """Epochs and heights of the measured processes, one after the other with a gap between them."""
    good = epochs[epochs["cell"].isin(measured_cells(part))].dropna(subset="accuracy").sort_values(["block", "epoch"])
    lines = [
        pd.DataFrame({"epoch": line["epoch"], "y": line["accuracy"].map(error_axis)})
        for _, line in good.groupby("cell")
    ]
    gap = pd.DataFrame({"epoch": [math.nan], "y": [math.nan]})
    return pd.concat([part for line in lines for part in (line, gap)]) if lines else pd.DataFrame()


def error_axis(accuracy: float) -> float:
    """The height of an accuracy: minus the logarithm of the error, which is at least half a test image."""
    return -math.log10(max(1 - accuracy, 0.00005))


def measured_cells(part: pd.DataFrame) -> pd.Series:
    """The names of the cells that are not the control."""
    return part.loc[part["role"] == "measured", "cell"]


def prepare(axes: Axes, every: pd.DataFrame, first: bool, last: bool) -> None:
    """A panel on the scale that all panels share; only the ``first`` and the ``last`` of them label their axes."""
    top, end = max(error_axis(0.9855), every["y"].max() + 0.07), int(every["epoch"].max())
    ticks = [value for value in ACCURACIES if error_axis(value) <= top]
    axes.set_yticks([error_axis(value) for value in ticks], [f"{value * 100:g} %" for value in ticks] if first else [])
    axes.set_xticks(range(0, end + 1, max(1, math.ceil(end / 10))))
    axes.set_ylim(-0.02, top)
    axes.set_xlim(-0.1, end + 0.1)
    axes.tick_params(labelbottom=last, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    if last:
        axes.set_xlabel("epoch (0 = before training)")


def sentence(start: str, runs: pd.DataFrame, columns: dict[str, str]) -> str:
    """A chart's numbers in words: for each implementation the mean and range of each column, the control too."""
    parts = []
    for name, part in rows(runs):
        for role in ("measured", "control") if "epoch_s" in columns else ("measured",):
            figures = part.loc[part["role"] == role, list(columns)].dropna(axis="columns", how="all").astype(float)
            shown = [f"{columns[column]} {spread(column, figures[column])}".strip() for column in list(figures.columns)]
            again = " as control" if role == "control" else ""
            parts += [f"{naming.named(name, part['tier'].iloc[0])}{again} {', '.join(shown)}"] if shown else []
    return f"{start}, mean and range over processes: {'; '.join(parts)}."


def spread(column: str, values: pd.Series) -> str:
    """What a program is shown with, and the range of its processes."""
    return numbers.spread(column, statistics.value_of(column, values), values.min(), values.max())


def of_runs(
    kind: str, what: str, title: str, key: str, runs: pd.DataFrame, columns: dict[str, str],
    figure: Callable[[str], Figure | None],
) -> Chart | None:  # fmt: skip
    """A chart of processes, called ``kind.key``; its words are the mean and range of the columns."""
    return draw(f"{kind}.{key}", f"{what}: {title}", sentence(what, runs, columns), figure)
