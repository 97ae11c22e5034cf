"""Every pair of implementations with its interval and verdict, the A/A control, a summary; all as data frames.

What a pair's figures say is judged in :mod:`bench.statistics`; here is which figures make a pair.
"""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from itertools import combinations
from typing import Any

import pandas as pd

from bench import statistics
from bench.data.questions import Contender, primary
from bench.report import columns
from bench.report.columns import Column, Table
from bench.report.runs import GROUP, measured
from bench.statistics import Difference, Ratio, Verdict

WORDS = {
    "epoch_s": {Verdict.SMALLER: "faster", Verdict.GREATER: "slower"},
    "process_peak_bytes": {Verdict.SMALLER: "less", Verdict.GREATER: "more"},
    "accuracy": {Verdict.SMALLER: "lower", Verdict.GREATER: "higher"},
}
"""What is compared, and what a smaller and a greater value are called. Accuracies are compared by difference."""
Key = tuple[str, str, int]
"""The values of :data:`bench.report.runs.GROUP`."""
Asked = dict[Key, set[frozenset[str]]]
"""The pairs of each configuration that get a verdict."""
SUMMARY = Table("One row for each implementation of a network, device and number of threads: geometric means over "
                "processes, of accuracies means, and ranges.", (
    *columns.CONFIGURATION, columns.TIER, columns.IMPLEMENTATION, columns.FRAMEWORK,
    columns.PROCESSES, columns.EPOCHS, columns.EPOCH_S,
    Column("epoch_s_low", "s", "least"),
    Column("epoch_s_high", "s", "greatest"),
    columns.FIRST_EPOCH_S, columns.IMPORT_S, columns.PREDICT_S, columns.PROCESS_PEAK_BYTES,
    Column("process_peak_bytes_low", "bytes", "least"),
    Column("process_peak_bytes_high", "bytes", "greatest"),
    columns.ACCURACY,
    Column("accuracy_low", "", "least"),
    Column("accuracy_high", "", "greatest"),
    columns.CPU_PER_WALL, columns.IDLE_S,
))  # fmt: skip
CONTROL = Table("One row for each A/A control: a program divided by itself, block by block.", (
    *columns.CONFIGURATION, columns.IMPLEMENTATION,
    Column("estimate", "ratio", "control / measured"),
    Column("low", "ratio", "lower end of the 95 % interval"),
    Column("high", "ratio", "upper end of the 95 % interval"),
    columns.P, columns.DELTA,
    Column("fit", "", "True where it does not differ from itself, corrected for the number of controls; else there "
           "are no verdicts"),
    columns.BLOCKS,
))  # fmt: skip
COMPARISON = Table("One row for each pair of implementations and quantity.", (
    *columns.CONFIGURATION,
    Column("compared", "", "epoch_s, process_peak_bytes or accuracy: the column of runs.csv"),
    Column("unit", "", "of estimate, low and high: ratio, or 0 to 1 for a difference of accuracies"),
    Column("a", "", "the implementation whose typical value is greater"),
    Column("b", "", "the other one"),
    Column("estimate", "ratio", "how many times a is as slow (or as large) as b; of accuracies, the difference a - b "
           "in shares of 1"),
    Column("low", "", "lower end of the 95 % interval of estimate"),
    Column("high", "", "upper end of the 95 % interval of estimate"),
    columns.P,
    Column("question", "", "primary: asked before anything was measured; exploratory: any other pair, which gets no "
           "verdict"),
    Column("p_holm", "probability", "p corrected for all primary pairs of the session with that quantity (Holm); empty "
           "for an exploratory one"),
    columns.DELTA,
    Column("verdict", "", "on a: faster, slower, equivalent (within delta), inconclusive, too few blocks, or why there "
           "is none"),
    columns.BLOCKS,
))  # fmt: skip


def grouped(frame: pd.DataFrame, names: list[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The rows with the same values in these columns, with those values by name; in the order of first appearance."""
    for values, rows in frame.groupby(names, sort=False):
        yield dict(zip(names, values, strict=True)), rows


def in_blocks(a: pd.DataFrame, b: pd.DataFrame, column: str) -> pd.DataFrame:
    """The values of two sets of cells in the blocks that both have, as columns ``a`` and ``b``."""
    return pd.DataFrame({"a": a.set_index("block")[column], "b": b.set_index("block")[column]}).dropna().astype(float)


def of_two_networks(
    runs: pd.DataFrame, workload: str, other: str
) -> Iterator[tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]]:
    """The cells of two networks, for each implementation that ran both; it is named with the first network."""
    names = ["device", "threads", "tier", "implementation"]
    others = dict(iter(runs[runs["workload"] == other].groupby(names, sort=False)))
    for values, group in grouped(runs[runs["workload"] == workload], names):
        if (same := tuple(values.values())) in others:
            yield {"workload": workload} | values, group, others[same]


def judge(both: pd.DataFrame, column: str) -> tuple[Ratio | Difference, float]:
    """The ratio of ``a`` to ``b``, of accuracies their difference, with its interval; and the p-value."""
    a, b = list(both["a"]), list(both["b"])
    if column == "accuracy":
        return statistics.paired_difference(a, b), statistics.p_value(list(both["a"] - both["b"]))
    return statistics.paired_ratio(a, b), statistics.p_value(statistics.log_ratios(a, b))


def controls(frame: pd.DataFrame, column: str) -> Iterator[tuple[Key, str, pd.DataFrame]]:
    """Every implementation with a control: its configuration, its name, the values of both by block."""
    for key, group in frame[frame["status"] == "ok"].groupby(GROUP, sort=False):
        for name in group.loc[group["role"] == "control", "implementation"].unique():
            cells = group[group["implementation"] == name]
            both = in_blocks(cells[cells["role"] == "control"], cells[cells["role"] == "measured"], column)
            if len(both):
                yield key, name, both  # type: ignore[misc]  # pandas' stubs do not know what a group's key is


def control(frame: pd.DataFrame, column: str = "epoch_s") -> pd.DataFrame:
    """The A/A control of each group: the reference implementation over itself, block by block.

    A session is fit where no control differs from itself, corrected for the number of controls.
    """
    rows: list[dict[str, Any]] = []
    for key, name, both in controls(frame, column):
        ratio, p = judge(both, column)
        assert isinstance(ratio, Ratio)
        configuration = dict(zip(GROUP, key, strict=True)) | {"implementation": name}
        rows.append(configuration | asdict(ratio) | {"p": p, "delta": statistics.delta(ratio), "blocks": len(both)})
    table = CONTROL.frame(rows)
    return table.assign(fit=[not statistics.sure(p) for p in statistics.holm(list(table["p"]))])


def comparison(frame: pd.DataFrame, questions: int = 0) -> pd.DataFrame:
    """Every pair of implementations of each group: ratio, interval, verdict on ``a``; of time, memory and accuracy.

    ``a`` is the one whose typical value is greater, so that ratios read as "so many times slower"; accuracies (0 to 1)
    have their difference instead. ``p_holm`` is corrected for all primary pairs of the session with the same quantity,
    of which there are ``questions`` where some have not been measured yet.
    """
    controls = {column: control(frame, column) for column in WORDS if column != "accuracy"}
    fit = bool(controls["epoch_s"]["fit"].all())
    asked = primary_pairs(frame)
    tables = [judged(frame, column, asked, controls.get(column), fit, questions) for column in WORDS]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else COMPARISON.frame([])


def judged(
    frame: pd.DataFrame, column: str, asked: Asked, control: pd.DataFrame | None, fit: bool, questions: int
) -> pd.DataFrame:
    """The pairs of one quantity, with a verdict on those that were ``asked`` about.

    ``control`` gives each group its delta, None where that is the same for all.
    """
    deltas = {} if control is None else control.groupby(GROUP)["delta"].max().to_dict()
    usual = statistics.ACCURACY_DELTA if control is None else statistics.SMALLEST_DELTA
    rows, results, unit = [], [], "0 to 1" if column == "accuracy" else "ratio"
    for key, a, b, both in pairs(frame, column):
        result, p = judge(both, column)
        results.append(result)
        question = "primary" if frozenset((a, b)) in asked[key] else "exploratory"
        pair = dict(zip(GROUP, key, strict=True)) | {
            "compared": column,
            "unit": unit,
            "a": a,
            "b": b,
            "question": question,
        }
        rows.append(pair | asdict(result) | {"p": p, "delta": float(deltas.get(key, usual)), "blocks": len(both)})
    table = COMPARISON.frame(rows)
    is_primary = table["question"] == "primary"
    table.loc[is_primary, "p_holm"] = statistics.holm(list(table.loc[is_primary, "p"]), questions)
    verdicts = [verdict(result, row, fit) for result, (_, row) in zip(results, table.iterrows(), strict=True)]
    return table.assign(verdict=pd.Series(verdicts, dtype=object))


def verdict(result: Ratio | Difference, row: pd.Series, fit: bool) -> Verdict:
    """The verdict on a pair: one that was asked about beforehand, in a session that is fit."""
    if row["question"] != "primary":
        return Verdict.EXPLORATORY
    return statistics.verdict(result, row["delta"], row["p_holm"]) if fit else Verdict.UNFIT


def primary_pairs(frame: pd.DataFrame) -> Asked:
    """The pairs of each configuration that were asked about beforehand."""
    asked, repeated = {}, set(frame.loc[frame["role"] == "control", "implementation"])
    for key, group in frame[frame["role"] != "control"].groupby(GROUP, sort=False):
        rows = group.drop_duplicates("implementation")
        named = zip(rows["implementation"], rows["tier"], rows["framework"], strict=True)
        asked[key] = primary([Contender(*names, names[0] in repeated) for names in named])
    return asked  # type: ignore[return-value]  # pandas' stubs do not know what a group's key is


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """The comparison as its CSV has it: the verdicts as words."""
    columns = (frame[name] for name in ("verdict", "compared"))
    return frame.assign(verdict=[verdict_words(*row) for row in zip(*columns, strict=True)])


def verdict_words(verdict: Verdict, compared: str) -> str:
    """``faster``, ``less``, ``higher``, ``equivalent``, ``inconclusive``: on ``a``."""
    return str(WORDS[compared].get(verdict, verdict.value))


def pairs(frame: pd.DataFrame, column: str) -> Iterator[tuple[Key, str, str, pd.DataFrame]]:
    """Every pair that shares a block: configuration, the one with the greater value, the other, values by block."""
    for key, group in measured(frame).dropna(subset=column).groupby(GROUP, sort=False):
        typical = group.groupby("implementation")[column].agg(partial(statistics.value_of, column))
        for a, b in combinations(typical.sort_values(ascending=False).index, 2):
            both = in_blocks(group[group["implementation"] == a], group[group["implementation"] == b], column)
            if len(both):
                yield key, a, b, both  # type: ignore[misc]  # pandas' stubs do not know what a group's key is


def summary_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per implementation of each group: its value, and the range over its processes."""
    rows = []
    for names, group in grouped(measured(frame), [*GROUP, "tier", "implementation", "framework"]):
        times = ("first_epoch_s", "import_s", "predict_s", "cpu_per_wall")
        row = names | {"processes": len(group), "epochs": int(group["epochs"].iloc[0])}
        row |= {name: statistics.program_value(group[name]) for name in times}
        row["idle_s"] = group["idle_s"].astype(float).mean()
        rows.append(row | spread(group, "epoch_s") | spread(group, "process_peak_bytes") | spread(group, "accuracy"))
    return SUMMARY.frame(rows).sort_values([*GROUP, "epoch_s"], ignore_index=True)


def spread(group: pd.DataFrame, column: str) -> dict[str, float]:
    """The program's value, the least and the greatest of its processes."""
    values = group[column].dropna()
    return {column: statistics.value_of(column, values), f"{column}_low": values.min(), f"{column}_high": values.max()}
