"""Tutorial 1's performance table, Table 4: what was measured of each of its figures, and how that stands to them."""

from itertools import product

import pandas as pd

from bench import statistics
from bench.data import tutorials
from bench.display import naming, numbers
from bench.report import columns
from bench.report.chapters.claims.verdicts import Ruling, not_tested, ruling
from bench.report.columns import Column, Table
from bench.report.runs import measured, why_withheld, withheld
from bench.statistics import ClaimVerdict
from impls.frameworks import COMPARED

TABLE_4_KEYS = ["workload", "threads", "tier", "framework"]
MEASURES = {"epoch_s": "epoch_s", "memory_bytes": "process_peak_bytes", "accuracy": "accuracy"}
"""The quantities of the tutorials' claims, and the columns of ``runs`` that answer them."""
QUANTITIES = {"epoch_s": "training time per epoch", "memory_bytes": "memory", "accuracy": "test accuracy"}
UNITS = {"epoch_s": "s", "memory_bytes": "bytes", "accuracy": "0 to 1"}
TABLE_4 = Table("Document 1's performance table, measured: one row for each cell of it.", (
    columns.WORKLOAD, columns.THREADS, columns.TIER, columns.FRAMEWORK,
    Column("quantity", "", "epoch_s, memory_bytes or accuracy"),
    Column("unit", "", "of value, low, high, claim_low and claim_high"),
    columns.DEVICE,
    Column("value", "", "geometric mean over processes, of accuracies the mean"),
    Column("low", "", "least over processes"),
    Column("high", "", "greatest over processes"),
    columns.PROCESSES, columns.EPOCHS,
    Column("why", "", "why there is no value"),
    Column("claim_low", "", "what the document claims: the least"),
    Column("claim_high", "", "what the document claims: the most; as claim_low where it names a single figure"),
))  # fmt: skip


def table_4(frame: pd.DataFrame, machines: pd.DataFrame) -> pd.DataFrame:
    """The table, measured: a row per workload, threads, tier, framework, quantity and device.

    ``claim_low`` and ``claim_high`` are the tutorial's where it makes that claim; ``value``, ``low`` and ``high`` are
    mean and range over processes. Where there are none, ``verdict`` and ``reason`` say why.
    """
    numbered = frame["device"].str.startswith("cuda:").any()  # a GPU of several was asked for: that is the CUDA column
    devices = list(dict.fromkeys(["cpu", *([] if numbered else ["cuda"]), *frame["device"]]))
    no_gpu = without_gpu(machines)
    columns_of = frame["tier"] + "-" + frame["framework"]  # another backend is none of the table's columns
    of_table = frame[(frame["role"] == "measured") & frame["implementation"].eq(columns_of)]
    of_table = of_table[of_table["framework"].isin(COMPARED)]
    rows = []
    for key, group in of_table.groupby(TABLE_4_KEYS, sort=True):
        names = dict(zip(TABLE_4_KEYS, key, strict=True)) | {"epochs": int(group["epochs"].iloc[0])}
        for (quantity, column), device in product(MEASURES.items(), devices):
            cells = group[group["device"] == device]
            values = measured(cells)[column].dropna()
            why = None if len(values) else why_missing(cells, device, column, no_gpu)
            rows.append(names | {
                "quantity": quantity, "unit": UNITS[quantity], "device": device,
                "value": statistics.value_of(column, values),
                "low": values.min(), "high": values.max(), "processes": len(values),
                "verdict": why and why.verdict, "reason": why.reason if why else "",
            })  # fmt: skip
    claims = pd.DataFrame(tutorials.figure_claims()).rename(columns={"low": "claim_low", "high": "claim_high"})
    names_of_claim = ["workload", "framework", "quantity", "device"]
    table = TABLE_4.frame(rows, "verdict", "reason").drop(columns=["why", "claim_low", "claim_high"])
    return table.merge(claims[[*names_of_claim, "claim_low", "claim_high"]], on=names_of_claim, how="left")


def without_gpu(machines: pd.DataFrame) -> bool:
    """Whether no machine that took part shows an NVIDIA GPU."""
    return bool(machines.empty or not machines["gpus"].fillna("").astype(bool).any())


def why_missing(rows: pd.DataFrame, device: str, column: str, no_gpu: bool) -> Ruling:
    """Why there is no figure: what the cells say, or that there were none."""
    if rows.empty and device == "cuda" and no_gpu:
        return not_tested("no CUDA device")
    if rows.empty:
        return not_tested(f"no run on {naming.device(device)}")
    if withheld(rows).any():
        return Ruling(ClaimVerdict.WITHHELD, reason=f"it does not do the same work ({why_withheld(rows)})")
    reasons = rows.loc[rows["status"] != "ok", "reason"]
    if len(reasons):
        return not_tested(str(reasons.iloc[0]))
    return not_tested("needs at least 2 epochs" if column == "epoch_s" else "")


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """The table as its CSV has it: one column, ``why``, says in words why a figure is missing."""
    why = [ruling(row).words if row["verdict"] else "" for row in frame.to_dict("records")]
    return frame.assign(verdict=why).drop(columns="reason").rename(columns={"verdict": "why"})


def claimed(quantity: str, low: float | None, high: float | None) -> str:
    """What a document claims: ``about 45 s``, ``at most about 97 %``, ``97.8-98.2 %``; empty where that is nothing."""
    if low is None or high is None or numbers.missing(low) or numbers.missing(high):
        return ""
    factor, name, _ = numbers.unit(quantity, high)
    ends = [f"{round(value * factor, 6):g}" for value in (low, high)]
    places = max(len(end.partition(".")[2]) for end in ends)
    ends = [f"{value * factor:.{places}f}" for value in (low, high)]
    if low == 0:
        return f"at most about {high * factor:g} {name}"
    return f"about {ends[0]} {name}" if low == high else f"{ends[0]}–{ends[1]} {name}"


def beside_claim(quantity: str, value: float, low: float, high: float) -> str:
    """How a measured value stands to a claim.

    Within 10 % of an "about" counts as claimed, and an accuracy that is rounded to it; chance, "about 10 %", is taken
    to be a rough figure: what an untrained network happens to guess.
    """
    if quantity == "accuracy":
        about = 0.005 if low in (0, high) else 0.0
        if high <= 0.1:
            return "at chance, as claimed" if value < 2 * high else "above chance"
        if low - about <= round(value, 6) < high + about or value == high:
            return "as claimed" if about else "within the claim"
        gap = low - value if value < low else value - high
        return f"{gap * 100:.2f} points {'below' if value < low else 'above'} the claim"
    if low / 1.1 <= value <= high * 1.1:
        return "as claimed"
    share = value / (low if value < low else high)
    return f"{numbers.ratio(share) if share >= 1 else f'{share:.2g}'} times the claim"
