"""Every claim of the tutorials beside what was measured here."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from bench import statistics
from bench.data import mnist
from bench.data.tutorials import facts
from bench.display import naming, numbers
from bench.report import columns, pairs
from bench.report.chapters.claims import properties
from bench.report.chapters.claims.table_4 import QUANTITY_COLUMNS, why_missing, without_gpu
from bench.report.columns import Column, Table
from bench.report.runs import GROUP, measured
from bench.statistics import Difference, Ratio
from bench.store.records.training import Result
from impls.workload import Conv, Workload

Row = dict[str, Any]
MNIST = mnist.digest(mnist.PUBLISHED)
OTHER_DATA = "not measured: trained on other data than MNIST"
FIRST_STEADY = 2
"""The epoch from which on an accuracy's ups and downs are compared: before it, a network is still learning."""
CLAIMS = Table("One row for each claim of the documents and implementation that it is about; one for each claim that "
               "nothing decides.", (
    Column("document", "number", "the document that claims it"),
    Column("says", "", "the claim, in our words"),
    *columns.CONFIGURATION,
    Column("tier", "", "documented, matched, tuned, reference or plugin; probe for the statements of Table 1 "
           "(table_1.csv)"),
    columns.IMPLEMENTATION,
    Column("quantity", "", "what is claimed: a time, memory, an accuracy, a ratio or difference of two, or how much "
           "accuracies vary"),
    Column("claim_low", "", "from where on a value is as claimed, in the quantity's unit"),
    Column("claim_high", "", "up to where; as claim_low where a single figure is claimed"),
    Column("about", "relative", "how exact an 'about' is taken to be; of accuracies the points, in shares of 1"),
    Column("value", "", "mean over blocks; of times, memory and ratios the geometric mean"),
    Column("low", "", "lower end of its 95 % interval; empty where there is one block"),
    Column("high", "", "upper end"),
    columns.BLOCKS, columns.EPOCHS,
    Column("document_epochs", "count", "epochs for which the document trains"),
    Column("verdict", "", "holds, does not hold, undecided, or not measured with the reason"),
    Column("rows", "", "which rows of runs.csv decide it, as a query of pandas; of table_1.csv where tier is probe"),
))  # fmt: skip


def ledger(
    frame: pd.DataFrame, epochs: pd.DataFrame, results: Sequence[Result], machines: pd.DataFrame
) -> pd.DataFrame:
    """One row for each claim and implementation that it is about, and one for each claim that nothing here can decide.

    ``value`` is the mean over blocks, of times and memory the geometric one, with Student's 95 % interval; ``verdict``
    is ``holds``, ``does not hold``, ``undecided``, or ``not measured`` with the reason. ``rows`` selects the rows of
    ``runs.csv`` that decide it, as a query of pandas.
    """
    workloads = {result.cell.workload.name: result.cell.workload for result in results}
    other_data = {result.cell.key for result in results if result.cell.data not in ("", MNIST)}
    own, all_of = measured(frame[~frame["cell"].isin(other_data)]), facts()
    before = epochs[epochs["epoch"] == 0].set_index("cell")["accuracy"]
    own = own.assign(before=own["cell"].map(before), varies=own["cell"].map(variation(epochs)))
    no_gpu = without_gpu(machines)
    found: list[Row] = []
    for kind, rows_of in KINDS.items():
        for claim in all_of[kind]:
            rows = sorted(
                rows_of(claim, own, workloads), key=lambda row: naming.rank(row["implementation"], row["tier"])
            )
            found += rows or [nobody(claim, frame, OTHER_DATA if other_data else "", no_gpu)]
    return CLAIMS.frame(found)


def variation(epochs: pd.DataFrame) -> pd.Series:
    """How unsteady each cell's test accuracy is from the second epoch on, without the learning that goes on meanwhile.

    The standard deviation of the changes from one epoch to the next, by the root of 2: of ups and downs around a steady
    rise it is their own standard deviation, which that of the accuracies is not (after von Neumann and others 1941).
    """
    late = epochs[epochs["epoch"] >= FIRST_STEADY].sort_values("epoch")
    changes = late.groupby("cell")["accuracy"].diff()
    return changes.groupby(late["cell"]).std() / math.sqrt(2)


def of_one(claim: Row, own: pd.DataFrame, workloads: dict[str, Workload]) -> Iterator[Row]:
    """One network in one framework: a row for each tier and number of threads."""
    column = QUANTITY_COLUMNS[claim["quantity"]]
    for place, group in implementations(own, claim, claim["framework"]):
        values = group[column].dropna().tolist()
        if values:
            yield row(claim, place, group, claim["quantity"], mean(values, column), len(values), workloads)


def of_two(claim: Row, own: pd.DataFrame, workloads: dict[str, Workload]) -> Iterator[Row]:
    """One network in two frameworks of the same tier, block by block."""
    column = QUANTITY_COLUMNS[claim["quantity"]]
    others = {key(place): group for place, group in implementations(own, claim, claim["other"])}
    for place, group in implementations(own, claim, claim["framework"]):
        other = others.get(key(place))
        if other is not None and len(both := pairs.in_blocks(group, other, column)):
            result, _ = pairs.judge(both, column)
            quantity = "accuracy difference" if column == "accuracy" else f"{column} ratio"
            made = row(claim, place, group, quantity, result, len(both), workloads)
            yield made | {
                "rows": selected(place["workload"], [place["implementation"], other["implementation"].iloc[0]])
            }


def of_many(claim: Row, own: pd.DataFrame, workloads: dict[str, Workload]) -> Iterator[Row]:
    """The accuracy of every network of a kind, in whatever framework."""
    column = {"before training": "before", "at the end": "accuracy"}[claim["moment"]]
    for place, group in by_place(own):
        convolutional = any(isinstance(layer, Conv) for layer in workloads[place["workload"]].layers)
        values = group[column].dropna().tolist()
        if values and claim["networks"] in ("all", "convolutional" if convolutional else "dense"):
            yield row(claim, place, group, "accuracy", mean(values, column), len(values), workloads)


def of_spread(claim: Row, own: pd.DataFrame, workloads: dict[str, Workload]) -> Iterator[Row]:
    """How much more one network's accuracy varies than another's, in the same implementation."""
    for place, group, other in pairs.of_two_networks(own, claim["workload"], claim["other"]):
        if claim["over"] == "epochs":
            both = pairs.in_blocks(group, other, "varies")
            both = both[(both > 0).all(axis=1)]
            result = statistics.paired_ratio(list(both["a"]), list(both["b"])) if len(both) else None
            blocks = len(both)
        else:
            a, b = (list[float](cells["accuracy"].dropna()) for cells in (group, other))
            result, blocks = statistics.spread_ratio(a, b), min(len(a), len(b))
        if result is not None:
            made = row(claim, place, group, f"accuracy spread over {claim['over']}", result, blocks, workloads)
            yield made | {"rows": selected([claim["workload"], claim["other"]], place["implementation"])}


KINDS = {"claim": of_one, "contrast": of_two, "accuracy": of_many, "spread": of_spread}
"""The tables of ``documents.toml``, and what looks for the rows that decide such a claim."""


def implementations(own: pd.DataFrame, claim: Row, framework: str) -> Iterator[tuple[Row, pd.DataFrame]]:
    """The implementations of a framework in which a claim's network was measured on its device, one for each tier.

    Keras on another backend than the documents' is another thing.
    """
    asked = own[(own["workload"] == claim["workload"]) & (own["device"] == claim["device"])]
    asked = asked[asked["implementation"] == asked["tier"] + "-" + framework]
    yield from by_place(asked)


def by_place(own: pd.DataFrame) -> Iterator[tuple[Row, pd.DataFrame]]:
    """The rows of each implementation and place, with their names."""
    names = [*GROUP, "tier", "implementation"]
    for values, group in own.groupby(names, sort=False):
        yield dict(zip(names, values, strict=True)), group


def key(place: Row) -> tuple[Any, ...]:
    """What two frameworks that are compared have in common."""
    return tuple(place[name] for name in (*GROUP, "tier"))


def mean(values: Sequence[float], column: str) -> Ratio | Difference:
    """The mean over blocks with its interval: geometric for times and bytes, plain for accuracies."""
    if column in ("accuracy", "before"):
        return statistics.paired_difference(values, [0.0] * len(values))
    return statistics.paired_ratio(values, [1.0] * len(values))


def row(
    claim: Row,
    place: Row,
    group: pd.DataFrame,
    quantity: str,
    result: Ratio | Difference,
    blocks: int,
    workloads: dict[str, Workload],
) -> Row:
    """A claim that something was measured for."""
    trained, should = int(group["epochs"].iloc[0]), workloads[str(place["workload"])].epochs
    claimed = {"claim_low": claim["low"], "claim_high": claim["high"], "about": claim["about"]}
    found = asdict(result)
    value = {"value": found["estimate"], "low": found["low"], "high": found["high"]}
    if blocks < 2:
        value |= {"low": math.nan, "high": math.nan}
    at_the_end = "accuracy" in quantity and claim.get("moment") != "before training"
    if at_the_end and trained < should:
        verdict = f"not measured: trained for {trained} of {numbers.count(should, 'epoch')}"
    else:
        verdict = statistics.claim_verdict(result, *limits(claim, quantity))
    return {
        "document": claim["document"], "says": claim["says"], **place, "quantity": quantity, **claimed, **value,
        "blocks": blocks, "epochs": trained, "document_epochs": should, "verdict": verdict,
        "rows": selected(place["workload"], place["implementation"]),
    }  # fmt: skip


def limits(claim: Row, quantity: str) -> tuple[float, float]:
    """From where to where a value is as claimed, an "about" taken into account."""
    low, high, about = claim["low"], claim["high"], claim["about"]
    if quantity in ("accuracy", "accuracy difference"):
        return low - about if low else 0.0, high + about
    return low / (1 + about), high * (1 + about)


def selected(workload: str | list[str], implementation: str | list[str]) -> str:
    """The rows of ``runs.csv``, as a query of pandas."""
    asked = [f"{name} {'in' if isinstance(value, list) else '=='} {value!r}"
             for name, value in (("workload", workload), ("implementation", implementation))]  # fmt: skip
    return " and ".join([*asked, "role == 'measured'"])


def nobody(claim: Row, frame: pd.DataFrame, why: str, no_gpu: bool) -> Row:
    """A claim that nothing here can decide, and why: for all of them, or else found out."""
    if why:
        pass
    elif "networks" in claim:
        why = f"not measured: no {claim['networks']} network in this run"
    else:
        names = [claim["workload"], claim["other"]] if "over" in claim else [claim["workload"]]
        missing = [name for name in names if name not in set(frame["workload"])]
        there = frame[frame["workload"].isin(names)]
        if "framework" in claim:
            there = there[there["framework"].isin([claim["framework"], claim.get("other")])]
            there = there[there["device"] == claim["device"]]
        if missing:
            why = f"not measured: {numbers.listed(missing)} not in this run"
        elif "other" in claim and len(measured(there)):
            why = "not measured: needs both, in the same blocks and for several epochs"
        else:
            why = why_missing(there, claim.get("device", "cpu"), "epoch_s", no_gpu)
    quantity = claim.get("quantity", "accuracy" if "networks" in claim else f"accuracy spread over {claim.get('over')}")
    return {
        "document": claim["document"], "says": claim["says"], "workload": claim.get("workload"),
        "device": claim.get("device"), "quantity": quantity, "claim_low": claim["low"], "claim_high": claim["high"],
        "about": claim["about"], "blocks": 0, "verdict": why,
    }  # fmt: skip


def joined(ledger: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The ledger with the statements of the table after the other claims of their document."""
    every = pd.DataFrame([*ledger.to_dict("records"), *lines(frame)], columns=ledger.columns)
    return every.sort_values("document", kind="stable", ignore_index=True)


def lines(frame: pd.DataFrame) -> Iterator[Row]:
    """The rows of the table as lines of the ledger; ``rows`` selects the row of ``table_1.csv``."""
    for row in frame.to_dict("records"):
        yield {
            **{name: row[name] for name in ("document", "says", "workload", "threads", "quantity", "value", "verdict")},
            "device": "cpu", "tier": properties.PROBE, "implementation": f"{properties.PROBE}-{row['framework']}",
            "blocks": 0 if row["verdict"].startswith(properties.NOT_MEASURED) else 1,
            "rows": f"property == {row['property']!r} and framework == {row['framework']!r} and "
            f"claim == {row['claim']!r}",
        }  # fmt: skip
