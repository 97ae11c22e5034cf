"""Results made by hand, as a session would have left them; nothing is measured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.report.chapters import CHAPTERS
from bench.report.runs import runs_frame
from bench.session.plan import Plan
from bench.store import archive
from bench.store.records.breakdown import PASSES, Breakdown
from bench.store.records.cell import Cell, Phases, Readings, Result
from bench.store.records.floor import FloorResult, Part
from bench.store.records.machine import Machine
from bench.store.records.sweep import SweepResult
from bench.store.records.training import Epoch, TrainingResult
from bench.store.records.verification import Verification
from bench.worker.jobs import sweep
from impls.registry import Entry
from impls.workload import Adam, Dense, Workload

WORKLOAD = Workload(
    "mlp-128-64", 1, (Dense(128, "relu"), Dense(64, "relu"), Dense(10)), 0.1307, 0.3081, 64, 1000, 5, Adam(1e-3)
)
OTHER_WORKLOAD = replace(WORKLOAD, name="mlp-128", document=2, layers=(Dense(128, "relu"), Dense(10)))
MACHINE = Machine("0badcafe", "Imaginary CPU", 2, 2, 2, None, 8 * 10**9, None, "Linux 6.1", "x86_64", "3.11.7",
                  "openblas 0.3", "")  # fmt: skip
CELL_FIELDS = {field.name for field in fields(Cell)}
OVERHEAD_S, PARAMETER_S, FLOPS_PER_S = 80e-6, 2e-9, 40e9
"""What a step costs in a sweep that was made by hand."""
READINGS: Readings = {
    "after_import_rss_bytes": 500_000_000, "after_import_uss_bytes": 480_000_000, "after_load_rss_bytes": 700_000_000,
    "after_load_uss_bytes": 680_000_000, "training_peak_bytes": 760_000_000, "process_peak_bytes": 760_000_000,
    "peak_source": "VmHWM", "parent_cpu_s": 0.01, "involuntary_switches": 100, "steal_s": 0.0, "others_cpu_s": 0.05,
}  # fmt: skip
"""What meters read around every cell."""
TIERS = ("documented", "matched", "tuned", "reference")
UNDRAWN = tuple(replace(chapter, charts=lambda results, group: ()) for chapter in CHAPTERS)
"""The chapters without their charts, which take their time, for tests of something else."""


def result(
    implementation: str = "matched-pytorch",
    block: int = 1,
    epoch_s: float = 1.0,
    status: str = "ok",
    accuracy: float = 0.97,
    epochs: int = 3,
    **changes: Any,
) -> TrainingResult:
    """One result. ``epoch_s`` is what every steady epoch took, the first half as much again.

    ``changes`` are fields of Cell or of TrainingResult. A status other than ``ok`` leaves no epochs, no memory and no phases.
    """
    tier, _, rest = implementation.partition("-")
    if tier not in TIERS:
        tier, rest = "reference" if implementation == "null" else "plugin", implementation
    in_cell = {name: changes.pop(name) for name in list(changes) if name in CELL_FIELDS}
    cell = replace(
        Cell(
            implementation, tier, rest.split("-")[0], WORKLOAD, "cpu", 2, block, "measured", epochs, block, "d1935700"
        ),
        **in_cell,
    )
    ok = TrainingResult(
        cell=cell,
        status="ok",
        reason="",
        started=f"2026-01-{block:02d}T00:00:00.000+00:00",
        machine=MACHINE.machine,
        phases=Phases(1.4, 0.02, 0.3, 2.0 + epochs * epoch_s),
        epochs=trained(epochs, epoch_s, accuracy),
        readings=READINGS,
        versions={"python": "3.11.7", "numpy": "2.4.6"},
        switches={
            "takes_order": tier != "documented",
            "adam": ["keras", 1e-7] if "keras" in rest else ["pytorch", 1e-8],
        },
        environment={"OMP_NUM_THREADS": str(cell.threads)},
    )
    if status != "ok":
        readings = {name: value for name, value in READINGS.items() if not name.endswith(("_bytes", "_source"))}
        lost: Any = {"status": status, "reason": "no reason", "epochs": (), "readings": readings, "phases": Phases()}
        ok = replace(ok, **lost)
    return replace(ok, **changes)


def trained(epochs: int, epoch_s: float, accuracy: float) -> tuple[Epoch, ...]:
    """Epoch 0 at chance level, then an error that falls to that of ``accuracy``."""
    rows = [Epoch(0, None, None, 0.2, None, 2.3, 0.1)]
    for epoch in range(1, epochs + 1):
        seconds = epoch_s * (1.5 if epoch == 1 else 1.0)
        right = 1 - min(0.9, (1 - accuracy) * 1.3 ** min(40, epochs - epoch))
        rows.append(Epoch(epoch, seconds, 1.9 * seconds, 0.2, 0.3 / epoch, 0.25 / epoch, right))
    return tuple(rows)


def session(
    times: Mapping[str, Sequence[float]], control: Sequence[float] = (), **changes: Any
) -> list[TrainingResult]:
    """A block for each time: ``{"matched-pytorch": [1.0, 1.1], ...}``. ``control`` repeats the first of them."""
    found = [
        result(name, block, seconds, **changes)
        for name, series in times.items()
        for block, seconds in enumerate(series, start=1)
    ]
    first = next(iter(times), "matched-pytorch")
    return found + [result(first, block, s, role="control", **changes) for block, s in enumerate(control, start=1)]


def swept(
    implementation: str = "matched-pytorch",
    block: int = 1,
    slower: float = 1.0,
    apart_s: float = OVERHEAD_S,
    lost: Sequence[int] = (),
    **changes: Any,
) -> SweepResult:
    """A sweep whose steps are as planted; the point held out takes ``apart_s``, batches of a ``lost`` size nothing."""
    found = []
    for network, point in sweep.points(WORKLOAD, 60_000):
        step_s = OVERHEAD_S + PARAMETER_S * network.parameters + network.flops * network.batch_size / FLOPS_PER_S
        step_s = slower * (apart_s if point.held_out else step_s)
        if point.batch_size in lost:
            found.append(replace(point, reason="no memory"))
        else:
            found.append(replace(point, first_s=1.0, seconds=(step_s * point.steps,) * 4 + (9.0,)))
    made = result(implementation, block, role="sweep", **changes)
    shared = {field.name: getattr(made, field.name) for field in fields(Result)} | {"switches": {}}
    return SweepResult(**shared, points=tuple(found))


def clear(**changes: Any) -> list[TrainingResult]:
    """Both tiers of both frameworks, three blocks and a control: matched PyTorch about 2.9 times as fast."""
    times = {
        "matched-pytorch": [1.00, 1.01, 1.02],
        "matched-keras": [2.90, 2.95, 3.00],
        "documented-pytorch": [9.7, 9.9, 10.0],
        "documented-keras": [2.3, 2.31, 2.32],
    }
    return session(times, control=[1.001, 1.011, 1.019], **changes)


def save(directory: Path, results: Iterable[Result], machine: Machine | None = MACHINE) -> Path:
    """The results as a directory that ``report.build`` reads."""
    with archive.opened(directory):
        for found in results:
            archive.save(directory, found)
        if machine is not None:
            archive.save_record(directory, machine)
    return directory


def plan_of(workload: Workload, *entries: Entry) -> Plan:
    """A plan of one block on one CPU."""
    return Plan([workload], entries, ["cpu"], [1], 1, 1, 1, "0da7a")


FLOOR_STEPS, EPOCH_STEPS = 100, 937.5
FAST = {"products": 1e-4, "optimiser": 5e-5, "gathering": 5e-5, "large": 1e-2}
"""Seconds of a step."""
DONE = Breakdown(
    "documented-pytorch", "documented", "pytorch", "tiny", "cpu", 1, "d1935700", "2026-01-01T00:00:00.000+00:00",
    MACHINE.machine, "ok", "", {"torch": "2.14.1"}, 1_000, 4_000, dict.fromkeys(PASSES, (0.5, 0.25, 0.1)),
)  # fmt: skip


def library(framework: str, block: int, step_s: Mapping[str, float] = FAST, missing: str = "") -> FloorResult:
    """What a library took for each part; one repetition in five takes long and does not move the median."""
    parts = []
    for name, seconds in step_s.items():
        flops = {"products": 10**6, "large": 10**9}.get(name)
        steps = 3 if name == "large" else FLOOR_STEPS
        took = tuple([seconds * steps] * 4 + [9.0])
        parts += [Part(name, steps, None if name == "large" else EPOCH_STEPS, flops, took)] if name != missing else []  # type: ignore[arg-type]
    made = result(f"floor-{framework}", block)
    cell = replace(made.cell, tier="floor", framework=framework, role="floor")
    shared = {field.name: getattr(made, field.name) for field in fields(Result)} | {"cell": cell}
    return FloorResult(**shared, parts=tuple(parts))


def runs(results: Sequence[TrainingResult], *failed: str) -> pd.DataFrame:
    """The runs of these results; the implementations that are named failed the gate."""
    names = dict.fromkeys(found.cell.implementation for found in results)
    gates = [
        Verification(
            name, "mlp-128-64", "cpu", "d", "failed" if name in failed else "passed", "off" if name in failed else ""
        )
        for name in names
    ]
    return runs_frame(results, gates)
