"""What was claimed beside what was measured, as tables for people: the ledger, and the first tutorial's Table 4."""

import math
from itertools import product

import pandas as pd

from bench.data import tutorials
from bench.display import naming, numbers
from bench.display.numbers import Absent, Reason
from bench.display.tables import Sheet
from bench.report.chapters.claims.table_4 import QUANTITIES, beside_claim, claimed
from bench.report.chapters.claims.verdicts import PROBE, cell, ruling
from bench.report.groups import Group, key
from bench.statistics import ClaimVerdict
from impls.frameworks import COMPARED

TIMES = {
    "epoch_s ratio": "times as long",
    "process_peak_bytes ratio": "times as much",
    "accuracy spread over epochs": "times as spread",
    "accuracy spread over seeds": "times as spread",
}
"""Ratios in words."""


def ledger(frame: pd.DataFrame) -> Sheet:
    """Every claim, a row for each implementation that it is about; those that nothing here decides come last."""
    tested = is_tested(frame)
    ordered = [row for _, row in pd.concat([frame[tested], frame[~tested]]).iterrows()]
    names = {tutorial.number: tutorial.name for tutorial in tutorials.load()}
    rows = [(f"{row['says']}\n{names[row['document']]}", who(row), cell(row), measured_value(row)) for row in ordered]
    columns = ("claim", "implementation", "verdict", "measured")
    return Sheet("", columns, tuple(rows), texts=3, grouped=True, links=tuple(map(link, ordered)))


def is_tested(frame: pd.DataFrame) -> pd.Series:
    """Which lines of the ledger something was measured for."""
    return frame["verdict"] != ClaimVerdict.NOT_TESTED


def link(row: pd.Series) -> str:
    """Where the page shows what decides a claim; empty where nothing does."""
    if row["tier"] == PROBE:
        return "#table-1"
    return f"#{key(row['workload'], row['device'], int(row['threads']))}" if row["blocks"] else ""


def who(row: pd.Series) -> str:
    """The implementation that a claim was compared with, and its configuration; else the network alone."""
    if row["tier"] == PROBE:
        return f"{naming.label(row['implementation'], PROBE)}\nTable 1"
    if not row["blocks"]:
        return numbers.MISSING if numbers.missing(row["workload"]) else str(row["workload"])
    configuration = naming.title(row["workload"], row["device"], int(row["threads"]))
    return f"{naming.named(row['implementation'], row['tier'])}\n{configuration}"


def measured_value(row: pd.Series) -> str:
    """The value with its unit and interval."""
    if not row["blocks"]:
        return numbers.MISSING
    quantity, value, low, high = str(row["quantity"]), row["value"], row["low"], row["high"]
    if row["tier"] == PROBE:
        return numbers.MISSING if numbers.missing(value) else f"{value:.3g}\n{quantity}"
    if quantity == "accuracy difference":
        text, ends = f"{value * 100:+.2f} points", f"{low * 100:+.2f} to {high * 100:+.2f}"
    elif quantity in TIMES:
        text = f"{numbers.ratio(value)} {TIMES[quantity]}"
        ends = f"{numbers.ratio(low, value)} to {numbers.ratio(high, value)}"
    else:
        text = numbers.figure(quantity, value)
        ends = numbers.spread(quantity, value, low, high).partition("(")[2].rstrip(")").replace("–", " to ")
    blocks = numbers.count(int(row["blocks"]), "block")
    return f"{text}\n{'one process' if math.isnan(low) else f'95 %: {ends}, {blocks}'.replace(': , ', ', ')}"


def table_4(frame: pd.DataFrame, group: Group, wide: bool) -> list[Sheet]:
    """The first tutorial's performance table for the workload that it makes claims about, by number of threads.

    Without ``wide``, a device on which nothing was measured becomes a note instead of rows.
    """
    rows = frame[frame["workload"] == group.workload] if len(frame) else frame
    if rows.empty or rows["claim_low"].isna().all():
        return []
    numbers_of_threads = sorted(rows["threads"].unique(), reverse=True)
    return [sheet_4(rows[rows["threads"] == threads], group, int(threads), wide) for threads in numbers_of_threads]


def sheet_4(frame: pd.DataFrame, group: Group, threads: int, wide: bool) -> Sheet:
    """Table 4 for one number of threads: claim beside measured, by tier."""
    tiers = sorted(frame["tier"].unique(), key=naming.tier_rank)
    processes = frame.groupby("device", sort=False)["processes"].sum()
    devices = [str(device) for device in processes.index if wide or processes[device]]
    rows = []
    for quantity, device, framework in product(QUANTITIES, devices, COMPARED):
        of_quantity = frame[(frame["quantity"] == quantity) & (frame["device"] == device)]
        figures = of_quantity[of_quantity["framework"] == framework].set_index("tier")
        if figures.empty:
            continue
        first = figures.iloc[0]
        after = f"\n{numbers.after(int(first['epochs']), group.document_epochs)}" if quantity == "accuracy" else ""
        rows.append((
            f"{QUANTITIES[quantity]}{after}", naming.LABELS[framework], naming.device(device),
            claimed(quantity, first["claim_low"], first["claim_high"]) or Absent("no claim"),
            *(measured(figures.loc[tier], wide) if tier in figures.index else numbers.MISSING for tier in tiers),
        ))  # fmt: skip
    why = {row["device"]: ruling(row).words for row in frame.drop_duplicates("device").to_dict("records")
           if row["device"] not in devices}  # fmt: skip
    note = " ".join(f"{naming.device(device)}: {numbers.shorten(words)}." for device, words in why.items())
    columns = ("quantity", "framework", "device", "the tutorial says", *(f"measured, {tier}" for tier in tiers))
    title = f"{group.workload}, {numbers.count(threads, 'thread')}"
    return Sheet(title, columns, tuple(rows), texts=3, note=note, grouped=True)


def measured(row: pd.Series, wide: bool) -> str:
    """One measured value of Table 4 with its range and, if ``wide``, beside the claim; or why there is none."""
    if not row["processes"]:
        return Reason(ruling(row).words if wide else row["verdict"].value)
    quantity = str(row["quantity"])
    shown = numbers.spread(quantity, row["value"], row["low"], row["high"])
    if not wide or numbers.missing(row["claim_low"]):
        return shown
    return f"{shown}\n{beside_claim(quantity, row['value'], row['claim_low'], row['claim_high'])}"
