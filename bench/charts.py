"""DataFrame -> Figure: epoch time, memory by phase, accuracy by epoch; each chart with its numbers in a sentence.

One hue per framework in all charts, told apart also by those who see few colours (after Okabe and Ito); the tier is
the marker's shape or the bar's shade, and every row is named, so that nothing rests on colour alone.
"""

import math
from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import pictures, words
from bench.pictures import INK, Chart

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
WIDTH, LABELS, GAP, HEAD = 7.2, 1.75, 0.15, 0.5
"""Inches."""


def shown(runs: pd.DataFrame) -> pd.DataFrame:
    """The cells of one group that have figures, and whose work was not found to be another."""
    return runs[(runs["status"] == "ok") & (runs["gate"] != "failed")]


def rows(runs: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The implementations of a group with their cells: in the same order in all charts and all tiers."""
    own = shown(runs)
    found = [(str(name), part) for name, part in own.groupby("implementation") if (part["role"] == "measured").any()]
    return sorted(found, key=lambda row: words.rank(row[0], row[1]["tier"].iloc[0]))


def colour(part: pd.DataFrame) -> str:
    """The framework's hue."""
    return COLOURS.get(part["framework"].iloc[0], OTHER_COLOUR)


def label(axes: Axes, y: float, part: pd.DataFrame) -> None:
    """An implementation's name and tier at the left of its row."""
    name, tier = part["implementation"].iloc[0], part["tier"].iloc[0]
    where = {"transform": axes.get_yaxis_transform(), "ha": "right", "parse_math": False}
    axes.text(-0.02, y, words.label(name, tier), va="bottom", fontsize=9.5, **where)
    axes.text(-0.02, y, tier, va="top", fontsize=7.5, alpha=0.7, **where)


def headed(height: float, title: str, key: str) -> Figure:
    """An empty figure with its title, and beneath it how to read it."""
    figure = Figure(figsize=(WIDTH, height))
    figure.text(0.012, 1 - 0.08 / height, title, va="top", fontsize=10, weight="bold", parse_math=False)
    figure.text(0.012, 1 - 0.28 / height, key, va="top", fontsize=8, alpha=0.7)
    return figure


def bare(axes: Axes, count: int) -> None:
    """Rows from top to bottom, no frame."""
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def epoch_time(runs: pd.DataFrame, title: str) -> Figure | None:
    """Seconds per steady epoch: a dot for each process at its block's height, a bar at the median, rings for the control."""
    found = [(name, part.dropna(subset="epoch_s")) for name, part in rows(runs)]
    found = [(name, part) for name, part in found if (part["role"] == "measured").any()]
    if not found:
        return None
    height = 0.52 * len(found) + HEAD + 0.55
    key = "a dot: one process; bar and figure: the median"
    control = any((part["role"] == "control").any() for _, part in found)
    figure = headed(height, f"Training time per epoch: {title}", key + "; a ring: the control, run again" * control)
    axes = figure.add_axes((LABELS / WIDTH, 0.55 / height, 1 - (LABELS + 0.85) / WIDTH, 1 - (HEAD + 0.55) / height))
    bare(axes, len(found))
    values = pd.concat([part["epoch_s"] for _, part in found])
    scale(axes, float(values.min()), float(values.max()))
    blocks = sorted({block for _, part in found for block in part["block"]})
    lift = {block: 0.0 if len(blocks) == 1 else 0.5 * i / (len(blocks) - 1) - 0.25 for i, block in enumerate(blocks)}
    for y, (_, part) in enumerate(found):
        axes.axhline(y, color=INK, alpha=0.12, linewidth=0.8, zorder=0)
        label(axes, y, part)
        hue, marker = colour(part), MARKERS.get(part["tier"].iloc[0], "v")
        median = float(part.loc[part["role"] == "measured", "epoch_s"].median())
        axes.plot([median, median], [y - 0.4, y + 0.4], color=INK, linewidth=1.3, zorder=1)
        for role, face, size in (("control", "none", 62), ("measured", hue, 20)):
            own = part[part["role"] == role]
            heights = [y + lift[block] for block in own["block"]]
            axes.scatter(own["epoch_s"], heights, s=size, marker=marker, facecolors=face, edgecolors=hue, zorder=2)
        axes.text(1.02, y, words.figure("epoch_s", median), transform=axes.get_yaxis_transform(), va="center")
    return figure


def scale(axes: Axes, low: float, high: float) -> None:
    """A linear axis from zero; a logarithmic one where the greatest value is more than four times the least."""
    axes.spines["bottom"].set_visible(True)
    if high <= 4 * low:
        axes.set_xlim(0, high * 1.08)
        axes.set_xlabel("seconds per epoch")
        return
    steps = [step * 10.0**power for power in range(-9, 9) for step in (1, 2, 5)]
    left, right = max(step for step in steps if step < low * 0.97), min(step for step in steps if step > high * 1.03)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    ticks = [step for step in steps if left <= step <= right]
    ticks = ticks if len(ticks) < 12 else [tick for tick in ticks if math.log10(tick) % 1 < 1e-9]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("seconds per epoch, logarithmic: equal distances are equal ratios")


def memory(runs: pd.DataFrame, title: str) -> Figure | None:
    """Host memory by phase, and the device's peak: a bar at the median of the processes, a dot for each process."""
    phases = {column: phase for column, phase in PHASES.items() if shown(runs)[column].notna().any()}
    found = [(name, part[part["role"] == "measured"]) for name, part in rows(runs)]
    if not phases or not found:
        return None
    height = 0.46 * len(found) + HEAD + 0.35
    figure = headed(height, f"Memory by phase: {title}", "a bar: the median of the processes; a dot: one process")
    width = (WIDTH - LABELS - 0.1) / len(phases)
    greatest = float(max(part[list(phases)].max(axis=None) for _, part in found))
    for i, (column, phase) in enumerate(phases.items()):
        left, top = LABELS + i * width, HEAD + 0.3
        axes = figure.add_axes((left / WIDTH, 0.05 / height, (width - GAP) / WIDTH, 1 - (top + 0.05) / height))
        bare(axes, len(found))
        axes.spines["left"].set_visible(True)
        axes.set_xlim(0, greatest * 1.6)
        axes.set_xticks([])
        axes.set_title(phase, loc="left", fontsize=9)
        for y, (_, part) in enumerate(found):
            if i == 0:
                label(axes, y, part)
            values = part[column].dropna()
            if len(values):
                shade = SHADES.get(part["tier"].iloc[0], 0.9)
                axes.barh(y, values.median(), height=0.5, color=colour(part), alpha=shade)
                axes.scatter(values, [y] * len(values), s=5, color=INK, linewidths=0)
            shift = greatest * 0.05 + (float(values.max()) if len(values) else 0)
            axes.text(shift, y, words.figure("_bytes", values.median()), va="center", fontsize=8)
    return figure


def accuracy(runs: pd.DataFrame, epochs: pd.DataFrame, claims: pd.DataFrame, title: str) -> Figure | None:
    """Test accuracy by epoch, from before training: a panel for each implementation, a line for each process.

    The scale is the logarithm of the error, so that both the first and the last points can be read. The others stand
    behind in grey, document 1's claim as a band.
    """
    lines = {name: own_lines(part, epochs) for name, part in rows(runs)}
    found = [(name, part) for name, part in rows(runs) if lines[name]]
    if not found:
        return None
    columns = min(2, len(found))
    count = math.ceil(len(found) / columns)
    height = 1.95 * count + HEAD + 0.65
    key = "a line: one process; grey: the others; band: document 1's claim" if len(claims) else "a line: one process"
    figure = headed(height, f"Test accuracy by epoch: {title}", key)
    drawn = figure.subplots(count, columns, squeeze=False, sharex=True, sharey=True)
    figure.subplots_adjust(0.55 / WIDTH, 0.45 / height, 1 - 0.1 / WIDTH, 1 - (HEAD + 0.25) / height, 0.08, 0.2 * (count > 1) + 0.05)
    for axes in drawn.flat[len(found) :]:
        axes.set_visible(False)
    panels = list(drawn.flat[: len(found)])
    best = max(max(accuracy) for group in lines.values() for _, accuracy in group)
    prepare(panels[0], best, max(max(x) for group in lines.values() for x, _ in group))
    for axes, (name, part) in zip(panels, found, strict=True):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelbottom=axes in panels[-columns:], labelsize=8)
        tier = part["tier"].iloc[0]
        axes.set_title(words.named(name, tier), loc="left", fontsize=9.5, parse_math=False)
        for other in lines:
            for x, y in lines[other] if other != name else []:
                axes.plot(x, [error(value) for value in y], color=INK, alpha=0.15, linewidth=0.7)
        for x, y in lines[name]:
            axes.plot(x, [error(value) for value in y], color=colour(part), linewidth=1.0, marker="o", markersize=2.2)
        claim = claims[claims["framework"] == part["framework"].iloc[0]] if len(claims) else claims
        for low, high in zip(claim["low"], claim["high"], strict=True) if len(claim) else []:
            axes.axhspan(error(low), error(high), color=colour(part), alpha=0.22, linewidth=0)
            text = f"document 1: {words.claimed('accuracy', low, high)}"
            axes.text(0.02, error(low) * 1.08, text, transform=axes.get_yaxis_transform(), va="top", fontsize=7.5)
    for axes in panels[-columns:]:
        axes.set_xlabel("epoch (0 = before training)")
    return figure


def own_lines(part: pd.DataFrame, epochs: pd.DataFrame) -> list[tuple[list[int], list[float]]]:
    """Epochs and accuracies of each measured process."""
    measured = part.loc[part["role"] == "measured", "cell"]
    own = epochs[epochs["cell"].isin(measured)].dropna(subset="accuracy")
    return [(list(line["epoch"]), list(line["accuracy"])) for _, line in own.groupby("cell")]


def error(accuracy: float) -> float:
    """The share that was wrong, at least half a test image, so that it has a logarithm."""
    return max(1 - accuracy, 0.00005)


def prepare(axes: Axes, best: float, last: float) -> None:
    """The scale that all panels share: the error's logarithm, labelled as accuracy."""
    axes.set_yscale("log")
    lowest = min(error(best) * 0.85, 0.0145)
    axes.set_ylim(1.05, lowest)
    ticks = [value for value in ACCURACIES if error(value) >= lowest]
    axes.set_yticks([error(value) for value in ticks], [f"{value * 100:g} %" for value in ticks])
    axes.set_yticks([], minor=True)
    step = max(1, math.ceil(last / 10))
    axes.set_xticks(range(0, int(last) + 1, step))
    axes.set_xlim(-0.1, last + 0.1)


def sentence(start: str, runs: pd.DataFrame, columns: dict[str, str]) -> str:
    """A chart's numbers in words: for each implementation the median and range of each column, the control too."""
    parts = []
    for name, part in rows(runs):
        for role, own in part.groupby("role", sort=True):
            told = []
            for column, title in columns.items():
                values = own[column].dropna()
                if len(values):
                    told.append(f"{title} {words.spread(column, values.median(), values.min(), values.max())}".strip())
            if told and (role == "measured" or "epoch_s" in columns):
                again = "" if role == "measured" else " as control"
                parts.append(f"{words.named(name, part['tier'].iloc[0])}{again} {', '.join(told)}")
    return f"{start}, median and range over processes: {'; '.join(parts)}."


def of_group(title: str, key: str, runs: pd.DataFrame, epochs: pd.DataFrame, claims: pd.DataFrame) -> list[Chart]:
    """The charts of one group that have something to show. ``claims`` are the accuracies claimed for its workload."""
    kinds: tuple[tuple[str, str, dict[str, str], Callable[[], Figure | None]], ...] = (
        ("epoch-time", "Seconds per steady epoch", {"epoch_s": ""}, lambda: epoch_time(runs, title)),
        ("memory", "Memory by phase", PHASES, lambda: memory(runs, title)),
        ("accuracy", "Test accuracy after the last epoch", {"accuracy": ""}, lambda: accuracy(runs, epochs, claims, title)),
    )
    drawn = (
        pictures.draw(f"{name}.{key}", f"{what}: {title}", sentence(what, runs, columns), figure)
        for name, what, columns, figure in kinds
    )
    return [chart for chart in drawn if chart is not None]
