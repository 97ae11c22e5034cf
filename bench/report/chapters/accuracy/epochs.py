"""Accuracy by epoch, and over the batches of training; each chart with its numbers in a sentence.

One hue per framework in all charts, told apart also by those who see few colours (after Okabe and Ito); the tier is
the marker's shape or the bar's shade, and every row is named, so that nothing rests on colour alone.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product

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
CURVE_KINDS = (("validation", "-"), ("train", (0, (2.5, 1.5))))


def accuracy(runs: pd.DataFrame, epochs: pd.DataFrame, claims: pd.DataFrame, title: str) -> Figure | None:
    """Test accuracy by epoch, from before training: a panel for each implementation, a line for each process.

    The scale is the logarithm of the error, so that both the first and the last points can be read. The others stand
    behind in grey, the document's claim as a band.
    """
    found = [(name, part, own_lines(part, epochs)) for name, part in rows(runs)]
    found = [(name, part, line) for name, part, line in found if len(line)]
    if not found:
        return None
    key = "a line: one process; grey: the others" + "; band: the document's claim" * (len(claims) > 0)
    every = pd.concat([line for _, _, line in found])
    figure, places = panels(title, key, [(name, part) for name, part, _ in found], every)
    for axes, (name, part, own) in zip(places, found, strict=True):
        others = pd.concat([pd.DataFrame(), *(line for other, _, line in found if other != name)])
        if len(others):
            axes.plot(others["epoch"], others["y"], color=INK, alpha=0.15, linewidth=0.7)
        axes.plot(own["epoch"], own["y"], color=colour(part), linewidth=1.0, marker="o", markersize=2.2)
        for _, claim in claims[claims["framework"] == part["framework"].iloc[0]].iterrows():
            axes.axhspan(
                error_axis(claim["low"]), error_axis(claim["high"]), color=colour(part), alpha=0.22, linewidth=0
            )
            text = f"document {claim['document']}: {table_4.claimed('accuracy', claim['low'], claim['high'])}"
            axes.text(0.98, 0.08, text, transform=axes.transAxes, ha="right", fontsize=7.5)
    return figure


def curves(runs: pd.DataFrame, found: pd.DataFrame, title: str) -> Figure | None:
    """Loss and accuracy over the batches, of the training images (dashed) and of those held out (solid).

    A row for each implementation, a line for each process.
    """
    own = [(name, part, found[found["cell"].isin(measured_cells(part))]) for name, part in rows(runs)]
    own = [(name, part, lines) for name, part, lines in own if len(lines)]
    if not own:
        return None
    height = 1.75 * len(own) + HEAD + 0.4
    figure = headed(height, title, "solid: images held out; dashed: training images; a line: one process")
    every, width = pd.concat([lines for _, _, lines in own]), (WIDTH - 0.7) / 2
    for i, (name, part, lines) in enumerate(own):
        bottom, last = 0.4 + 1.75 * (len(own) - 1 - i), i == len(own) - 1
        for j, (what, scale_of) in enumerate((("loss", loss_scale), ("accuracy", accuracy_scale))):
            left = 0.6 + j * (width + 0.2)
            axes = figure.add_axes((left / WIDTH, bottom / height, (width - 0.45) / WIDTH, 1.35 / height))
            for (_, line), (kind, dash) in product(lines.groupby("cell"), CURVE_KINDS):
                shown = line.dropna(subset=f"{kind}_{what}")
                values = shown[f"{kind}_{what}"]
                heights = values.map(error_axis) if what == "accuracy" else values
                axes.plot(shown["batches"], heights, color=colour(part), linestyle=dash, linewidth=1.0)
            axes.set_xlim(0, every["batches"].max() * 1.01)
            axes.tick_params(labelbottom=last, labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
            scale_of(axes, every)
            if what == "loss":
                axes.text(0, 1.04, naming.named(name, part["tier"].iloc[0]), transform=axes.transAxes, parse_math=False)
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


def drawn(results: Results, group: Group) -> Iterator[Chart | None]:
    """The charts of a group, with what the tutorials claim for its network."""
    claims = pd.DataFrame(tutorials.figure_claims())
    claims = claims[(claims["quantity"] == "accuracy") & (claims["device"] == group.device)]
    claims, frames = claims[claims["workload"] == group.workload], results.frames
    yield from over_training(group.title, group.key, group.runs, frames["epochs"], frames["curves"], claims)


def over_training(
    title: str, key: str, runs: pd.DataFrame, epochs: pd.DataFrame, evaluations: pd.DataFrame, claims: pd.DataFrame
) -> Iterator[Chart | None]:
    """Test accuracy by epoch; loss and accuracy over the batches where images are held out."""
    own = evaluations[evaluations["cell"].isin(runs["cell"])]
    last = own.sort_values("batches").groupby("cell").tail(1).set_index("cell")
    ends = runs.assign(
        held_accuracy=runs["cell"].map(last["validation_accuracy"]),
        taught_accuracy=runs["cell"].map(last["train_accuracy"]),
    )
    figure = partial(accuracy, runs, epochs, claims)
    yield of_runs("accuracy", "Test accuracy by epoch", title, key, ends, {"accuracy": "at the end"}, figure)
    yield of_runs("curves", "Training and validation", title, key, ends, CURVES, partial(curves, runs, own))
