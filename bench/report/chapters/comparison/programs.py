"""``results.csv``: a row for each program that was measured, with what most readers ask of it."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench import statistics
from bench.report import columns
from bench.report.columns import Column, Table
from bench.report.groups import oriented
from bench.report.pairs import grouped, verdict_words
from bench.report.runs import GROUP, measured

RESULTS = Table("One row for each program that was measured, on each network, device and number of threads; no "
                "controls.", (
    Column("network", "", columns.WORKLOAD.meaning),
    Column("program", "", columns.IMPLEMENTATION.meaning),
    columns.TIER, columns.FRAMEWORK, columns.DEVICE, columns.THREADS, columns.EPOCH_S,
    Column("epoch_low_s", "s", "lower end of the 95 % interval of epoch_s over blocks; empty where there is one block"),
    Column("epoch_high_s", "s", "upper end"),
    Column("ratio", "ratio", "how many times as long as the fastest program of the same tier, network, device and "
           "number of threads, over the blocks that both have; 1 for that one"),
    Column("ratio_low", "ratio", "lower end of its 95 % interval"),
    Column("ratio_high", "ratio", "upper end"),
    Column("verdict", "", "fastest of its tier, slower, equivalent, inconclusive, too few blocks, exploratory (nobody "
           "asked about this pair beforehand) or unfit session (the control differs from itself)"),
    columns.ACCURACY,
    Column("memory_bytes", "bytes", columns.PROCESS_PEAK_BYTES.meaning),
    columns.FIRST_EPOCH_S, columns.BLOCKS,
))  # fmt: skip
FASTEST = "fastest"


def frame(summary: pd.DataFrame, comparison: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """The table, from the summary of the programs, their pairs and their processes."""
    return RESULTS.frame(rows(summary, comparison[comparison["compared"] == "epoch_s"], measured(runs)))


def rows(summary: pd.DataFrame, times: pd.DataFrame, runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Within each tier the fastest first; a program without a steady epoch has no time and no ratio."""
    for place, programs in grouped(summary, [*GROUP, "tier"]):
        pairs = times[(times[GROUP] == [place[name] for name in GROUP]).all(axis=1)]
        fastest = programs.dropna(subset="epoch_s")["implementation"].head(1).tolist()
        for row in programs.to_dict("records"):
            name = row["implementation"]
            own = runs[(runs[[*GROUP, "implementation"]] == [*(place[key] for key in GROUP), name]).all(axis=1)]
            yield {
                "network": place["workload"], "program": name, "memory_bytes": row["process_peak_bytes"],
                **{key: row[key] for key in ("tier", "framework", "device", "threads", "epoch_s", "accuracy",
                                             "first_epoch_s")},
                "blocks": own["block"].nunique(),
                **interval(own["epoch_s"]), **beside(name, fastest, pairs),
            }  # fmt: skip


def interval(seconds: pd.Series) -> dict[str, float]:
    """The interval of a program's time over blocks; empty without one."""
    each = [float(value) for value in seconds.dropna()]
    if len(each) < 2:
        return {}
    found = statistics.paired_ratio(each, [1.0] * len(each))
    return {"epoch_low_s": found.low, "epoch_high_s": found.high}


def beside(name: str, fastest: list[str], pairs: pd.DataFrame) -> dict[str, Any]:
    """A program beside the fastest of its tier."""
    if name in fastest:
        return {"ratio": 1.0, "verdict": FASTEST}
    both = pairs[(pairs["a"].isin([name, *fastest])) & (pairs["b"].isin([name, *fastest]))]
    if both.empty or not fastest:
        return {}
    row = both.iloc[0]
    ratio, low, high = oriented(row).of(name)
    words = verdict_words(row["verdict"], "epoch_s")
    known = {"ratio_low": low, "ratio_high": high} if row["blocks"] > 1 else {}
    return {"ratio": ratio, **known, "verdict": words if row["a"] == name else turned(words)}


def turned(words: str) -> str:
    """A verdict on the other one of the two."""
    return {"faster": "slower", "slower": "faster"}.get(words, words)
