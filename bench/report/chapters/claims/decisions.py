"""What was measured that decides a claim: a row for each implementation that the claim is about."""

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
from bench.report.chapters.claims.verdicts import Basis, Ruling, not_measured
from bench.report.runs import GROUP
from bench.statistics import Difference, Ratio
from impls.workload import Conv, Workload

Row = dict[str, Any]
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


def of_one(claim: FigureClaim, runs: pd.DataFrame, workloads: dict[str, Workload]) -> Iterator[Row]:
    """One network in one framework: a row for each tier and number of threads."""
    column = MEASURES[claim.quantity]
    for configuration, group in implementations(runs, claim, claim.framework):
        values = group[column].dropna().tolist()
        if values:
            yield row(claim, configuration, group, claim.quantity, mean(values, column), len(values), workloads)


def of_two(claim: ContrastClaim, runs: pd.DataFrame, workloads: dict[str, Workload]) -> Iterator[Row]:
    """One network in two frameworks of the same tier, block by block."""
    column = MEASURES[claim.quantity]
    others = {key(configuration): group for configuration, group in implementations(runs, claim, claim.other)}
    for configuration, group in implementations(runs, claim, claim.framework):
        other = others.get(key(configuration))
        if other is not None and len(both := pairs.in_blocks(group, other, column)):
            result, _ = pairs.judge(both, column)
            quantity = "accuracy difference" if column == "accuracy" else f"{column} ratio"
            made = row(claim, configuration, group, quantity, result, len(both), workloads)
            yield made | {
                "rows": selected(
                    configuration["workload"], [configuration["implementation"], other["implementation"].iloc[0]]
                )
            }


def of_many(claim: AccuracyClaim, runs: pd.DataFrame, workloads: dict[str, Workload]) -> Iterator[Row]:
    """The accuracy of every network of a kind, in whatever framework."""
    column = {"before training": "before", "at the end": "accuracy"}[claim.moment]
    for configuration, group in by_place(runs):
        convolutional = any(isinstance(layer, Conv) for layer in workloads[configuration["workload"]].layers)
        values = group[column].dropna().tolist()
        if values and claim.networks in ("all", "convolutional" if convolutional else "dense"):
            yield row(claim, configuration, group, "accuracy", mean(values, column), len(values), workloads)


def of_spread(claim: SpreadClaim, runs: pd.DataFrame, workloads: dict[str, Workload]) -> Iterator[Row]:
    """How much more one network's accuracy varies than another's, in the same implementation."""
    for configuration, group, other in pairs.of_two_networks(runs, claim.workload, claim.other):
        if claim.over == "epochs":
            both = pairs.in_blocks(group, other, "varies")
            both = both[(both > 0).all(axis=1)]
            result = statistics.paired_ratio(list(both["a"]), list(both["b"])) if len(both) else None
            blocks = len(both)
        else:
            a, b = (list[float](cells["accuracy"].dropna()) for cells in (group, other))
            result, blocks = statistics.spread_ratio(a, b), min(len(a), len(b))
        if result is not None:
            made = row(claim, configuration, group, f"accuracy spread over {claim.over}", result, blocks, workloads)
            yield made | {"rows": selected([claim.workload, claim.other], configuration["implementation"])}


ROWS_OF: Mapping[type, Callable[[Any, pd.DataFrame, dict[str, Workload]], Iterator[Row]]] = {
    FigureClaim: of_one, ContrastClaim: of_two, AccuracyClaim: of_many, SpreadClaim: of_spread,
}  # fmt: skip
"""What looks for the rows that decide a claim of each kind."""


def implementations(
    runs: pd.DataFrame, claim: FigureClaim | ContrastClaim, framework: str
) -> Iterator[tuple[Row, pd.DataFrame]]:
    """The implementations of a framework in which a claim's network was measured on its device, one for each tier.

    Keras on another backend than the documents' is another thing.
    """
    rows = runs[(runs["workload"] == claim.workload) & (runs["device"] == claim.device)]
    yield from by_place(rows[rows["implementation"] == rows["tier"] + "-" + framework])


def by_place(runs: pd.DataFrame) -> Iterator[tuple[Row, pd.DataFrame]]:
    """The rows of each implementation and configuration, with their names."""
    names = [*GROUP, "tier", "implementation"]
    for values, group in runs.groupby(names, sort=False):
        yield dict(zip(names, values, strict=True)), group


def key(configuration: Row) -> tuple[Any, ...]:
    """What two frameworks that are compared have in common."""
    return tuple(configuration[name] for name in (*GROUP, "tier"))


def mean(values: Sequence[float], column: str) -> Ratio | Difference:
    """The mean over blocks with its interval: geometric for times and bytes, plain for accuracies."""
    if column in ("accuracy", "before"):
        return statistics.paired_difference(values, [0.0] * len(values))
    return statistics.paired_ratio(values, [1.0] * len(values))


def row(
    claim: AnyClaim,
    configuration: Row,
    group: pd.DataFrame,
    quantity: str,
    result: Ratio | Difference,
    blocks: int,
    workloads: dict[str, Workload],
) -> Row:
    """A claim that something was measured for."""
    trained, should = int(group["epochs"].iloc[0]), workloads[str(configuration["workload"])].epochs
    value = {"value": result.estimate, "low": result.low, "high": result.high}
    if blocks < 2:
        value |= {"low": math.nan, "high": math.nan}
    before = isinstance(claim, AccuracyClaim) and claim.moment == "before training"
    if "accuracy" in quantity and not before and trained < should:
        ruling = not_measured(f"trained for {trained} of {numbers.count(should, 'epoch')}")
    else:
        basis = None if result.has_interval else Basis.ONE_PROCESS
        ruling = Ruling(statistics.claim_verdict(result, *limits(claim, quantity)), basis)
    return {
        "says": claim.says, **configuration, "quantity": quantity, **bounds(claim), **value, "blocks": blocks,
        "epochs": trained, "document_epochs": should, **asdict(ruling),
        "rows": selected(configuration["workload"], configuration["implementation"]),
    }  # fmt: skip


def bounds(claim: AnyClaim) -> Row:
    """What a claim says in figures, as columns of the ledger."""
    return {"claim_low": claim.low, "claim_high": claim.high, "about": claim.about}


def limits(claim: AnyClaim, quantity: str) -> tuple[float, float]:
    """From where to where a value is as claimed, an "about" taken into account."""
    low, high, about = claim.low, claim.high, claim.about
    if quantity in ("accuracy", "accuracy difference"):
        return low - about if low else 0.0, high + about
    return low / (1 + about), high * (1 + about)


def selected(workload: str | list[str], implementation: str | list[str]) -> str:
    """The rows of ``runs.csv``, as a query of pandas."""
    conditions = [f"{name} {'in' if isinstance(value, list) else '=='} {value!r}"
             for name, value in (("workload", workload), ("implementation", implementation))]  # fmt: skip
    return " and ".join([*conditions, "role == 'measured'"])
