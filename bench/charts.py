"""DataFrame -> Figure: epoch time, memory by phase, accuracy by epoch; each chart with its numbers in a sentence.

One hue per framework in all charts, told apart also by those who see few colours (after Okabe and Ito); the tier is
the marker's shape or the bar's shade, and every row is named, so that nothing rests on colour alone.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import pictures, words
from bench.pictures import HEAD, INK, WIDTH, Chart, headed

COLOURS = {"pytorch": "#d55e00", "keras": "#0072b2", "tensorflow": "#3d9fdb", "jax": "#009e73", "numpy": "#7a7a7a"}
OTHER_COLOUR = "#cc79a7"
MARKERS = {"documented": "s", "matched": "o", "tuned": "D", "reference": "^"}
SHADES = {"documented": 0.55, "matched": 1.0, "tuned": 0.8}
PHASES = {
    "after_import_rss_bytes": "after import",
    "after_load_rss_bytes": "after load",
    "training_peak_bytes": "training peak",
    "process_peak_bytes": "whole process",
    "device_peak_bytes": "device peak",
}
ACCURACIES = (0.1, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
CURVES = {"taught_accuracy": "at the end, of training images", "held_accuracy": "of images held out"}
CURVE_KINDS = (("validation", "-"), ("train", (0, (2.5, 1.5))))
LABELS = 1.65
"""Inches for the names at the left."""


def rows(runs: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The implementations of a group with their cells: in the same order in all charts and all tiers."""
    own = runs[(runs["status"] == "ok") & (runs["gate"] != "failed")]
    found = [(str(name), part) for name, part in own.groupby("implementation") if (part["role"] == "measured").any()]
    return sorted(found, key=lambda row: words.rank(row[0], row[1]["tier"].iloc[0]))


def colour(part: pd.DataFrame) -> str:
    """The framework's hue."""
    return COLOURS.get(part["framework"].iloc[0], OTHER_COLOUR)


def named_rows(axes: Axes, found: Sequence[tuple[str, pd.DataFrame]]) -> None:
    """Rows from top to bottom without a frame, each with its implementation's name and tier at the left."""
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    for y, (name, part) in enumerate(found):
        tier = part["tier"].iloc[0]
        write = partial(axes.text, -0.02, y, transform=axes.get_yaxis_transform(), ha="right", parse_math=False)
        write(words.label(name, tier), va="bottom", fontsize=9.5)
        write(tier, va="top", fontsize=7.5, alpha=0.7)


def epoch_time(runs: pd.DataFrame, title: str) -> Figure | None:
    """Seconds per steady epoch: a dot for each process, a bar at the median, rings for the control."""
    found = [(name, part.dropna(subset="epoch_s")) for name, part in rows(runs)]
    found = [(name, part) for name, part in found if (part["role"] == "measured").any()]
    if not found:
        return None
    height = 0.52 * len(found) + HEAD + 0.55
    key = "a dot: one process; bar and figure: the median"
    figure = headed(height, title, key + "; a ring: the control, run again" * ("control" in set(runs["role"])))
    axes = figure.add_axes((LABELS / WIDTH, 0.55 / height, 1 - (LABELS + 0.85) / WIDTH, 1 - (HEAD + 0.55) / height))
    named_rows(axes, found)
    values = pd.concat([part["epoch_s"] for _, part in found])
    scale(axes, float(values.min()), float(values.max()))
    blocks = sorted({block for _, part in found for block in part["block"]})
    lift = {block: 0.5 * (i / max(1, len(blocks) - 1) - 0.5) * (len(blocks) > 1) for i, block in enumerate(blocks)}
    axes.hlines(range(len(found)), *axes.get_xlim(), color=INK, alpha=0.12, linewidth=0.8, zorder=0)
    for y, (_, part) in enumerate(found):
        hue, marker = colour(part), MARKERS.get(part["tier"].iloc[0], "v")
        for role, face, size in (("control", "none", 62), ("measured", hue, 20)):
            own = part[part["role"] == role]
            if len(own):
                heights = [y + lift[block] for block in own["block"]]
                axes.scatter(own["epoch_s"], heights, s=size, marker=marker, facecolors=face, edgecolors=hue, zorder=2)
        median = float(part.loc[part["role"] == "measured", "epoch_s"].median())
        axes.vlines(median, y - 0.4, y + 0.4, color=INK, linewidth=1.3, zorder=1)
        axes.text(1.02, y, words.figure("epoch_s", median), transform=axes.get_yaxis_transform(), va="center")
    return figure


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


def memory(runs: pd.DataFrame, title: str) -> Figure | None:
    """Host memory by phase, and the device's peak: a bar at the median of the processes, a dot for each process."""
    found = [(name, part[part["role"] == "measured"]) for name, part in rows(runs)]
    phases = [column for column in PHASES if any(part[column].notna().any() for _, part in found)]
    if not phases:
        return None
    height = 0.46 * len(found) + HEAD + 0.35
    figure = headed(height, title, "a bar: the median of the processes; a dot: one process")
    axes = figure.add_axes((LABELS / WIDTH, 0.05 / height, 1 - (LABELS + 0.05) / WIDTH, 1 - (HEAD + 0.35) / height))
    named_rows(axes, found)
    axes.set_xticks([])
    step = 2 * max(float(part[phases].max().max()) for _, part in found)  # half a column is left for the figures
    axes.set_xlim(-0.01 * step, step * len(phases))
    axes.vlines([step * i for i in range(len(phases))], -0.5, len(found) - 0.5, color=INK, linewidth=0.8)
    for i, column in enumerate(phases):
        axes.text(step * i, -0.62, PHASES[column], va="bottom")
        for y, (_, part) in enumerate(found):
            values = part[column].dropna().astype(float)
            end = step * i + (values.max() if len(values) else 0)
            axes.text(end + step * 0.03, y, words.figure("_bytes", values.median()), va="center", fontsize=8)
            if len(values):
                shade = SHADES.get(part["tier"].iloc[0], 0.9)
                axes.barh(y, values.median(), left=step * i, height=0.5, color=colour(part), alpha=shade)
                axes.scatter(values + step * i, [y] * len(values), s=5, color=INK, linewidths=0)
    return figure


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
            axes.axhspan(y_of(claim["low"]), y_of(claim["high"]), color=colour(part), alpha=0.22, linewidth=0)
            text = f"document {claim['document']}: {words.claimed('accuracy', claim['low'], claim['high'])}"
            axes.text(0.98, 0.08, text, transform=axes.transAxes, ha="right", fontsize=7.5)
    return figure


def panels(
    title: str, key: str, found: Sequence[tuple[str, pd.DataFrame]], every: pd.DataFrame
) -> tuple[Figure, list[Axes]]:
    """A panel for each implementation, two abreast, each with its name, all on the scale of ``every`` line."""
    across = min(2, len(found))
    down = math.ceil(len(found) / across)
    height, width = 1.9 * down + HEAD + 0.45, (WIDTH - 0.7) / across
    figure, places = headed(height, title, key), []
    for i, (name, part) in enumerate(found):
        left, bottom = 0.6 + width * (i % across), 0.45 + 1.9 * (down - 1 - i // across)
        axes = figure.add_axes((left / WIDTH, bottom / height, (width - 0.15) / WIDTH, 1.5 / height))
        prepare(axes, every, first=i % across == 0, last=i + across >= len(found))
        axes.text(0, 1.03, words.named(name, part["tier"].iloc[0]), transform=axes.transAxes, parse_math=False)
        places.append(axes)
    return figure, places


def own_lines(part: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """Epochs and heights of the measured processes, one after the other with a gap between them."""
    own = epochs[epochs["cell"].isin(measured_cells(part))].dropna(subset="accuracy").sort_values(["block", "epoch"])
    lines = [pd.DataFrame({"epoch": line["epoch"], "y": line["accuracy"].map(y_of)}) for _, line in own.groupby("cell")]
    gap = pd.DataFrame({"epoch": [math.nan], "y": [math.nan]})
    return pd.concat([part for line in lines for part in (line, gap)]) if lines else pd.DataFrame()


def y_of(accuracy: float) -> float:
    """The height of an accuracy: minus the logarithm of the error, which is at least half a test image."""
    return -math.log10(max(1 - accuracy, 0.00005))


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
                heights = values.map(y_of) if what == "accuracy" else values
                axes.plot(shown["batches"], heights, color=colour(part), linestyle=dash, linewidth=1.0)
            axes.set_xlim(0, every["batches"].max() * 1.01)
            axes.tick_params(labelbottom=last, labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
            scale_of(axes, every)
            if what == "loss":
                axes.text(0, 1.04, words.named(name, part["tier"].iloc[0]), transform=axes.transAxes, parse_math=False)
            if last:
                axes.set_xlabel(f"{what}, by batches")
    return figure


def measured_cells(part: pd.DataFrame) -> pd.Series:
    """The names of the cells that are not the control."""
    return part.loc[part["role"] == "measured", "cell"]


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
    top = y_of(every[["train_accuracy", "validation_accuracy"]].max().max()) + 0.1
    ticks = [value for value in (0.1, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998) if y_of(value) <= top]
    axes.set_yticks([y_of(value) for value in ticks], [f"{value * 100:g} %" for value in ticks])
    axes.set_ylim(0, top)


def prepare(axes: Axes, every: pd.DataFrame, first: bool, last: bool) -> None:
    """A panel on the scale that all panels share; only the ``first`` and the ``last`` of them label their axes."""
    top, end = max(y_of(0.9855), every["y"].max() + 0.07), int(every["epoch"].max())
    ticks = [value for value in ACCURACIES if y_of(value) <= top]
    axes.set_yticks([y_of(value) for value in ticks], [f"{value * 100:g} %" for value in ticks] if first else [])
    axes.set_xticks(range(0, end + 1, max(1, math.ceil(end / 10))))
    axes.set_ylim(-0.02, top)
    axes.set_xlim(-0.1, end + 0.1)
    axes.tick_params(labelbottom=last, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    if last:
        axes.set_xlabel("epoch (0 = before training)")


def sentence(start: str, runs: pd.DataFrame, columns: dict[str, str]) -> str:
    """A chart's numbers in words: for each implementation the median and range of each column, the control too."""
    parts = []
    for name, part in rows(runs):
        for role in ("measured", "control") if "epoch_s" in columns else ("measured",):
            own = part.loc[part["role"] == role, list(columns)].dropna(axis="columns", how="all").astype(float)
            told = [
                f"{columns[column]} {words.spread(column, *own[column].quantile([0.5, 0, 1]))}".strip()
                for column in list(own.columns)
            ]
            again = " as control" if role == "control" else ""
            parts += [f"{words.named(name, part['tier'].iloc[0])}{again} {', '.join(told)}"] if told else []
    return f"{start}, median and range over processes: {'; '.join(parts)}."


def of_group(
    title: str, key: str, runs: pd.DataFrame, epochs: pd.DataFrame, evaluations: pd.DataFrame, claims: pd.DataFrame
) -> list[Chart]:
    """The charts of one group that have something to show. ``claims`` are the accuracies claimed for its workload."""
    own = evaluations[evaluations["cell"].isin(runs["cell"])]
    last = own.sort_values("batches").groupby("cell").tail(1).set_index("cell")
    ends = runs.assign(
        held_accuracy=runs["cell"].map(last["validation_accuracy"]),
        taught_accuracy=runs["cell"].map(last["train_accuracy"]),
    )
    kinds: dict[str, tuple[str, dict[str, str], Callable[[str], Figure | None]]] = {
        "epoch-time": ("Training time per epoch", {"epoch_s": ""}, partial(epoch_time, runs)),
        "memory": ("Memory by phase", PHASES, partial(memory, runs)),
        "accuracy": ("Test accuracy by epoch", {"accuracy": "at the end"}, partial(accuracy, runs, epochs, claims)),
        "curves": ("Training and validation", CURVES, partial(curves, runs, own)),
    }
    drawn = [
        pictures.draw(f"{kind}.{key}", f"{what}: {title}", sentence(what, ends, columns), figure)
        for kind, (what, columns, figure) in kinds.items()
    ]
    return [chart for chart in drawn if chart is not None]
