"""From a worker's messages to the record that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.store.records.cell import Cell, Phases, Readings, Result
from bench.store.records.floor import FloorResult, Part
from bench.store.records.sweep import SweepPoint, SweepResult
from bench.store.records.training import Epoch, Evaluation, Inference, Predicted, TrainingResult
from bench.worker import process
from bench.worker.answer import Answer
from bench.worker.messages import MeterReadings, ModelKept, Phase, SwitchesInForce, Versions


@dataclass(frozen=True)
class Circumstances:
    """When and where a process ran: what its record has beside what it said; ``readings`` are the parent's own."""

    started: datetime
    machine: str
    environment: Mapping[str, str]
    log: Path
    readings: Readings
    commit: Mapping[str, Any]


def result(cell: Cell, answer: Answer, about: Circumstances) -> Result:
    """The record of a cell. What its process said before it failed is kept."""
    make = {"floor": floor, "sweep": sweep}.get(cell.role, training)
    return make(answer, common(cell, answer, about), about.log)


def common(cell: Cell, answer: Answer, about: Circumstances) -> dict[str, Any]:
    """What the records of all roles have."""
    status, reason = answer.outcome
    readings = dict(about.readings)
    for message in answer.all(MeterReadings):
        readings |= message.readings
    return {
        "cell": cell,
        "status": status,
        "reason": reason,
        "started": about.started.isoformat(timespec="milliseconds"),
        "machine": about.machine,
        "phases": Phases(**{phase.name: phase.seconds for phase in answer.all(Phase)}, process_s=answer.wall_s),
        "readings": readings,
        "versions": answer.last(Versions, Versions({})).versions,
        "switches": answer.last(SwitchesInForce, SwitchesInForce({})).switches,
        "environment": dict(about.environment),
        "log_tail": "" if status == "ok" else process.log_tail(about.log),
        "commit": dict(about.commit),
    }


def training(answer: Answer, common: Mapping[str, Any], log: Path) -> TrainingResult:
    """A network that was trained.

    A cell that was measured whole is ``ok``, though timing its inference failed or ended the process: a ``load`` that
    bears no second call is against the contract, but no reason to lose figures that are good. The record says why.
    """
    numbers = [epoch.epoch for epoch in answer.all(Epoch)]
    if numbers != list(range(len(numbers))) and common["status"] == "ok":
        reason = f"reported the epochs {', '.join(map(str, numbers))}, expected each once, in order from 0"
        common = {**common, "status": "failed", "reason": reason, "log_tail": process.log_tail(log)}
    record = TrainingResult(
        **common,
        epochs=answer.all(Epoch),
        evaluations=answer.all(Evaluation),
        inference=answer.all(Inference),
        no_inference=answer.unfinished,
        predicted=answer.last(Predicted, Predicted("")).digits,
        model=answer.last(ModelKept, ModelKept("")).sha256,
    )
    return replace(record, log_tail=process.log_tail(log)) if record.no_inference else record


def floor(answer: Answer, common: Mapping[str, Any], log: Path) -> FloorResult:
    """The parts of the floor by one library."""
    return FloorResult(**common, parts=answer.all(Part))


def sweep(answer: Answer, common: Mapping[str, Any], log: Path) -> SweepResult:
    """The points of a sweep."""
    return SweepResult(**common, points=answer.all(SweepPoint))
