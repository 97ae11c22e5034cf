"""The least time that a step can take here: what one library needs for each part of it, in a process of its own.

The parts and the libraries are those of :mod:`impls.floor`; which library is the best at which part is found from the
stored seconds by :mod:`bench.report.chapters.floor`.
"""

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.data import mnist
from bench.data.holdout import hold_out
from bench.store.records.floor import Part
from bench.worker.messages import Send, Versions
from bench.worker.program import loaded_versions
from bench.worker.requests import MeasureFloor
from impls.floor import LARGE

STEPS, FEWEST_STEPS = 200, 5
ARITHMETIC = 2e10
"""Floating-point operations of a repetition, at most: larger networks are measured for fewer steps, not for longer."""
REPETITIONS, LARGE_TIMES = 9, 3
Clock = Callable[[], int]


def run(request: MeasureFloor, send: Send) -> None:
    """Measure every part of a library's floor and report each."""
    workload, task = request.task.workload, request.task
    make = importlib.import_module(request.entry.module).Floor
    data = mnist.load(Path(task.data))
    with TemporaryDirectory(prefix="fcnbench-holdout-", dir=task.scratch or None) as folder:
        if workload.validation:
            data, _ = hold_out(data, workload.validation, task.seed, Path(folder))
        library = make(workload, task.device_kind, workload.scale(data.x_train))
        send(Versions(loaded_versions(request.entry.packages)))
        flops = workload.flops * workload.batch_size
        steps = max(FEWEST_STEPS, min(STEPS, int(ARITHMETIC / flops)))
        epoch_steps = len(data.y_train) / workload.batch_size
        for name, counted in (("products", flops), ("optimiser", None), ("gathering", None)):
            seconds = repeated(getattr(library, name), steps)
            send(Part(name, steps, epoch_steps, counted, seconds))  # type: ignore[arg-type]  # one of the names above
        seconds = repeated(library.large, LARGE_TIMES)
        send(Part("large", LARGE_TIMES, None, 2 * LARGE**3, seconds))


def repeated(part: Callable[[int], None], steps: int, clock: Clock = time.perf_counter_ns) -> tuple[float, ...]:
    """Seconds of each repetition of so many steps; the first call, which may compile, is not among them."""
    part(steps)
    seconds = []
    for _ in range(REPETITIONS):
        start = clock()
        part(steps)
        seconds.append((clock() - start) / 1e9)
    return tuple(seconds)
