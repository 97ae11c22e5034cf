"""The least time that a step can take here: what one library needs for each part of it, in a process of its own.

The parts and the libraries are those of :mod:`impls.floor`; which library is the best at which part is found from the
stored seconds by :mod:`bench.report.chapters.floor`.
"""

import importlib
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.data import mnist
from bench.data.holdout import hold_out
from bench.store.records.floor import Part
from bench.worker.messages import Emit, Event
from bench.worker.program import loaded_versions
from impls.environment import kind
from impls.floor import LARGE
from impls.workload import Workload

STEPS, FEWEST_STEPS = 200, 5
ARITHMETIC = 2e10
"""Floating-point operations of a repetition, at most: larger networks are measured for fewer steps, not for longer."""
REPETITIONS, LARGE_TIMES = 9, 3
Clock = Callable[[], int]


def run(request: dict[str, Any], emit: Emit) -> None:
    """Measure every part of a library's floor and report each."""
    workload = Workload.from_dict(request["workload"])
    make = importlib.import_module(request["module"]).Floor
    data = mnist.load(Path(request["data"]))
    with TemporaryDirectory(prefix="fcnbench-holdout-") as folder:
        if workload.validation:
            data, _ = hold_out(data, workload.validation, request["seed"], Path(folder))
        library = make(workload, kind(request["device"]), workload.scale(data.x_train))
        emit(Event("facts", {"versions": loaded_versions(request["packages"])}))
        flops = workload.flops * workload.batch_size
        steps = max(FEWEST_STEPS, min(STEPS, int(ARITHMETIC / flops)))
        epoch_steps = len(data.y_train) / workload.batch_size
        for name, counted in (("products", flops), ("optimiser", None), ("gathering", None)):
            seconds = repeated(getattr(library, name), steps)
            emit(Event("part", asdict(Part(name, steps, epoch_steps, counted, seconds))))  # type: ignore[arg-type]
        seconds = repeated(library.large, LARGE_TIMES)
        emit(Event("part", asdict(Part("large", LARGE_TIMES, None, 2 * LARGE**3, seconds))))


def repeated(part: Callable[[int], None], steps: int, clock: Clock = time.perf_counter_ns) -> tuple[float, ...]:
    """Seconds of each repetition of so many steps; the first call, which may compile, is not among them."""
    part(steps)
    seconds = []
    for _ in range(REPETITIONS):
        start = clock()
        part(steps)
        seconds.append((clock() - start) / 1e9)
    return tuple(seconds)
