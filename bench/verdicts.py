"""DataFrame -> DataFrame: every pair with its interval and verdict, the A/A control, the break-even epoch.

What a pair's figures say is judged in :mod:`bench.compare`; here is which figures make a pair.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict
from itertools import combinations
from typing import Any

import pandas as pd

from bench import compare
from bench.tables import GROUP, measured

WORDS = {"epoch_s": ("faster", "slower"), "process_peak_bytes": ("less", "more"), "accuracy": ("lower", "higher")}
"""What is compared, and what a value that is smaller or greater is called. Accuracies are compared by difference."""
COLD = ["import_s", "build_s", "load_s", "first_epoch_s"]
"""What a process does once; the first epoch includes tracing and compiling."""
Key = tuple[str, str, int]
"""The values of :data:`bench.tables.GROUP`."""
CONTROL = [*GROUP, "implementation", "estimate", "low", "high", "p", "delta", "fit", "blocks"]
COMPARISON = [
    *GROUP, "compared", "a", "b", "estimate", "low", "high", "p", "p_holm", "delta", "verdict", "blocks",
]  # fmt: skip
BREAK_EVEN = [*GROUP, "starts_first", "faster_later", "ahead_s", "gain_s", "epoch", "epoch_low", "epoch_high"]


def in_blocks(a: pd.DataFrame, b: pd.DataFrame, column: str) -> pd.DataFrame:
    """The values of two sets of cells in the blocks that both have, as columns ``a`` and ``b``."""
    return pd.DataFrame({"a": a.set_index("block")[column], "b": b.set_index("block")[column]}).dropna().astype(float)


def of_two_networks(
    own: pd.DataFrame, workload: str, other: str
) -> Iterator[tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]]:
    """The cells of two networks, for each implementation at a place that has both, which is named with the first."""
    names = ["device", "threads", "tier", "implementation"]
    others = dict(iter(own[own["workload"] == other].groupby(names, sort=False)))
    for values, group in own[own["workload"] == workload].groupby(names, sort=False):
        if values in others:
            yield {"workload": workload} | dict(zip(names, values, strict=True)), group, others[values]


def judge(both: pd.DataFrame, column: str) -> tuple[compare.Ratio | compare.Difference, float]:
    """What :func:`in_blocks` says of ``a`` and ``b``, and p: by ratio, accuracies by difference."""
    a, b = list(both["a"]), list(both["b"])
    if column == "accuracy":
        return compare.paired_difference(a, b), compare.p_value(list(both["a"] - both["b"]))
    return compare.paired_ratio(a, b), compare.p_value(compare.log_ratios(a, b))


def controls(frame: pd.DataFrame, column: str) -> Iterator[tuple[Key, str, pd.DataFrame]]:
    """Every implementation that was run again as control: its group, its name, the values of both runs by block."""
    for key, group in frame[frame["status"] == "ok"].groupby(GROUP, sort=False):
        for name in group.loc[group["role"] == "control", "implementation"].unique():
            ours = group[group["implementation"] == name]
            both = in_blocks(ours[ours["role"] == "control"], ours[ours["role"] == "measured"], column)
            if len(both):
                yield key, name, both  # type: ignore[misc]  # pandas' stubs do not know what a group's key is


def control(frame: pd.DataFrame, column: str = "epoch_s") -> pd.DataFrame:
    """The A/A control of each group: the reference implementation over itself, block by block.

    A session is fit where no control differs from itself, corrected for the number of controls.
    """
    rows: list[dict[str, Any]] = []
    for key, name, both in controls(frame, column):
        ratio, p = judge(both, column)
        assert isinstance(ratio, compare.Ratio)
        place = dict(zip(GROUP, key, strict=True)) | {"implementation": name}
        rows.append(place | asdict(ratio) | {"p": p, "delta": compare.delta(ratio), "blocks": len(both)})
    table = pd.DataFrame(rows, columns=CONTROL)
    return table.assign(fit=[not compare.sure(p) for p in compare.holm(list(table["p"]))])


def comparison(frame: pd.DataFrame) -> pd.DataFrame:
    """Every pair of implementations of each group: ratio, interval, verdict on ``a``; of time, memory and accuracy.

    ``a`` is the one whose typical value is greater, so that ratios read as "so many times slower"; accuracies (0 to 1)
    have their difference instead. ``p_holm`` is corrected for all pairs of the session with the same quantity.
    """
    found = {column: control(frame, column) for column in WORDS if column != "accuracy"}
    fit = bool(found["epoch_s"]["fit"].all())
    tables = [judged(frame, column, found.get(column), fit) for column in WORDS]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COMPARISON)


def judged(frame: pd.DataFrame, column: str, control: pd.DataFrame | None, fit: bool) -> pd.DataFrame:
    """The pairs of one quantity; ``control`` gives each group its delta, None where that is the same for all."""
    deltas = {} if control is None else control.groupby(GROUP)["delta"].max().to_dict()
    usual = compare.ACCURACY_DELTA if control is None else compare.SMALLEST_DELTA
    rows, found = [], []
    for key, a, b, both in pairs(frame, column):
        result, p = judge(both, column)
        found.append(result)
        place = dict(zip(GROUP, key, strict=True)) | {"compared": column, "a": a, "b": b}
        rows.append(place | asdict(result) | {"p": p, "delta": float(deltas.get(key, usual)), "blocks": len(both)})
    table = pd.DataFrame(rows, columns=COMPARISON)
    corrected = compare.holm(list(table["p"]))
    said = [
        compare.verdict(result, delta, p, WORDS[column]) if fit else compare.UNFIT
        for result, delta, p in zip(found, table["delta"], corrected, strict=True)
    ]
    return table.assign(p_holm=corrected, verdict=said)


def pairs(frame: pd.DataFrame, column: str) -> Iterator[tuple[Key, str, str, pd.DataFrame]]:
    """Every pair that shares a block: its group, the one with the greater median, the other, their values by block."""
    for key, group in measured(frame).dropna(subset=column).groupby(GROUP, sort=False):
        ranked = group.groupby("implementation")[column].median().sort_values(ascending=False).index
        for a, b in combinations(ranked, 2):
            both = in_blocks(group[group["implementation"] == a], group[group["implementation"] == b], column)
            if len(both):
                yield key, a, b, both  # type: ignore[misc]  # pandas' stubs do not know what a group's key is


def break_even(frame: pd.DataFrame) -> pd.DataFrame:
    """Where one implementation starts first and another trains faster: the epoch after which the other is ahead.

    A start is import, build, loading and the first epoch. ``epoch`` is the least E with start + (E - 1) * epoch time no
    longer than the other's, from medians over processes; ``epoch_low`` and ``epoch_high`` are its range over blocks,
    infinite where the other is never ahead in one. Predictions are left out.
    """
    own = measured(frame).dropna(subset=["epoch_s", *COLD])
    own = own.assign(cold_s=own[COLD].astype(float).sum(axis=1))
    rows = []
    for key, group in own.groupby(GROUP, sort=False):
        by_name = dict(iter(group.groupby("implementation")))
        typical = {name: (part["cold_s"].median(), part["epoch_s"].median()) for name, part in by_name.items()}
        for first, later in combinations(sorted(typical, key=lambda name: typical[name][0]), 2):
            if typical[later][1] < typical[first][1]:
                cold, steady = (in_blocks(by_name[first], by_name[later], name) for name in ("cold_s", "epoch_s"))
                each = [overtaken(*cold.loc[block], *steady.loc[block]) for block in cold.index] or [math.nan]
                rows.append(dict(zip(GROUP, key, strict=True)) | {
                    "starts_first": first, "faster_later": later,
                    "ahead_s": typical[later][0] - typical[first][0], "gain_s": typical[first][1] - typical[later][1],
                    "epoch": overtaken(typical[first][0], typical[later][0], typical[first][1], typical[later][1]),
                    "epoch_low": min(each), "epoch_high": max(each),
                })  # fmt: skip
    return pd.DataFrame(rows, columns=BREAK_EVEN)


def overtaken(first_cold_s: float, later_cold_s: float, first_epoch_s: float, later_epoch_s: float) -> float:
    """The epoch after which the one that starts later is ahead; 1 where it is ahead from the first, else infinite."""
    behind, gain = later_cold_s - first_cold_s, first_epoch_s - later_epoch_s
    if behind <= 0:
        return 1.0
    return math.inf if gain <= 0 else float(math.ceil(1 + behind / gain))
