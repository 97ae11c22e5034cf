"""What was claimed beside what was measured, as tables for people: the ledger, and document 1's Tables 1 and 4."""

import math
from collections import Counter

import pandas as pd

from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report.chapters.claims import properties
from bench.report.chapters.claims.table_4 import QUANTITIES, beside_claim, claimed
from bench.report.groups import Group, key
from bench.statistics import FAILS, HOLDS, UNDECIDED

TIMES = {
    "epoch_s ratio": "times as long",
    "process_peak_bytes ratio": "times as much",
    "accuracy spread over epochs": "times as spread",
    "accuracy spread over seeds": "times as spread",
}
"""Ratios in words."""


def ledger(frame: pd.DataFrame) -> Sheet:
    """Every claim, a row for each implementation that it is about; those that nothing here decides come last."""
    decided = ~frame["verdict"].str.startswith("not measured")
    rows, links = [], []
    for _, row in pd.concat([frame[decided], frame[~decided]]).iterrows():
        rows.append((f"Document {row['document']}: {row['says']}", who(row), str(row["verdict"]), found(row)))
        links.append(link(row))
    return Sheet(
        "", ("claim", "implementation", "verdict", "measured"), tuple(rows), texts=3, grouped=True, links=tuple(links)
    )


def link(row: pd.Series) -> str:
    """Where the page shows what decides a claim; empty where nothing does."""
    if row["tier"] == properties.PROBE:
        return "#table-1"
    return f"#{key(row['workload'], row['device'], int(row['threads']))}" if row["blocks"] else ""


def who(row: pd.Series) -> str:
    """The implementation that a claim was held to, and where; the network alone where there was none."""
    if row["tier"] == properties.PROBE:
        return f"{naming.label(row['implementation'], properties.PROBE)}\nTable 1"
    if not row["blocks"]:
        return numbers.MISSING if numbers.missing(row["workload"]) else str(row["workload"])
    place = naming.title(row["workload"], row["device"], int(row["threads"]))
    return f"{naming.named(row['implementation'], row['tier'])}\n{place}"


def found(row: pd.Series) -> str:
    """The value with its unit and interval."""
    if not row["blocks"]:
        return numbers.MISSING
    quantity, value, low, high = str(row["quantity"]), row["value"], row["low"], row["high"]
    if row["tier"] == properties.PROBE:
        return numbers.MISSING if numbers.missing(value) else f"{value:.3g}\n{quantity}"
    blocks = numbers.count(int(row["blocks"]), "block")
    single = math.isnan(low)
    if quantity == "accuracy difference":
        text = f"{value * 100:+.2f} points"
        ends = f"{low * 100:+.2f} to {high * 100:+.2f}"
    elif quantity in TIMES:
        text, ends = (
            f"{numbers.ratio(value)} {TIMES[quantity]}",
            f"{numbers.ratio(low, value)} to {numbers.ratio(high, value)}",
        )
    else:
        text = numbers.figure(quantity, value)
        ends = numbers.spread(quantity, value, low, high).partition("(")[2].rstrip(")").replace("–", " to ")
    return f"{text}\n{'one process' if single else f'95 %: {ends}, {blocks}'.replace(': , ', ', ')}"


def summary(frame: pd.DataFrame) -> str:
    """How many claims hold, in a sentence; each implementation that one is about counts by itself."""
    kinds = Counter(next((kind for kind in (HOLDS, FAILS, UNDECIDED) if verdict.startswith(kind)), "not measured")
                    for verdict in frame["verdict"])  # fmt: skip
    phrases = {HOLDS: "hold", FAILS: "do not hold", UNDECIDED: "cannot be decided", "not measured": "were not measured"}
    said = [f"{kinds[kind]} {phrase}" for kind, phrase in phrases.items() if kinds[kind]]
    return f"Of {numbers.count(len(frame), 'comparison')} with a claim {numbers.listed(said)}."


def table_4(frame: pd.DataFrame, group: Group, wide: bool) -> list[Sheet]:
    """Document 1's performance table for the workload that it makes claims about: claim beside measured, by tier.

    Without ``wide``, a device on which nothing was measured becomes a note instead of rows.
    """
    own = frame[frame["workload"] == group.workload] if len(frame) else frame
    if own.empty or own["claim_low"].isna().all():
        return []
    return [
        sheet_4(own[own["threads"] == threads], group, int(threads), wide)
        for threads in sorted(own["threads"].unique(), reverse=True)
    ]


def sheet_4(frame: pd.DataFrame, group: Group, threads: int, wide: bool) -> Sheet:
    """Table 4 for one thread count."""
    tiers = sorted(frame["tier"].unique(), key=naming.tier_rank)
    seen = frame.groupby("device")["processes"].sum() > 0
    left_out = [device for device in frame["device"].unique() if not wide and not seen[device]]
    rows = []
    for quantity, name in QUANTITIES.items():
        for device in frame["device"].unique():
            for framework in ("pytorch", "keras"):
                found = frame[(frame["quantity"] == quantity) & (frame["device"] == device)]
                found = found[found["framework"] == framework].set_index("tier")
                if found.empty or device in left_out:
                    continue
                epochs = numbers.after(int(found["epochs"].iloc[0]), group.document_epochs)
                claim = claimed(quantity, found["claim_low"].iloc[0], found["claim_high"].iloc[0])
                rows.append((
                    f"{name}\n{epochs}" if quantity == "accuracy" else name,
                    naming.LABELS[framework], naming.device(device), claim or "no claim",
                    *(measured(found.loc[tier], wide) if tier in found.index else numbers.MISSING for tier in tiers),
                ))  # fmt: skip
    why = frame.drop_duplicates("device").set_index("device")["why"]
    note = " ".join(f"{naming.device(device)}: {numbers.shorten(why[device])}." for device in left_out)
    columns = ("quantity", "framework", "device", "document 1 says", *(f"measured, {tier}" for tier in tiers))
    title = f"{group.workload}, {numbers.count(threads, 'thread')}"
    return Sheet(title, columns, tuple(rows), texts=3, note=note, grouped=True)


def measured(row: pd.Series, wide: bool) -> str:
    """One measured value of Table 4 with its range and, if ``wide``, beside the claim; or why there is none."""
    if not row["processes"]:
        return str(row["why"]) if wide else str(row["why"]).partition(":")[0]
    quantity = str(row["quantity"])
    shown = numbers.spread(quantity, row["value"], row["low"], row["high"])
    if not wide or numbers.missing(row["claim_low"]):
        return shown
    return f"{shown}\n{beside_claim(quantity, row['value'], row['claim_low'], row['claim_high'])}"
