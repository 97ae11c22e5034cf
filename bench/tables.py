"""DataFrame -> DataFrame. ``runs`` and ``epochs`` are the stored records as rows; all else is derived from them."""

import json
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from statistics import median

import pandas as pd

from bench import compare
from bench.compare import Ratio
from bench.environment import Machine
from bench.records import Epoch, Evaluation, Gate, Memory, Result, Rung

IDENTITY = ["cell", "implementation", "tier", "framework", "workload", "device", "threads", "block", "role"]
GROUP = ["workload", "device", "threads"]
"""What is compared with each other has these in common."""
DOCUMENTS = Path(__file__).with_name("documents.toml")
TABLE_4_KEYS = ["workload", "threads", "tier", "framework"]
TABLE_4 = {"epoch_s": "epoch_s", "memory_bytes": "process_peak_bytes", "accuracy": "accuracy"}
"""Document 1's quantities and the columns of ``runs`` that answer them."""


def identity(result: Result) -> dict[str, object]:
    """The columns by which every row of either CSV names its cell."""
    return {name: result.cell.key if name == "cell" else getattr(result.cell, name) for name in IDENTITY} | {
        "workload": result.cell.workload.name
    }


SPEED = ["first_epoch_s", "epoch_s", "predict_s"]


def runs(results: Sequence[Result], gates: Sequence[Gate]) -> pd.DataFrame:
    """One row per cell: identity, status, phases, medians over steady epochs, memory, noise, terms.

    ``gate`` is what the equivalence gate said of the implementation: ``passed``, ``failed``, ``skipped``, or nothing
    where it was not asked. Where it failed the speeds are withheld; they stay in ``epochs`` and in the cell's file.
    """
    frame = pd.DataFrame([run_row(result) for result in results])
    said = {(gate.implementation, gate.workload, gate.device): gate.status for gate in gates}
    answers = [said.get(key) for key in zip(frame["implementation"], frame["workload"], frame["device"], strict=True)]
    frame.insert(list(frame.columns).index("reason") + 1, "gate", answers)
    frame.loc[frame["gate"] == "failed", SPEED] = None
    return frame


def run_row(result: Result) -> dict[str, object]:
    """One cell as a row. ``epoch_s`` is the median of the steady epochs, which are all but the first."""
    trained = [epoch for epoch in result.epochs if epoch.train_s is not None]
    steady, last = trained[1:], trained[-1] if trained else None
    memory = result.memory
    return {
        **identity(result),
        "status": result.status,
        "reason": result.reason,
        "import_s": result.phases.import_s,
        "build_s": result.phases.build_s,
        "load_s": result.phases.load_s,
        "first_epoch_s": trained[0].train_s if trained else None,
        "epoch_s": middle(steady, lambda epoch: epoch.train_s),
        "predict_s": middle(trained, lambda epoch: epoch.predict_s),
        "process_s": result.phases.process_s,
        "cpu_per_wall": middle(steady, cpu_per_wall),
        "accuracy": last.accuracy if last else None,
        "test_loss": last.test_loss if last else None,
        **{field.name: getattr(memory, field.name) for field in fields(Memory)},
        "training_over_load_bytes": difference(memory.training_peak_bytes, memory.after_load_rss_bytes),
        **asdict(result.noise),
        "epochs": result.cell.epochs,
        "seed": result.cell.seed,
        "machine": result.machine,
        "started": result.started,
        "versions": json.dumps(result.versions),
        "switches": json.dumps(result.switches),
    }


def epochs(results: Sequence[Result]) -> pd.DataFrame:
    """One row per cell and epoch; epoch 0 is before training."""
    columns = [*IDENTITY, *(field.name for field in fields(Epoch))]
    return pd.DataFrame(
        [identity(result) | asdict(epoch) for result in results for epoch in result.epochs], columns=columns
    )


def curves(results: Sequence[Result]) -> pd.DataFrame:
    """One row per cell and evaluation, for the workloads that hold images out."""
    columns = [*IDENTITY, *(field.name for field in fields(Evaluation))]
    rows = [identity(result) | asdict(row) for result in results for row in result.evaluations]
    return pd.DataFrame(rows, columns=columns)


def machines(found: Sequence[Machine]) -> pd.DataFrame:
    """One row per machine that took part."""
    return pd.DataFrame([asdict(machine) for machine in found])


def middle(rows: Iterable[Epoch], value: Callable[[Epoch], float | None]) -> float | None:
    """The median of what was measured, None where nothing was."""
    values = [found for row in rows if (found := value(row)) is not None]
    return median(values) if values else None


def cpu_per_wall(epoch: Epoch) -> float | None:
    """How many CPUs an epoch kept busy on average."""
    return epoch.train_cpu_s / epoch.train_s if epoch.train_s and epoch.train_cpu_s is not None else None


def difference(a: int | None, b: int | None) -> int | None:
    """``a - b``, None where either is missing."""
    return None if a is None or b is None else a - b


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that may be shown as an implementation's figures: finished, its work proved, and not the control."""
    return frame[(frame["status"] == "ok") & (frame["role"] == "measured") & (frame["gate"] != "failed")]


def gate(gates: Sequence[Gate]) -> pd.DataFrame:
    """One row per rung of the equivalence gate that was climbed, and one for each gate that ended before any."""
    rows = []
    for gate in gates:
        head = {"workload": gate.workload, "implementation": gate.implementation, "device": gate.device}
        rows += [head | asdict(rung) for rung in gate.rungs]
        if gate.status == "skipped" or (gate.status == "failed" and all(rung.passed for rung in gate.rungs)):
            rows.append(head | {"name": "ended", "passed": False, "note": f"{gate.status}: {gate.reason}"})
    columns = ["workload", "implementation", "device", *(field.name for field in fields(Rung))]
    return pd.DataFrame(rows, columns=columns).rename(columns={"name": "rung"})


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per implementation of each group: the median over processes, and the range of what was seen."""
    rows = []
    for key, group in measured(frame).groupby([*GROUP, "tier", "implementation", "framework"], sort=False):
        rows.append(
            dict(zip([*GROUP, "tier", "implementation", "framework"], key, strict=True))
            | {
                "processes": len(group),
                "epochs": int(group["epochs"].iloc[0]),
                **spread(group, "epoch_s"),
                "first_epoch_s": group["first_epoch_s"].median(),
                "import_s": group["import_s"].median(),
                "predict_s": group["predict_s"].median(),
                **spread(group, "process_peak_bytes"),
                **spread(group, "accuracy"),
                "cpu_per_wall": group["cpu_per_wall"].median(),
            }
        )
    table = pd.DataFrame(rows)
    return table if table.empty else table.sort_values([*GROUP, "epoch_s"], ignore_index=True)


def spread(group: pd.DataFrame, column: str) -> dict[str, float]:
    """Median, least and greatest over processes."""
    values = group[column].dropna()
    return {column: values.median(), f"{column}_low": values.min(), f"{column}_high": values.max()}


def control(frame: pd.DataFrame) -> pd.DataFrame:
    """The A/A control of each group: the reference implementation over itself, block by block."""
    rows = []
    for key, group in frame[frame["status"] == "ok"].groupby(GROUP, sort=False):
        for name in group.loc[group["role"] == "control", "implementation"].unique():
            ours = group[group["implementation"] == name]
            ratio = pair(ours[ours["role"] == "control"], ours[ours["role"] == "measured"])
            if ratio is not None:
                rows.append(
                    dict(zip(GROUP, key, strict=True)) | {"implementation": name} | asdict(ratio)
                    | {"delta": compare.delta(ratio), "fit": not ratio.excludes_one}
                )  # fmt: skip
    return pd.DataFrame(rows, columns=[*GROUP, "implementation", "estimate", "low", "high", "delta", "fit"])


def pair(a: pd.DataFrame, b: pd.DataFrame) -> Ratio | None:
    """The ratio of epoch times over the blocks that both have, None where they share none."""
    times = pd.DataFrame({"a": a.set_index("block")["epoch_s"], "b": b.set_index("block")["epoch_s"]}).dropna()
    return compare.paired_ratio(list(times["a"]), list(times["b"])) if len(times) else None


def comparison(frame: pd.DataFrame) -> pd.DataFrame:
    """Every pair of implementations of each group: the ratio of their epoch times, its interval, the verdict on ``a``.

    ``a`` is the one whose typical epoch is longer, so that ratios read as "so many times slower".
    """
    controls = dict(iter(control(frame).groupby(GROUP)))
    rows = []
    for key, group in measured(frame).dropna(subset="epoch_s").groupby(GROUP, sort=False):
        own = controls.get(key)
        delta = compare.SMALLEST_DELTA if own is None else float(own["delta"].max())
        fit = own is None or bool(own["fit"].all())
        ranked = group.groupby("implementation")["epoch_s"].median().sort_values(ascending=False).index
        for position, a in enumerate(ranked):
            for b in ranked[position + 1 :]:
                ratio = pair(group[group["implementation"] == a], group[group["implementation"] == b])
                if ratio is None:
                    continue
                rows.append(
                    dict(zip(GROUP, key, strict=True)) | {"a": a, "b": b} | asdict(ratio)
                    | {"delta": delta, "verdict": compare.verdict(ratio, delta) if fit else "unfit session"}
                )  # fmt: skip
    return pd.DataFrame(rows, columns=[*GROUP, "a", "b", "estimate", "low", "high", "delta", "verdict"])


def claims(path: Path = DOCUMENTS) -> pd.DataFrame:
    """The documents' claims, one row each."""
    return pd.DataFrame(tomllib.loads(path.read_text(encoding="utf-8"))["claim"])


def table_4(frame: pd.DataFrame, machines: pd.DataFrame) -> pd.DataFrame:
    """Document 1's performance table, measured: a row per workload, threads, tier, framework, quantity and device.

    ``claim_low`` and ``claim_high`` are the document's where it makes that claim; ``value``, ``low`` and ``high`` are
    median and range over processes, and ``why`` says why they are missing where they are.
    """
    devices = list(dict.fromkeys(["cpu", "cuda", *frame["device"]]))
    no_gpu = machines.empty or not machines["gpus"].fillna("").astype(bool).any()
    columns_of = frame["tier"] + "-" + frame["framework"]  # Keras on its other backends is none of the table's columns
    shown = frame[(frame["role"] == "measured") & frame["implementation"].eq(columns_of)]
    shown = shown[shown["framework"].isin(["pytorch", "keras"])]
    rows = []
    for key, group in shown.groupby(TABLE_4_KEYS, sort=True):
        for quantity, column in TABLE_4.items():
            for device in devices:
                there = group[group["device"] == device]
                values = measured(there)[column].dropna()
                rows.append(
                    dict(zip(TABLE_4_KEYS, key, strict=True))
                    | {"quantity": quantity, "device": device}
                    | dict(zip(("value", "low", "high"), (values.median(), values.min(), values.max()), strict=True))
                    | {
                        "processes": len(values),
                        "epochs": int(group["epochs"].iloc[0]),
                        "why": "" if len(values) else why_missing(there, device, column, no_gpu),
                    }
                )
    claimed = claims().rename(columns={"low": "claim_low", "high": "claim_high"})
    names = ["workload", "framework", "quantity", "device"]
    columns = [*TABLE_4_KEYS, "quantity", "device", "value", "low", "high", "processes", "epochs", "why"]
    return pd.DataFrame(rows, columns=columns).merge(claimed[[*names, "claim_low", "claim_high"]], on=names, how="left")


def why_missing(rows: pd.DataFrame, device: str, column: str, no_gpu: bool) -> str:
    """Why there is no figure: what the cells say, or that there were none."""
    if rows.empty and device == "cuda" and no_gpu:
        return "not measured: no CUDA device"
    if rows.empty:
        return f"not measured: no {device.upper()} cell in this run"
    if (rows["gate"] == "failed").any():
        return "withheld: it does not do the same work (see the equivalence gate)"
    reasons = rows.loc[rows["status"] != "ok", "reason"]
    if len(reasons):
        return f"not measured: {reasons.iloc[0]}"
    return "not measured: needs at least 2 epochs" if column == "epoch_s" else "not measured"
