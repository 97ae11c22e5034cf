"""From a worker's messages to the record that is stored."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.store import archive
from bench.store.records.cell import Cell, Memory, Noise, Phases
from bench.store.records.floor import Part
from bench.store.records.sweep import SweepPoint
from bench.store.records.training import Epoch, Evaluation, Inference, Result
from bench.worker import process
from bench.worker.process import Answer

SEVERAL: Mapping[str, type[Any]] = {
    "epoch": Epoch, "evaluation": Evaluation, "inference": Inference, "part": Part, "point": SweepPoint,
}  # fmt: skip
"""What a cell has several of, by the name of the events that tell it."""


def result(
    cell: Cell,
    answer: Answer,
    timeout_s: float,
    started: datetime,
    machine: str,
    disturbed: Noise,
    variables: dict[str, str],
    log: Path,
) -> Result:
    """Fold what the child said into one record. What it said before it failed is kept.

    A cell that was measured whole is ``ok``, though timing its inference failed or ended the process: a ``load`` that
    bears no second call is against the contract, but no reason to lose figures that are good. The record says why.
    Where an implementation declares what no record can hold, such as a switch that is NaN, the cell has failed.
    """
    told: dict[str, dict[str, Any]] = {name: {} for name in ("phase", "facts", "memory", "noise", "predicted", "model")}
    several: dict[str, list[Any]] = {name: [] for name in SEVERAL}
    for event in answer.events:
        if event.name in SEVERAL:
            values = {name: tuple(value) if isinstance(value, list) else value for name, value in event.values.items()}
            several[event.name].append(SEVERAL[event.name](**values))
        elif event.name in told:
            told[event.name] |= event.values
    (status, reason), no_inference = answer.end(timeout_s), answer.end_of_rest(timeout_s)
    bare = Result(
        cell=cell,
        status=status,  # type: ignore[arg-type]  # "ok", "skipped" or "failed"; the store checks it when it is read
        reason=reason,
        started=started.isoformat(timespec="milliseconds"),
        machine=machine,
        phases=Phases(process_s=answer.wall_s),
        noise=disturbed,
        environment=variables,
        log_tail=process.log_tail(log) if no_inference or status != "ok" else "",
    )
    try:
        whole = replace(
            bare,
            phases=Phases(**told["phase"], process_s=answer.wall_s),
            epochs=tuple(several["epoch"]),
            evaluations=tuple(several["evaluation"]),
            inference=tuple(several["inference"]),
            no_inference=no_inference,
            parts=tuple(several["part"]),
            sweep=tuple(several["point"]),
            predicted=told["predicted"].get("digits", ""),
            model=told["model"].get("sha256", ""),
            memory=Memory(**told["memory"]),
            noise=replace(disturbed, **told["noise"]),
            versions=told["facts"].get("versions", {}),
            switches=told["facts"].get("switches", {}),
        )
        archive.encode(whole)
    except (TypeError, ValueError) as error:
        return replace(
            bare,
            status="failed",
            reason=f"declared what no record can hold ({error}); see the contract in CONTRIBUTING.md",
            log_tail=process.log_tail(log),
        )
    return whole
