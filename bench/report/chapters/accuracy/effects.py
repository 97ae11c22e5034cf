"""What one change to a network does: SGD for Adam, sigmoid for relu, dropout."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import permutations

import pandas as pd
from matplotlib.figure import Figure

from bench import statistics
from bench.display import axes as display_axes
from bench.display import charts, naming, numbers
from bench.display.charts import INK, Chart
from bench.display.section import shown
from bench.display.tables import Sheet
from bench.report.chapter import Chapter
from bench.report.columns import CONFIGURATION, IMPLEMENTATION, TIER, Column, Table
from bench.report.groups import Group, part
from bench.report.pairs import in_blocks, of_two_networks
from bench.report.results import Results
from bench.report.runs import measured
from bench.store.records.training import TrainingResult
from impls.workload import Adam, Conv, Dense, Dropout, Workload

EFFECTS = Table("One thing changed: a row for each implementation that was measured with both of two networks of the "
                "run.", (
    *CONFIGURATION, TIER, IMPLEMENTATION,
    Column("other", "", "the network that was made from `workload`"),
    Column("changed", "", "what differs: optimiser (with learning rate), activation or dropout"),
    Column("accuracy", "0 to 1", "at the end, mean over the processes of the blocks that both have"),
    Column("other_accuracy", "0 to 1", "the same of the other network"),
    Column("difference", "0 to 1", "the other's less this one's, mean over blocks"),
    Column("low", "0 to 1", "of its 95 % interval; empty with a single block"),
    Column("high", "0 to 1", "of its 95 % interval; empty with a single block"),
    Column("first_accuracy", "0 to 1", "after the first epoch"),
    Column("other_first_accuracy", "0 to 1", "the same of the other network"),
    Column("epoch_s", "s", "a steady epoch"),
    Column("other_epoch_s", "s", "a steady epoch of the other network"),
    Column("blocks", "count", "blocks that both have"),
))  # fmt: skip
SIDES = ("accuracy", "first_accuracy", "epoch_s")
CAPTION = "one thing changed: mean over the processes of the blocks that both networks have"
DASHES = ("-", (0, (4, 1.6)), (0, (1, 1.3)), (0, (4, 1.3, 1, 1.3)))
WORDS = ("solid", "dashed", "dotted", "dash-dotted")


def effects(runs: pd.DataFrame, epochs: pd.DataFrame, results: Sequence[TrainingResult]) -> pd.DataFrame:
    """A row for each implementation that was measured with both of two networks that differ in one thing.

    Accuracies (0 to 1) are means over the blocks that both have, ``first_accuracy`` after the first epoch; the
    difference is the other network's less this one's, with Student's interval where there are several.
    """
    first = epochs[epochs["epoch"] == 1].set_index("cell")["accuracy"]
    own = measured(runs).assign(first_accuracy=lambda frame: frame["cell"].map(first))
    workloads = {result.cell.workload.name: result.cell.workload for result in results}
    rows = []
    for workload, other, changed in pairs(list(workloads.values())):
        for place, a, b in of_two_networks(own, workload, other):
            both = {column: in_blocks(a, b, column) for column in SIDES}
            if len(found := both["accuracy"]):
                ends = asdict(statistics.paired_difference(list(found["b"]), list(found["a"])))
                means = {f"{prefix}{column}": both[column][side].mean()
                         for prefix, side in (("", "a"), ("other_", "b")) for column in SIDES}  # fmt: skip
                several = {"low": ends["low"], "high": ends["high"]} if len(found) > 1 else {}
                rows.append({**place, "other": other, "changed": changed, **means,
                             "difference": ends["estimate"], **several, "blocks": len(found)})  # fmt: skip
    return EFFECTS.frame(rows)


def pairs(workloads: Sequence[Workload]) -> Iterator[tuple[str, str, str]]:
    """Networks that differ in one thing: the plain one, the other, and what is changed in words."""
    for plain, other in permutations(workloads, 2):
        changed = change(plain, other)
        if changed and not change(other, plain):  # of two learning rates of Adam neither is the plain one
            yield plain.name, other.name, changed


def change(plain: Workload, other: Workload) -> str:
    """How the other differs from a plain network (Adam, relu, no dropout); empty where that is not in one thing."""
    plain, other = (replace(one, name="any", document=0, note="", seed=None) for one in (plain, other))
    if isinstance(plain.optimiser, Adam) and plain == replace(other, optimiser=plain.optimiser) != other:
        return f"{optimiser(other)} for {optimiser(plain)}"
    if activation(plain) == "relu" and activation(other) != "relu" and linear(plain) == linear(other):
        return f"{activation(other)} for relu"
    if dropout(other) and plain == without_dropout(other):
        return f"dropout {dropout(other)}"
    return ""


def optimiser(workload: Workload) -> str:
    """``Adam (0.005)``: its name and its learning rate."""
    kind = {"adam": "Adam", "sgd": "SGD"}[workload.optimiser.kind]
    return f"{kind} ({workload.optimiser.learning_rate:g})"


def activation(workload: Workload) -> str:
    """The activations of the hidden layers, each once."""
    layers = [layer for layer in workload.layers if isinstance(layer, Dense | Conv)]
    return numbers.listed(list(dict.fromkeys(layer.activation for layer in layers[:-1])))


def dropout(workload: Workload) -> str:
    """The rates of its dropouts."""
    return numbers.listed([f"{layer.rate:g}" for layer in workload.layers if isinstance(layer, Dropout)])


def without_dropout(workload: Workload) -> Workload:
    """The network without its dropouts."""
    return replace(workload, layers=tuple(layer for layer in workload.layers if not isinstance(layer, Dropout)))


def linear(workload: Workload) -> Workload:
    """The network without its activations."""
    return replace(workload, layers=tuple(
        replace(layer, activation="linear") if isinstance(layer, Dense | Conv) else layer for layer in workload.layers
    ))  # fmt: skip


def sheet(frame: pd.DataFrame, group: Group) -> Sheet:
    """What each change did to the accuracy, after the first epoch and at the end, and to the time of an epoch."""
    rows = []
    for _, row in part(frame, *group.place_key).iterrows():
        points = f"{row['difference'] * 100:+.2f} points"
        blocks = numbers.count(row["blocks"], "block") if row["blocks"] > 1 else "one block: no interval"
        if not math.isnan(row["low"]):
            blocks = f"95 %: {row['low'] * 100:+.2f} to {row['high'] * 100:+.2f}, {blocks}"
        sides = [f"{numbers.figure(column, row[column])} to {numbers.figure(column, row[f'other_{column}'])}"
                 for column in ("first_accuracy", "accuracy")]  # fmt: skip
        times = numbers.MISSING
        if not numbers.missing(row["epoch_s"]) and not numbers.missing(row["other_epoch_s"]):
            times = f"{numbers.ratio(row['other_epoch_s'] / row['epoch_s'])} times"
        rows.append((f"{row['changed']}\n{row['other']}", group.named(row["implementation"]), *sides,
                     f"{points}\n{blocks}", times))  # fmt: skip
    columns = (
        "changed",
        "implementation",
        "after the first epoch",
        "at the end",
        "difference at the end",
        "epoch takes",
    )
    return Sheet("", columns, tuple(rows), texts=2, grouped=True)


def drawn(results: Results, group: Group) -> Iterator[Chart | None]:
    """The chart of the networks that were made from this group's by changing one thing; none where there are none."""
    own, runs = results.part("effects", group), results.runs
    others = list(dict.fromkeys(zip(own["other"], own["changed"], strict=True)))[: len(DASHES) - 1]
    if not others:
        return
    told = [
        f"{naming.named(row['implementation'], row['tier'])} with {row['changed']}: "
        f"{numbers.figure('accuracy', row['accuracy'])} becomes {numbers.figure('accuracy', row['other_accuracy'])}"
        for _, row in own.iterrows()
    ]
    text = f"Test accuracy at the end, mean over processes: {'; '.join(told)}."
    at = runs[(runs["device"] == group.device) & (runs["threads"] == group.threads)]
    yield charts.draw(
        f"effect.{group.key}", f"One thing changed: {group.title}", text,
        lambda title: figure(title, group, at, results.frames["epochs"], others),
    )  # fmt: skip


def figure(
    title: str, group: Group, runs: pd.DataFrame, epochs: pd.DataFrame, others: list[tuple[str, str]]
) -> Figure | None:
    """All panels on one scale, that of the error's logarithm."""
    networks = [group.workload, *(name for name, _ in others)]
    found = []
    for name, cells in display_axes.rows(runs[runs["workload"] == group.workload]):
        lines = {
            network: display_axes.own_lines(
                runs[(runs["workload"] == network) & (runs["implementation"] == name)], epochs
            )
            for network in networks
        }
        found.append((name, cells, {network: line for network, line in lines.items() if len(line)}))
    found = [(name, cells, lines) for name, cells, lines in found if len(lines) > 1]
    if not found:
        return None
    kinds = zip(WORDS, ["as it is", *(changed for _, changed in others)], strict=False)
    key = "; ".join(f"{kind}: {what}" for kind, what in kinds)
    every = pd.concat([line for _, _, lines in found for line in lines.values()])
    drawn, places = display_axes.panels(title, key, [(name, cells) for name, cells, _ in found], every)
    for axes, (_, cells, lines) in zip(places, found, strict=True):
        for network, dash in zip(networks, DASHES, strict=False):
            if network in lines:
                hue = display_axes.colour(cells) if network == group.workload else INK
                axes.plot(lines[network]["epoch"], lines[network]["y"], color=hue, linestyle=dash, linewidth=1.2)
    return drawn


CHAPTER = Chapter(
    tables={"effects": EFFECTS},
    frames=lambda results: {"effects": effects(results.runs, results.frames["epochs"], results.trained)},
    kinds={"effect": "tables/effects.csv"},
    charts=drawn,
    evidence=lambda results, group, pictures: [*pictures, *shown(sheet(results.frames["effects"], group), CAPTION)],
)
