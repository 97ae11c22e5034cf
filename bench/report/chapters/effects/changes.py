"""Networks of a run that differ in one thing, and what that did to accuracy and time: a row for each program."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from itertools import permutations

import pandas as pd

from bench.display import numbers
from bench.report.columns import CONFIGURATION, IMPLEMENTATION, TIER, Column, Table
from bench.report.pairs import in_blocks, judge, of_two_networks
from bench.report.runs import measured
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


def effects(runs: pd.DataFrame, epochs: pd.DataFrame, workloads: Mapping[str, Workload]) -> pd.DataFrame:
    """A row for each implementation that was measured with both of two networks that differ in one thing.

    Accuracies (0 to 1) are means over the blocks that both have, ``first_accuracy`` after the first epoch; the
    difference is the other network's less this one's, with Student's interval where there are several.
    """
    first = epochs[epochs["epoch"] == 1].set_index("cell")["accuracy"]
    cells = measured(runs).assign(first_accuracy=lambda frame: frame["cell"].map(first))
    rows = []
    for plain, other, changed in pairs(workloads):
        for which, of_plain, of_other in of_two_networks(cells, plain, other):
            both = {column: in_blocks(of_other, of_plain, column) for column in SIDES}
            blocks = len(both["accuracy"])
            if blocks:
                ends = asdict(judge(both["accuracy"], "accuracy")[0])
                several = {"low": ends["low"], "high": ends["high"]} if blocks > 1 else {}
                means = {f"{prefix}{column}": both[column][side].mean()
                         for prefix, side in (("", "b"), ("other_", "a")) for column in SIDES}  # fmt: skip
                rows.append(which | means | several | {
                    "other": other, "changed": changed, "difference": ends["estimate"], "blocks": blocks,
                })  # fmt: skip
    return EFFECTS.frame(rows)


def pairs(workloads: Mapping[str, Workload]) -> Iterator[tuple[str, str, str]]:
    """Networks that differ in one thing: the plain one, the other, and what is changed in words."""
    for plain, other in permutations(workloads.values(), 2):
        changed = change(plain, other)
        if changed and not change(other, plain):  # of two learning rates of Adam neither is the plain one
            yield plain.name, other.name, changed


def change(plain: Workload, other: Workload) -> str:
    """How a network differs from a plain one (Adam, relu, no dropout); empty unless it is in exactly one thing."""
    plain, other = (replace(one, name="any", document=0, note="", seed=None) for one in (plain, other))
    if isinstance(plain.optimiser, Adam) and plain == replace(other, optimiser=plain.optimiser) != other:
        return f"{optimiser(other)} for {optimiser(plain)}"
    if activation(plain) == "relu" and activation(other) != "relu" and linear(plain) == linear(other):
        return f"{activation(other)} for relu"
    rates = [f"{layer.rate:g}" for layer in other.layers if isinstance(layer, Dropout)]
    without = tuple(layer for layer in other.layers if not isinstance(layer, Dropout))
    return f"dropout {numbers.listed(rates)}" if rates and plain == replace(other, layers=without) else ""


def optimiser(workload: Workload) -> str:
    """``Adam (0.005)``: its name and its learning rate."""
    kind = {"adam": "Adam", "sgd": "SGD"}[workload.optimiser.kind]
    return f"{kind} ({workload.optimiser.learning_rate:g})"


def activation(workload: Workload) -> str:
    """The activations of the hidden layers, each once."""
    layers = [layer for layer in workload.layers if isinstance(layer, Dense | Conv)]
    return numbers.listed(list(dict.fromkeys(layer.activation for layer in layers[:-1])))


def linear(workload: Workload) -> Workload:
    """The network without its activations."""
    return replace(workload, layers=tuple(
        replace(layer, activation="linear") if isinstance(layer, Dense | Conv) else layer for layer in workload.layers
    ))  # fmt: skip
