"""DataFrame -> DataFrame. ``runs`` and ``epochs`` are the stored records as rows; all else is derived from them."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from statistics import mean, median

import numpy as np
import pandas as pd

from bench import statistics
from bench.machine import disturbances, meters
from bench.machine.metering import Meter
from bench.report import attestation, columns
from bench.report.columns import Column, Table
from bench.store.records.cell import Readings, Result
from bench.store.records.machine import Machine
from bench.store.records.training import Epoch, Inference, TrainingResult
from bench.store.records.verification import Verification

IDENTITY = [column.name for column in columns.WHICH_CELL]
GROUP = [column.name for column in columns.CONFIGURATION]
"""What is compared with each other has these in common."""
RUNS = Table("One row for each process.", (
    *columns.WHICH_CELL,
    Column("status", "", "ok, skipped or failed"),
    Column("reason", "", "why it was skipped or failed"),
    Column("gate", "", "passed, failed or skipped: whether the implementation was proved to do the same work; empty "
           "where it was not asked"),
    Column("attested", "", "yes, no or not judged: whether the very epochs that were timed did the work of the block's "
           "reference; without a yes to the losses, the accuracy and the time of predicting there is none"),
    Column("attested_reason", "", "why, with figures"),
    columns.IMPORT_S,
    Column("build_s", "s", "building model, loss and optimiser"),
    Column("load_s", "s", "taking the arrays into the framework's own form, on its device"),
    columns.FIRST_EPOCH_S, columns.EPOCH_S,
    Column("predict_s", "s", "geometric mean over the epochs of predicting the test set (and what else is predicted "
           "with it, see epochs.csv)"),
    Column("predict_image_s", "s", "predicting a test set of one image after training: median of the calls after the "
           "first; empty in results of the suite"),
    Column("predict_batch_s", "s", "the same of one batch, of the network's test_batch_size images"),
    Column("predict_image_first_s", "s", "the first call with one image, which may trace and compile for it"),
    Column("predict_image_call", "", "the framework's call that answers one image, by the program's own word; empty "
           "where it says none"),
    Column("process_s", "s", "the whole process, from start to end, inference too, as its parent saw it"),
    columns.CPU_PER_WALL, columns.IDLE_S,
    Column("train_energy_j", "J", "mean over the steady epochs of the energy that the whole GPU drew, by its own "
           "counter; empty where it has none, and where these epochs last less than 2 s together, too short for it"),
    Column("accuracy", "0 to 1", "share of the test images recognised after the last epoch"),
    Column("test_loss", "nats", "mean cross-entropy of the test set after the last epoch"),
    *columns.of_meters(meters.MEMORY),
    Column("training_over_load_bytes", "bytes", "training_peak_bytes - after_load_rss_bytes"),
    *columns.of_meters(meters.DISTURBANCES),
    Column("disturbed_by", "", "what disturbed the process, in words; empty where nothing is known to have"),
    Column("hints", "", "what is worth knowing besides, in words"),
    Column("no_inference", "", "why one image and one batch could not be timed, where that failed after all else was "
           "measured"),
    Column("attempt", "number", "how often the cell's block was measured, this time included"),
    Column("repeated", "", "what disturbed the attempt before"),
    columns.EPOCHS,
    Column("seed", "", "draws start weights and batch order"),
    columns.MACHINE,
    Column("started", "", "when, UTC"),
    Column("harness", "", "fcnbench, or pytest-benchmark where its suite measured the epochs"),
    Column("commit", "", "state of the directory in which it was started, a + for uncommitted changes; empty outside "
           "a repository"),
    Column("versions", "", "JSON: Python and the packages that were loaded"),
    Column("switches", "", "JSON: what was in force in the framework, read from the running program"),
))  # fmt: skip
EPOCHS = Table("One row for each process and epoch, raw.", (
    *columns.WHICH_CELL, columns.EPOCH,
    Column("train_s", "s", "training on all training images once, between two readings of the clock with the device "
           "idle"),
    Column("train_cpu_s", "s", "CPU time of all threads of the process meanwhile"),
    Column("idle_s", "s", "by how much train_s exceeds train_cpu_s: at least so long the process computed nothing; "
           "empty on a GPU, which computes without it"),
    columns.PREDICT_S,
    Column("train_loss", "nats", "mean cross-entropy over the training images, each taken before the step that used "
           "it"),
    Column("test_loss", "nats", "mean cross-entropy of the test set, computed by the harness from the logits"),
    columns.ACCURACY,
    Column("again_s", "s", "predicting the same once more at once: what predict_s has beyond that is no prediction"),
    *columns.of_meters(meters.EPOCHS),
))  # fmt: skip
CURVES = Table("One row for each look at the images held out of training, where a network holds some out.", (
    *columns.WHICH_CELL, columns.EPOCH,
    Column("batches", "count", "steps of training so far"),
    Column("train_loss", "nats", "mean over the steps since the last look"),
    Column("train_accuracy", "0 to 1", "of a sample of 2,000 training images"),
    Column("validation_loss", "nats", "mean cross-entropy of the images held out"),
    Column("validation_accuracy", "0 to 1", "of the images held out"),
))  # fmt: skip
MACHINES = Table("One row for each machine that took part.", (
    columns.MACHINE,
    Column("cpu", "", "the processor, as its maker calls it"),
    Column("logical_cpus", "count", "CPUs that the system sees"),
    Column("physical_cpus", "count", "cores"),
    Column("available_cpus", "count", "CPUs that a process could use: affinity, cut to the container's quota"),
    Column("cpu_quota", "CPUs", "the container's quota; empty where there is none"),
    Column("ram_bytes", "bytes", "memory of the machine"),
    Column("memory_limit_bytes", "bytes", "the container's limit; empty where there is none"),
    Column("os", "", "system and release"),
    Column("architecture", "", "of the processor"),
    Column("python", "", "version of Python that ran the harness"),
    Column("blas", "", "NumPy's linear-algebra library"),
    Column("gpus", "", "the NVIDIA devices, as their driver calls them; empty where there are none"),
    Column("gpu_driver", "", "version of their driver, and of the newest CUDA that it can run"),
    Column("gpu_settings", "", "highest clock and power of each, and whether it is divided (MIG) or runs under "
           "Windows' display driver (WDDM)"),
))  # fmt: skip
DATA = {"runs": RUNS, "epochs": EPOCHS, "machines": MACHINES, "curves": CURVES}
"""The records as rows, by the names of their files; all other frames are derived from them."""


def identity(result: Result) -> dict[str, object]:
    """The columns by which every row of either CSV names its cell."""
    return {name: result.cell.key if name == "cell" else getattr(result.cell, name) for name in IDENTITY} | {
        "workload": result.cell.workload.name
    }


ENERGY_LEAST_S = 2.0
"""Seconds that tell energy: the counter of an H100 moves every 0.1 s, by which a reading may be off at either end."""
SPEED = ["first_epoch_s", "epoch_s", "predict_s", "predict_image_s", "predict_batch_s", "predict_image_first_s"]


def runs_frame(results: Sequence[TrainingResult], gates: Sequence[Verification]) -> pd.DataFrame:
    """One row per cell: identity, status, phases, geometric means over steady epochs, memory, noise, terms.

    ``gate`` is what verification found of the implementation: ``passed``, ``failed``, ``skipped``, or nothing where it
    was not verified. ``attested`` is what the timed epochs themselves say (:mod:`bench.report.attestation`). Where
    either says that the work was another the speeds are withheld; they stay in ``epochs`` and in the cell's file.
    """
    frame = pd.DataFrame([run_row(result) for result in results])
    refused = [(gate.implementation, gate.workload, gate.device) for gate in gates if gate.status == "failed"]
    verdicts = attestation.attested(results, refused)
    statuses = {(gate.implementation, gate.workload, gate.device): gate.status for gate in gates}
    answers = [
        statuses.get(key) for key in zip(frame["implementation"], frame["workload"], frame["device"], strict=True)
    ]
    after = list(frame.columns).index("reason") + 1
    for position, name in enumerate(("attested", "attested_reason")):
        frame.insert(after + position, name, [verdicts[key][position] for key in frame["cell"]])
    frame.insert(after, "gate", answers)
    frame.loc[withheld(frame), SPEED] = None
    return frame


def withheld(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows have no speed to show: the gate, or the timed epochs themselves, say that the work was another."""
    return (frame["gate"] == "failed") | (frame["attested"] == "no")


def why_withheld(frame: pd.DataFrame) -> str:
    """Where to read why, for rows of which some are withheld."""
    gate = (frame["gate"] == "failed").any()
    return "see the proof of equal work" if gate else "its timed epochs show it, see what is withheld"


def run_row(result: TrainingResult) -> dict[str, object]:
    """One cell as a row. ``epoch_s`` is the geometric mean of the steady epochs, which are all but the first."""
    trained = [epoch for epoch in result.epochs if epoch.train_s is not None]
    steady, last = trained[1:], result.trained or (trained[-1] if trained else None)
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
        "idle_s": average([idle_s(result, epoch) for epoch in steady]),
        "train_energy_j": energy_j(steady),
        "accuracy": last.accuracy if last else None,
        "test_loss": last.test_loss if last else None,
        **of_meters(meters.MEMORY, result.readings),
        "training_over_load_bytes": difference(result.readings, "training_peak_bytes", "after_load_rss_bytes"),
        **of_meters(meters.DISTURBANCES, result.readings),
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


def inference(result: TrainingResult) -> dict[str, float | str | None]:
    """Predicting one image and one batch: the medians, and the first call with one image; which call that is."""
    timings = {one.images: one for one in result.inference}
    image, batch = timings.get(1), timings.get(result.cell.workload.test_batch_size)
    return {
        "predict_image_s": call_s(image) if image else None,
        "predict_batch_s": call_s(batch) if batch else None,
        "predict_image_first_s": image.first_s if image else None,
        "predict_image_call": image.call if image else "",
    }


def call_s(found: Inference) -> float | None:
    """The median of the calls after the first; None where that is 0, which is what the clock cannot tell."""
    return median(found.seconds) or None if found.seconds else None


def commit(result: TrainingResult) -> str | None:
    """The first letters of the commit, with a ``+`` where the directory held changes besides; None outside of one."""
    known = result.commit.get("time") is not None
    return result.commit["id"][:10] + ("+" if result.commit.get("dirty") else "") if known else None


def epochs_frame(results: Sequence[TrainingResult]) -> pd.DataFrame:
    """One row per cell and epoch; epoch 0 is before training."""
    names = [field.name for field in fields(Epoch) if field.name != "readings"]
    read = [quantity.name for quantity in meters.quantities(meters.EPOCHS)]
    values = [
        (*(getattr(epoch, name) for name in names), idle_s(result, epoch), *map(epoch.readings.get, read))
        for result in results
        for epoch in result.epochs
    ]
    lengths = [len(result.epochs) for result in results]
    cells = pd.DataFrame(map(identity, results), columns=IDENTITY).loc[np.repeat(range(len(lengths)), lengths)]
    frame = pd.DataFrame(values, columns=[*names, "idle_s", *read])
    return cells.reset_index(drop=True).join(frame)[EPOCHS.names]


def curves_frame(results: Sequence[TrainingResult]) -> pd.DataFrame:
    """One row per cell and evaluation, for the workloads that hold images out."""
    return CURVES.frame(identity(result) | asdict(row) for result in results for row in result.evaluations)


def machines_frame(found: Sequence[Machine]) -> pd.DataFrame:
    """One row per machine that took part."""
    return pd.DataFrame([asdict(machine) for machine in found])


def middle(rows: Iterable[Epoch], value: Callable[[Epoch], float | None]) -> float | None:
    """The process's value of what was measured, None where nothing was."""
    values = [found for row in rows if (found := value(row)) is not None]
    return statistics.process_value(values) if values else None


def energy_j(steady: Sequence[Epoch]) -> float | None:
    """Joules of an epoch, on average; None where too little time passed for the counter to tell."""
    readings = [(epoch.train_s, epoch.readings.get("train_energy_j")) for epoch in steady]
    counted = [(seconds, joules) for seconds, joules in readings if isinstance(joules, int | float)]
    long_enough = sum(seconds or 0.0 for seconds, _ in counted) >= ENERGY_LEAST_S
    return mean(joules for _, joules in counted) if long_enough else None


def cpu_per_wall(epoch: Epoch) -> float | None:
    """How many CPUs an epoch kept busy on average."""
    return epoch.train_cpu_s / epoch.train_s if epoch.train_s and epoch.train_cpu_s is not None else None


def idle_s(result: TrainingResult, epoch: Epoch) -> float | None:
    """The least time of an epoch in which no thread of the process computed; None where a GPU may have."""
    if result.cell.device != "cpu" or epoch.train_s is None or epoch.train_cpu_s is None:
        return None
    return max(0.0, epoch.train_s - epoch.train_cpu_s)


def average(values: Iterable[float | None]) -> float | None:
    """The mean of what is known, None where nothing is."""
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def of_meters(read: Sequence[Meter], readings: Readings) -> Readings:
    """The readings of these meters, in the order of their columns; None for what was not read."""
    return {quantity.name: readings.get(quantity.name) for quantity in meters.quantities(read)}


def difference(readings: Readings, a: str, b: str) -> int | None:
    """One of two readings of bytes less the other, None where either is missing."""
    first, second = readings.get(a), readings.get(b)
    return first - second if isinstance(first, int) and isinstance(second, int) else None


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that may be shown as an implementation's figures: finished, its work proved, and not the control."""
    return frame[(frame["status"] == "ok") & (frame["role"] == "measured") & ~withheld(frame)]
