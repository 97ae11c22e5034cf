"""DataFrame -> DataFrame. ``runs`` and ``epochs`` are the stored records as rows; all else is derived from them."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from statistics import mean, median

import pandas as pd

from bench import statistics
from bench.machine import disturbances
from bench.store.records.cell import Memory
from bench.store.records.machine import Machine
from bench.store.records.training import Epoch, Evaluation, Inference, Result
from bench.store.records.verification import Gate

IDENTITY = ["cell", "implementation", "tier", "framework", "workload", "device", "threads", "block", "role"]
GROUP = ["workload", "device", "threads"]
"""What is compared with each other has these in common."""


def identity(result: Result) -> dict[str, object]:
    """The columns by which every row of either CSV names its cell."""
    return {name: result.cell.key if name == "cell" else getattr(result.cell, name) for name in IDENTITY} | {
        "workload": result.cell.workload.name
    }


ENERGY_LEAST_S = 2.0
"""Seconds that tell energy: the counter of an H100 moves every 0.1 s, by which a reading may be off at either end."""
SPEED = ["first_epoch_s", "epoch_s", "predict_s", "predict_image_s", "predict_batch_s", "predict_image_first_s"]


def runs_frame(results: Sequence[Result], gates: Sequence[Gate]) -> pd.DataFrame:
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
        **inference(result),
        "process_s": result.phases.process_s,
        "cpu_per_wall": middle(steady, cpu_per_wall),
        "train_energy_j": energy_j(steady),
        "accuracy": last.accuracy if last else None,
        "test_loss": last.test_loss if last else None,
        **{field.name: getattr(memory, field.name) for field in fields(Memory)},
        "training_over_load_bytes": difference(memory.training_peak_bytes, memory.after_load_rss_bytes),
        **asdict(result.noise),
        "disturbed_by": "; ".join(disturbances.disturbances(result)),
        "hints": "; ".join(disturbances.hints(result, middle(steady, cpu_per_wall))),
        "no_inference": result.no_inference,
        "attempt": result.attempt,
        "repeated": result.repeated,
        "epochs": result.cell.epochs,
        "seed": result.cell.seed,
        "machine": result.machine,
        "started": result.started,
        "harness": result.harness,
        "commit": commit(result),
        "versions": json.dumps(result.versions),
        "switches": json.dumps(result.switches),
    }


def inference(result: Result) -> dict[str, float | None]:
    """Predicting one image and one batch: the medians, and the first call with one image."""
    found = {one.images: one for one in result.inference}
    image, batch = found.get(1), found.get(result.cell.workload.test_batch_size)
    return {
        "predict_image_s": call_s(image) if image else None,
        "predict_batch_s": call_s(batch) if batch else None,
        "predict_image_first_s": image.first_s if image else None,
    }


def call_s(found: Inference) -> float | None:
    """The median of the calls after the first; None where that is 0, which is what the clock cannot tell."""
    return median(found.seconds) or None if found.seconds else None


def commit(result: Result) -> str | None:
    """The first letters of the commit, with a ``+`` where the directory held changes besides; None outside of one."""
    known = result.commit.get("time") is not None
    return result.commit["id"][:10] + ("+" if result.commit.get("dirty") else "") if known else None


def epochs_frame(results: Sequence[Result]) -> pd.DataFrame:
    """One row per cell and epoch; epoch 0 is before training."""
    columns = [*IDENTITY, *(field.name for field in fields(Epoch))]
    return pd.DataFrame(
        [identity(result) | asdict(epoch) for result in results for epoch in result.epochs], columns=columns
    )


def curves_frame(results: Sequence[Result]) -> pd.DataFrame:
    """One row per cell and evaluation, for the workloads that hold images out."""
    columns = [*IDENTITY, *(field.name for field in fields(Evaluation))]
    rows = [identity(result) | asdict(row) for result in results for row in result.evaluations]
    return pd.DataFrame(rows, columns=columns)


def machines_frame(found: Sequence[Machine]) -> pd.DataFrame:
    """One row per machine that took part."""
    return pd.DataFrame([asdict(machine) for machine in found])


def middle(rows: Iterable[Epoch], value: Callable[[Epoch], float | None]) -> float | None:
    """The process's value of what was measured, None where nothing was."""
    values = [found for row in rows if (found := value(row)) is not None]
    return statistics.process_value(values) if values else None


def energy_j(steady: Sequence[Epoch]) -> float | None:
    """Joules of an epoch, on average; None where too little time passed for the counter to tell."""
    told = [(epoch.train_s, epoch.train_energy_j) for epoch in steady if epoch.train_energy_j is not None]
    long_enough = sum(seconds or 0.0 for seconds, _ in told) >= ENERGY_LEAST_S
    return mean(joules for _, joules in told) if long_enough else None


def cpu_per_wall(epoch: Epoch) -> float | None:
    """How many CPUs an epoch kept busy on average."""
    return epoch.train_cpu_s / epoch.train_s if epoch.train_s and epoch.train_cpu_s is not None else None


def difference(a: int | None, b: int | None) -> int | None:
    """``a - b``, None where either is missing."""
    return None if a is None or b is None else a - b


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that may be shown as an implementation's figures: finished, its work proved, and not the control."""
    return frame[(frame["status"] == "ok") & (frame["role"] == "measured") & (frame["gate"] != "failed")]
