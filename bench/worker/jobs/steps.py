"""A program that stays and does one step each time it is asked: how pytest-benchmark's rounds reach a process.

Each question names a step and is answered by an ``answer`` event, after whatever the step itself reports. Answers to
``train`` and ``predict`` carry the seconds between two readings of this process's clock, with the device idle at both.
"""

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.store.records.cell import finite
from bench.store.records.training import Epoch, Predicted
from bench.worker import timing
from bench.worker.messages import Emit, Event
from bench.worker.program import Program


def serve(request: dict[str, Any], emit: Emit, question: Callable[[], dict[str, Any]]) -> None:
    """Answer one question after the other until the step is ``finish``; ``disable_gc`` keeps Python's collector off."""
    with TemporaryDirectory(prefix="fcnbench-holdout-") as folder:
        program = Program(request, emit, Path(folder))
        steps = Steps(program)
        while (step := question()["step"]) != "finish":
            if request["disable_gc"]:
                gc.disable()
            seconds = getattr(steps, step)()
            gc.enable()
            emit(Event("answer", {"step": step, "seconds": seconds}))
        if steps.looked is not None:
            emit(Event("predicted", asdict(steps.looked)))
        program.finish()


class Steps:
    """What can be asked for. A step that is measured returns its seconds."""

    def __init__(self, program: Program) -> None:
        """Nothing is imported yet."""
        self.program = program
        self.orders: Iterator[NDArray[np.int64]] = iter(())
        self.order: NDArray[np.int64] | None = None
        self.epoch = 0
        self.looked: Predicted | None = None
        self.trained: tuple[float | None, float | None, float | None] = (None, None, None)
        self.drawn_j: float | None = None

    def import_(self) -> float:
        """Import the implementation, and with it its framework."""
        start = time.perf_counter_ns()
        self.program.import_()
        return (time.perf_counter_ns() - start) / 1e9

    def prepare(self) -> None:
        """Build, load, set the start weights."""
        self.program.build()
        self.program.load()
        self.orders = self.program.orders()

    def draw(self) -> None:
        """Draw the order of the next epoch."""
        self.order = next(self.orders)

    def train(self) -> float:
        """Train once in the order that was drawn."""
        assert self.order is not None
        before_j = self.program.energy_j()
        loss, seconds, cpu_s = timing.train(
            self.program.implementation, self.order, time.perf_counter_ns, time.process_time_ns
        )
        self.drawn_j = timing.added(0.0, before_j, self.program.energy_j())
        self.epoch += 1
        self.trained = seconds, cpu_s, finite(loss)
        return seconds

    def predict(self) -> float:
        """Predict all test images."""
        self.logits, seconds = timing.predict(self.program.implementation, time.perf_counter_ns)
        return seconds

    def look(self) -> None:
        """Predict, and report the epoch that was trained last with what is predicted now; epoch 0 is before any."""
        predict_s = self.predict()
        asked = self.program.asked
        scores = timing.score(self.logits, asked.labels, asked.parts.test)
        self.looked = timing.predicted(self.logits, asked)
        train_s, train_cpu_s, train_loss = self.trained
        row = Epoch(self.epoch, train_s, train_cpu_s, predict_s, train_loss, *scores, self.drawn_j)
        self.program.emit(Event("epoch", asdict(row)))
