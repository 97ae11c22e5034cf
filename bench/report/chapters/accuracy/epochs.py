"""Accuracy by epoch, and over the batches of training; each chart with its numbers in a sentence.

One hue per framework in all charts, told apart also by those who see few colours (after Okabe and Ito); the tier is
the marker's shape or the bar's shade, and every row is named, so that nothing rests on colour alone.
"""

from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.data import tutorials
from bench.display import naming
from bench.display.axes import colour, error_axis, measured_cells, of_runs, own_lines, panels, rows
from bench.display.charts import HEAD, INK, WIDTH, Chart, headed
from bench.report.chapters.claims import table_4
from bench.report.groups import Group
from bench.report.results import Results

CURVES = {"taught_accuracy": "at the end, of training images", "held_accuracy": "of images held out"}
MOST_POINTS = 200
"""Points of an implementation's lines that are drawn one by one."""
DASHES = {"validation": "-", "train": (0, (2.5, 1.5))}


def drawn(results: Results, group: Group) -> Iterator[Chart | None]:
    """The charts of a group, with what the tutorials claim for its network."""
    claims, frames = pd.DataFrame(tutorials.figure_claims()), results.frames
    claims = claims[(claims["quantity"] == "accuracy") & (claims["device"] == group.device)]
    claims = claims[claims["workload"] == group.workload]
    yield from over_training(group.title, group.key, group.runs, frames["epochs"], frames["curves"], claims)


def over_training(
    title: str, key: str, runs: pd.DataFrame, epochs: pd.DataFrame, curves_frame: pd.DataFrame, claims: pd.DataFrame
) -> Iterator[Chart | None]:
    """Test accuracy by epoch; loss and accuracy over the batches where images are held out."""
    evaluations = curves_frame[curves_frame["cell"].isin(runs["cell"])]
    last = evaluations.sort_values("batches").groupby("cell").tail(1).set_index("cell")
    ends = runs.assign(
        held_accuracy=runs["cell"].map(last["validation_accuracy"]),
        taught_accuracy=runs["cell"].map(last["train_accuracy"]),
    )
    by_epoch, by_batch = partial(accuracy, runs, epochs, claims), partial(curves, runs, evaluations)
    yield of_runs("accuracy", "Test accuracy by epoch", title, key, ends, {"accuracy": "at the end"}, by_epoch)
    yield of_runs("curves", "Training and validation", title, key, ends, CURVES, by_batch)


def accuracy(runs: pd.DataFrame, epochs: pd.DataFrame, claims: pd.DataFrame, title: str) -> Figure | None:
    """Test accuracy by epoch, from before training: a panel for each implementation, a line for each process.

    The scale is the logarithm of the error, so that both the first and the last points can be read. The others stand
    behind in grey, the document's claim as a band. Many epochs are drawn as their mean, and the range of the processes
    as a band.
    """
    lines = {name: line for name, cells in rows(runs) if len(line := own_lines(cells, epochs))}
    if not lines:
        return None
    programs = [(name, cells) for name, cells in rows(runs) if name in lines]
    many = any(len(line) > MOST_POINTS for line in lines.values())
    line_is = "a line: the mean of the processes; pale: their range" if many else "a line: one process"
    key = f"{line_is}; grey: the others" + "; band: the document's claim" * (len(claims) > 0)
    figure, places = panels(title, key, programs, pd.concat(lines.values()))
    for axes, (name, cells) in zip(places, programs, strict=True):
        if len(lines) > 1:
            others = pd.concat([few(line) for other, line in lines.items() if other != name])
            axes.plot(others["epoch"], others["y"], color=INK, alpha=0.15, linewidth=0.7)
        hue, line = colour(cells), lines[name]
        if len(line) > MOST_POINTS:
            ends = line.dropna().groupby("epoch")["y"].agg(["min", "max"])
            axes.fill_between(ends.index, ends["min"], ends["max"], color=hue, alpha=0.3, linewidth=0)
            axes.plot(few(line)["epoch"], few(line)["y"], color=hue, linewidth=1.0)
        else:
            axes.plot(line["epoch"], line["y"], color=hue, linewidth=1.0, marker="o", markersize=2.2)
        for _, claim in claims[claims["framework"] == cells["framework"].iloc[0]].iterrows():
            axes.axhspan(error_axis(claim["low"]), error_axis(claim["high"]), color=hue, alpha=0.22, linewidth=0)
            text = f"document {claim['document']}: {table_4.claimed('accuracy', claim['low'], claim['high'])}"
            axes.text(0.98, 0.08, text, transform=axes.transAxes, ha="right", fontsize=7.5)
    return figure


def few(line: pd.DataFrame) -> pd.DataFrame:
    """The line itself; of more points than can be told apart the mean of each epoch."""
    return line if len(line) <= MOST_POINTS else line.dropna().groupby("epoch", as_index=False)[["y"]].mean()


def curves(runs: pd.DataFrame, evaluations: pd.DataFrame, title: str) -> Figure | None:
    """Loss and accuracy over the batches, of the training images (dashed) and of those held out (solid).

    A row for each implementation, a line for each process.
    """
    programs = [(name, cells, evaluations[evaluations["cell"].isin(measured_cells(cells))])
                for name, cells in rows(runs)]  # fmt: skip
    programs = [(name, cells, lines) for name, cells, lines in programs if len(lines)]
    if not programs:
        return None
    height = 1.75 * len(programs) + HEAD + 0.4
    figure = headed(height, title, "solid: images held out; dashed: training images; a line: one process")
    every, width = pd.concat([lines for _, _, lines in programs]), (WIDTH - 0.7) / 2
    for i, (name, cells, lines) in enumerate(programs):
        bottom, last = 0.4 + 1.75 * (len(programs) - 1 - i), i == len(programs) - 1
        for j, (what, scale) in enumerate((("loss", loss_scale), ("accuracy", accuracy_scale))):
            left = 0.6 + j * (width + 0.2)
            axes = figure.add_axes((left / WIDTH, bottom / height, (width - 0.45) / WIDTH, 1.35 / height))
            for _, line in lines.groupby("cell"):
                for images, dash in DASHES.items():
                    known = line.dropna(subset=f"{images}_{what}")
                    values = known[f"{images}_{what}"]
                    heights = values.map(error_axis) if what == "accuracy" else values
                    axes.plot(known["batches"], heights, color=colour(cells), linestyle=dash, linewidth=1.0)
            axes.set_xlim(0, every["batches"].max() * 1.01)
            axes.tick_params(labelbottom=last, labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
            scale(axes, every)
            if what == "loss":
                title_of_row = naming.named(name, cells["tier"].iloc[0])
                axes.text(0, 1.04, title_of_row, transform=axes.transAxes, parse_math=False)
            if last:
                axes.set_xlabel(f"{what}, by batches")
    return figure


def loss_scale(axes: Axes, every: pd.DataFrame) -> None:
    """A logarithmic axis for all losses, with ticks that are read as they stand."""
    losses = every[["train_loss", "validation_loss"]]
    low, high = losses.min().min() * 0.8, losses.max().max() * 1.3
    ticks = [step for step in (0.01, 0.03, 0.1, 0.3, 1, 3) if low <= step <= high]
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)


def accuracy_scale(axes: Axes, every: pd.DataFrame) -> None:
    """The scale of :func:`accuracy`, with fewer ticks, since the panels are lower."""
    top = error_axis(every[["train_accuracy", "validation_accuracy"]].max().max()) + 0.1
    ticks = [value for value in (0.1, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998) if error_axis(value) <= top]
    axes.set_yticks([error_axis(value) for value in ticks], [f"{value * 100:g} %" for value in ticks])
    axes.set_ylim(0, top)
