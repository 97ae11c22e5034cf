"""The documents' claims, and what was measured beside each: DataFrame -> DataFrame."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from bench import words
from bench.tables import measured

DOCUMENTS = Path(__file__).with_name("documents.toml")
TABLE_4_KEYS = ["workload", "threads", "tier", "framework"]
TABLE_4 = {"epoch_s": "epoch_s", "memory_bytes": "process_peak_bytes", "accuracy": "accuracy"}
"""Document 1's quantities and the columns of ``runs`` that answer them."""


@cache
def documents(path: Path = DOCUMENTS) -> dict[str, Any]:
    """The file with the claims."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def claims() -> pd.DataFrame:
    """The documents' claims about one network in one framework, one row each."""
    return pd.DataFrame(documents()["claim"])


def table_4(frame: pd.DataFrame, machines: pd.DataFrame) -> pd.DataFrame:
    """Document 1's performance table, measured: a row per workload, threads, tier, framework, quantity and device.

    ``claim_low`` and ``claim_high`` are the document's where it makes that claim; ``value``, ``low`` and ``high`` are
    median and range over processes, and ``why`` says why they are missing where they are.
    """
    numbered = frame["device"].str.startswith("cuda:").any()  # a GPU of several was asked for: that is the CUDA column
    devices = list(dict.fromkeys(["cpu", *([] if numbered else ["cuda"]), *frame["device"]]))
    no_gpu = without_gpu(machines)
    columns_of = frame["tier"] + "-" + frame["framework"]  # Keras on its other backends is none of the table's columns
    shown = frame[(frame["role"] == "measured") & frame["implementation"].eq(columns_of)]
    shown = shown[shown["framework"].isin(["pytorch", "keras"])]
    rows = []
    for key, group in shown.groupby(TABLE_4_KEYS, sort=True):
        for quantity, column in TABLE_4.items():
            for device in devices:
                there = group[group["device"] == device]
                values = measured(there)[column].dropna()
                why = "" if len(values) else why_missing(there, device, column, no_gpu)
                rows.append(
                    dict(zip(TABLE_4_KEYS, key, strict=True)) | {"quantity": quantity, "device": device}
                    | over_processes(values) | {"epochs": int(group["epochs"].iloc[0]), "why": why}
                )  # fmt: skip
    claimed = claims().rename(columns={"low": "claim_low", "high": "claim_high"})
    names = ["workload", "framework", "quantity", "device"]
    columns = [*TABLE_4_KEYS, "quantity", "device", "value", "low", "high", "processes", "epochs", "why"]
    return pd.DataFrame(rows, columns=columns).merge(claimed[[*names, "claim_low", "claim_high"]], on=names, how="left")


def without_gpu(machines: pd.DataFrame) -> bool:
    """Whether no machine that took part shows an NVIDIA GPU."""
    return bool(machines.empty or not machines["gpus"].fillna("").astype(bool).any())


def over_processes(values: pd.Series) -> dict[str, float]:
    """Median, least and greatest, and of how many."""
    return {"value": values.median(), "low": values.min(), "high": values.max(), "processes": len(values)}


def why_missing(rows: pd.DataFrame, device: str, column: str, no_gpu: bool) -> str:
    """Why there is no figure: what the cells say, or that there were none."""
    if rows.empty and device == "cuda" and no_gpu:
        return "not measured: no CUDA device"
    if rows.empty:
        return f"not measured: no {words.device(device)} cell in this run"
    if (rows["gate"] == "failed").any():
        return "withheld: it does not do the same work (see the equivalence gate)"
    reasons = rows.loc[rows["status"] != "ok", "reason"]
    if len(reasons):
        return f"not measured: {reasons.iloc[0]}"
    return "not measured: needs at least 2 epochs" if column == "epoch_s" else "not measured"
