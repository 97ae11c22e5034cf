"""From a worker's messages to the record that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from bench.data import mnist
from bench.store import archive
from bench.store.records.cell import Cell, Phases, Result
from bench.store.records.floor import FloorResult, Part
from bench.store.records.sweep import SweepPoint, SweepResult
from bench.store.records.training import Epoch, Evaluation, Inference, Predicted, TrainingResult
from bench.worker.answer import Answer, log_tail
from bench.worker.messages import MeterReadings, ModelKept, Phase, SwitchesInForce, Versions

R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Circumstances:
    """Where a process ran: what its record has beside its answer."""

    machine: str
    environment: Mapping[str, str]
    log: Path
    commit: Mapping[str, Any]


def result(
    cell: Cell, answer: Answer, about: Circumstances, data: Path | None = None, epochs: int | None = None
) -> Result:
    """The record of a cell. What its process said before it failed is kept; what no record can hold fails it.

    Given ``data``, the cell was to train all its epochs, or as many as ``epochs`` says, and predict the test images of
    that set: it fails without them.
    """
    make = {"floor": floor, "sweep": sweep}.get(cell.role, training)
    try:
        record = make(answer, common(cell, answer, about), about.log)
        if record.status == "ok" and data is not None:
            record = whole(record, data, about.log, cell.epochs if epochs is None else epochs)
        archive.encode(record)
    except ValueError as error:
        answer = replace(answer, messages=(), invalid=f"said what no record can hold ({error})")
        record = make(answer, common(cell, answer, about), about.log)
    return record


def common(cell: Cell, answer: Answer, about: Circumstances) -> dict[str, Any]:
    """What the records of all roles have."""
    status, reason = answer.outcome
    readings = dict(answer.readings)
    for message in answer.all(MeterReadings):
        readings |= message.readings
    return {
        "cell": cell,
        "status": status,
        "reason": reason,
        "started": answer.started,
        "machine": about.machine,
        "phases": Phases(**{phase.name: phase.seconds for phase in answer.all(Phase)}, process_s=answer.wall_s),
        "readings": readings,
        "versions": answer.last(Versions, Versions({})).versions,
        "switches": answer.last(SwitchesInForce, SwitchesInForce({})).switches,
        "environment": dict(about.environment),
        "log_tail": "" if status == "ok" else log_tail(about.log),
        "commit": dict(about.commit),
    }


def training(answer: Answer, common: Mapping[str, Any], log: Path) -> TrainingResult:
    """A network that was trained.

    A cell that was measured whole is ``ok``, though timing its inference failed or ended the process: a ``load`` that
    bears no second call is against the contract, but no reason to lose figures that are good. The record says why.
    """
    epochs = answer.all(Epoch)
    numbers = [epoch.epoch for epoch in epochs]
    in_order = [number == position for position, number in enumerate(numbers)]
    record = TrainingResult(
        **common,
        epochs=epochs[: (*in_order, False).index(False)],
        evaluations=answer.all(Evaluation),
        inference=answer.all(Inference),
        no_inference=answer.unfinished,
        predicted=answer.last(Predicted, Predicted("")).digits,
        model=answer.last(ModelKept, ModelKept("")).sha256,
    )
    if record.status == "ok" and not all(in_order):
        reason = f"reported the epochs {', '.join(map(str, numbers))}, expected each once, in order from 0"
        return failed(record, reason, log)
    return replace(record, log_tail=log_tail(log)) if record.no_inference else record


def floor(answer: Answer, common: Mapping[str, Any], log: Path) -> FloorResult:
    """The parts of the floor by one library."""
    return FloorResult(**common, parts=answer.all(Part))


def sweep(answer: Answer, common: Mapping[str, Any], log: Path) -> SweepResult:
    """The points of a sweep."""
    return SweepResult(**common, points=answer.all(SweepPoint))


def whole(record: Result, data: Path, log: Path, epochs: int) -> Result:
    """The record of a process that ended well; failed where it did not say all that it was asked for."""
    if isinstance(record, TrainingResult):
        test_images = len(mnist.load(data).y_test)
        last = len(record.epochs) - 1
        if last != epochs:
            return failed(record, f"reported the epochs 0 to {last}, expected 0 to {epochs}", log)
        if len(record.predicted) not in (0, test_images):  # none where its logits are not all numbers
            return failed(record, f"predicted {len(record.predicted)} test images, expected {test_images}", log)
    if isinstance(record, SweepResult) and not any(point.seconds for point in record.points):
        return failed(record, "reported no point that was timed", log)
    return record


def failed(result: R, reason: str, log: Path) -> R:
    """The record of what failed although its process did not say so."""
    return replace(result, status="failed", reason=reason, log_tail=log_tail(log))
