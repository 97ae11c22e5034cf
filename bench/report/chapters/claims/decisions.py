"""What was measured that decides a claim: a row for each of the tutorials' programs that the claim is about."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from bench import statistics
from bench.data.tutorials import AccuracyClaim, AnyClaim, ContrastClaim, FigureClaim, SpreadClaim
from bench.display import numbers
from bench.report import pairs
from bench.report.chapters.claims.table_4 import MEASURES
from bench.report.chapters.claims.verdicts import Basis, Ruling, not_tested
from bench.report.groups import part
from bench.report.runs import GROUP
from bench.statistics import ClaimVerdict, Difference, Ratio
from impls.workload import Conv, Workload

Row = dict[str, Any]
NAMES = [*GROUP, "tier", "implementation"]
FIRST_STEADY = 2
"""The epoch from which on an accuracy's ups and downs are compared: before it, a network is still learning."""


def variation(epochs: pd.DataFrame) -> pd.Series:
    """How unsteady each cell's test accuracy is from the second epoch on, without the learning that goes on meanwhile.

    The standard deviation of the changes from one epoch to the next, by the root of 2: of ups and downs around a steady
    rise it is their own standard deviation, which that of the accuracies is not (after von Neumann and others 1941).
    """
    late = epochs[epochs["epoch"] >= FIRST_STEADY].sort_values("epoch")
    changes = late.groupby("cell")["accuracy"].diff()
    return changes.groupby(late["cell"]).std() / math.sqrt(2)


def prepared(runs: pd.DataFrame, epochs: pd.DataFrame, workloads: Mapping[str, Workload]) -> pd.DataFrame:
    """The runs with more columns that decide claims: accuracy before training, its variation, the network's kind."""
    before = epochs[epochs["epoch"] == 0].set_index("cell")["accuracy"]
    kinds = {name: "convolutional" if any(isinstance(layer, Conv) for layer in workload.layers) else "dense"
             for name, workload in workloads.items()}  # fmt: skip
    return runs.assign(
        before=runs["cell"].map(before),
        varies=runs["cell"].map(variation(epochs)),
        network=runs["workload"].map(kinds),
        document_epochs=runs["workload"].map({name: workload.epochs for name, workload in workloads.items()}),
    )


def of_one(claim: FigureClaim, runs: pd.DataFrame) -> Iterator[Row]:
    """One network in one framework: a row for each tier and number of threads."""
    column = MEASURES[claim.quantity]
    for names, group in implementations(runs, claim):
        values = group[column].dropna().tolist()
        if values:
            yield row(claim, names, group, claim.quantity, mean(values, column), len(values))


def of_two(claim: ContrastClaim, runs: pd.DataFrame) -> Iterator[Row]:
    """One network in two frameworks of the same tier, block by block."""
    column = MEASURES[claim.quantity]
    quantity = "accuracy difference" if column == "accuracy" else f"{column} ratio"
    for names, group in implementations(runs, claim):
        same = part(runs, *(names[name] for name in GROUP))
        other = f"{names['tier']}-{claim.other}"
        both = pairs.in_blocks(group, same[same["implementation"] == other], column)
        if len(both):
            made = row(claim, names, group, quantity, pairs.judge(both, column)[0], len(both))
            yield made | {"rows": selected(names["workload"], [names["implementation"], other])}


def of_many(claim: AccuracyClaim, runs: pd.DataFrame) -> Iterator[Row]:
    """The accuracy of every network of a kind, in whatever framework."""
    column = {"before training": "before", "at the end": "accuracy"}[claim.moment]
    kind = runs if claim.networks == "all" else runs[runs["network"] == claim.networks]
    for names, group in pairs.grouped(kind, NAMES):
        values = group[column].dropna().tolist()
        if values:
            yield row(claim, names, group, "accuracy", mean(values, column), len(values))


def of_spread(claim: SpreadClaim, runs: pd.DataFrame) -> Iterator[Row]:
    """How much more one network's accuracy varies than another's, in the same implementation."""
    for names, group, other in pairs.of_two_networks(runs, claim.workload, claim.other):
        if claim.over == "epochs":
            both = pairs.in_blocks(group, other, "varies")
            both = both[(both > 0).all(axis=1)]
            result = statistics.paired_ratio(both["a"], both["b"]) if len(both) else None
            blocks = len(both)
        else:
            a, b = (list[float](cells["accuracy"].dropna()) for cells in (group, other))
            result, blocks = statistics.spread_ratio(a, b), min(len(a), len(b))
        if result is not None:
            made = row(claim, names, group, f"accuracy spread over {claim.over}", result, blocks)
            yield made | {"rows": selected([claim.workload, claim.other], names["implementation"])}


ROWS_OF: Mapping[type, Callable[[Any, pd.DataFrame], Iterator[Row]]] = {
    FigureClaim: of_one, ContrastClaim: of_two, AccuracyClaim: of_many, SpreadClaim: of_spread,
}  # fmt: skip
"""The function that finds what decides a claim, by the claim's type."""


def implementations(runs: pd.DataFrame, claim: FigureClaim | ContrastClaim) -> Iterator[tuple[Row, pd.DataFrame]]:
    """The implementations of a claim's framework that ran its network on its device, one for each tier and threads.

    A framework on another backend than the tutorials' is another program.
    """
    rows = runs[(runs["workload"] == claim.workload) & (runs["device"] == claim.device)]
    return pairs.grouped(rows[rows["implementation"] == rows["tier"] + "-" + claim.framework], NAMES)


def mean(values: Sequence[float], column: str) -> Ratio | Difference:
    """The mean over blocks with its interval: geometric for times and bytes, plain for accuracies."""
    if column in ("accuracy", "before"):
        return statistics.paired_difference(values, [0.0] * len(values))
    return statistics.paired_ratio(values, [1.0] * len(values))


def row(
    claim: AnyClaim, names: Row, group: pd.DataFrame, quantity: str, result: Ratio | Difference, blocks: int
) -> Row:
    """A claim that something was measured for."""
    trained, document_epochs = int(group["epochs"].iloc[0]), int(group["document_epochs"].iloc[0])
    low, high = (result.low, result.high) if blocks > 1 else (math.nan, math.nan)
    at_the_end = "accuracy" in quantity and not (isinstance(claim, AccuracyClaim) and claim.moment == "before training")
    if at_the_end and trained < document_epochs:
        ruling = not_tested(f"trained for {trained} of {numbers.count(document_epochs, 'epoch')}")
    else:
        basis = None if result.has_interval else Basis.ONE_PROCESS
        verdict = statistics.claim_verdict(result, *limits(claim, quantity))
        elsewhere = verdict is ClaimVerdict.REFUTED and quantity == "epoch_s"
        ruling = Ruling(ClaimVerdict.OTHER_HARDWARE if elsewhere else verdict, basis)
    return {
        "says": claim.says, **names, "quantity": quantity, **bounds(claim), "value": result.estimate, "low": low,
        "high": high, "blocks": blocks, "epochs": trained, "document_epochs": document_epochs, **asdict(ruling),
        "rows": selected(names["workload"], names["implementation"]),
    }  # fmt: skip


def bounds(claim: AnyClaim) -> Row:
    """What a claim says in figures, as columns of the ledger."""
    return {"claim_low": claim.low, "claim_high": claim.high, "about": claim.about}


def limits(claim: AnyClaim, quantity: str) -> tuple[float, float]:
    """The range in which a value counts as claimed, with "about" taken into account."""
    low, high, about = claim.low, claim.high, claim.about
    if quantity in ("accuracy", "accuracy difference"):
        return low - about if low else 0.0, high + about
    return low / (1 + about), high * (1 + about)


def selected(workload: str | list[str], implementation: str | list[str]) -> str:
    """A query of pandas that selects rows of ``runs.csv``."""
    conditions = [f"{name} {'in' if isinstance(value, list) else '=='} {value!r}"
             for name, value in (("workload", workload), ("implementation", implementation))]  # fmt: skip
    return " and ".join([*conditions, "role == 'measured'"])
