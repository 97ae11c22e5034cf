"""One thing changed: networks of a run that differ in their optimiser, their activation or their dropout alone.

Document 5 names SGD and sigmoid as things to try, document 1's prose adds a dropout. Each is set against the network
that it was made from, in the same implementation and the same blocks.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import permutations

import pandas as pd

from bench import compare, words
from bench.answers import Group, part
from bench.records import Result
from bench.sheets import Sheet
from bench.tables import GROUP, measured
from bench.verdicts import in_blocks, of_two_networks
from impls.contract import Adam, Conv, Dense, Dropout, Workload

COLUMNS = [*GROUP, "tier", "implementation", "other", "changed", "accuracy", "other_accuracy", "difference", "low",
           "high", "first_accuracy", "other_first_accuracy", "epoch_s", "other_epoch_s", "blocks"]  # fmt: skip
SIDES = ("accuracy", "first_accuracy", "epoch_s")


def effects(runs: pd.DataFrame, epochs: pd.DataFrame, results: Sequence[Result]) -> pd.DataFrame:
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
                ends = asdict(compare.paired_difference(list(found["b"]), list(found["a"])))
                means = {f"{prefix}{column}": both[column][side].mean()
                         for prefix, side in (("", "a"), ("other_", "b")) for column in SIDES}  # fmt: skip
                several = {"low": ends["low"], "high": ends["high"]} if len(found) > 1 else {}
                rows.append({**place, "other": other, "changed": changed, **means,
                             "difference": ends["estimate"], **several, "blocks": len(found)})  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def pairs(workloads: Sequence[Workload]) -> Iterator[tuple[str, str, str]]:
    """Networks that differ in one thing: the plain one, the other, and what is changed in words."""
    for plain, other in permutations(workloads, 2):
        changed = change(plain, other)
        if changed and not change(other, plain):  # of two learning rates of Adam neither is the plain one
            yield plain.name, other.name, changed


def change(plain: Workload, other: Workload) -> str:
    """How the other differs from a plain network (Adam, relu, no dropout); empty where that is not in one thing."""
    plain, other = (replace(one, name="", document=0, note="", seed=None) for one in (plain, other))
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
    return words.listed(list(dict.fromkeys(layer.activation for layer in layers[:-1])))


def dropout(workload: Workload) -> str:
    """The rates of its dropouts."""
    return words.listed([f"{layer.rate:g}" for layer in workload.layers if isinstance(layer, Dropout)])


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
        blocks = words.count(row["blocks"], "block") if row["blocks"] > 1 else "one block: no interval"
        if not math.isnan(row["low"]):
            blocks = f"95 %: {row['low'] * 100:+.2f} to {row['high'] * 100:+.2f}, {blocks}"
        sides = [f"{words.figure(column, row[column])} to {words.figure(column, row[f'other_{column}'])}"
                 for column in ("first_accuracy", "accuracy")]  # fmt: skip
        times = words.MISSING
        if not words.missing(row["epoch_s"]) and not words.missing(row["other_epoch_s"]):
            times = f"{words.ratio(row['other_epoch_s'] / row['epoch_s'])} times"
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
