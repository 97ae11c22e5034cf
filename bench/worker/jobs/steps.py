"""A worker that is driven one step at a time: how pytest-benchmark's rounds reach a process.

Each step is answered by ``StepDone``, after whatever the step itself reports. Where a step is timed the answer carries
the seconds between two readings of this process's clock, with the device idle at both.
"""

import gc
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bench.machine.meters import metered
from bench.store.records.cell import Readings, finite
from bench.store.records.training import Epoch, Predicted
from bench.worker import channel, requests, timing
from bench.worker.messages import Send, StepDone
from bench.worker.program import TimedProgram
from bench.worker.requests import Step, TrainByStep


def run(request: TrainByStep, send: Send) -> None:
    """Do the steps that the parent sends."""
    serve(request, send, channel.receive)


def serve(request: TrainByStep, send: Send, receive: Callable[[], Step]) -> None:
    """Do one step after the other until it is ``Finish``."""
    with TemporaryDirectory(prefix="fcnbench-holdout-", dir=request.task.scratch or None) as folder:
        training = SteppedProgram(TimedProgram(request.entry, request.task, send, Path(folder)))
        while not isinstance(step := receive(), requests.Finish):
            if request.disable_gc:
                gc.disable()
            seconds = training.do(step)
            gc.enable()
            send(StepDone(seconds))
        if training.predicted is not None:
            send(training.predicted)
        training.program.finish()


class SteppedProgram:
    """What has been done so far, and what can be asked for."""

    def __init__(self, program: TimedProgram) -> None:
        """Nothing is imported yet."""
        self.program = program
        self.epoch = 0
        self.predicted: Predicted | None = None
        self.trained: tuple[float | None, float | None, float | None] = (None, None, None)
        self.readings: Readings = {}
        self.order: NDArray[np.int64] | None = None

    def do(self, step: Step) -> float | None:
        """Do a step; its seconds, where it is timed."""
        match step:
            case requests.ImportProgram():
                return self.import_()
            case requests.Prepare():
                self.program.build()
                self.program.load()
                self.orders = self.program.orders()
            case requests.DrawOrder():
                self.order = next(self.orders)
            case requests.TrainEpoch():
                return self.train()
            case requests.PredictTestSet():
                return self.predict()
            case requests.ReportEpoch():
                self.report()
            case _:
                raise ValueError(f"no step of a training: {step}")
        return None

    def import_(self) -> float:
        """Import the implementation."""
        start = time.perf_counter_ns()
        self.program.import_()
        return (time.perf_counter_ns() - start) / 1e9

    def train(self) -> float:
        """Train an epoch."""
        assert self.order is not None
        with metered("epoch", self.program.at) as self.readings:
            loss, seconds, cpu_s = timing.train(
                self.program.implementation, self.order, time.perf_counter_ns, time.process_time_ns
            )
        self.epoch += 1
        self.trained = seconds, cpu_s, finite(loss)
        return seconds

    def predict(self) -> float:
        """Predict the test images."""
        self.logits, seconds = timing.predict(self.program.implementation, time.perf_counter_ns)
        return seconds

    def report(self) -> None:
        """Predict, and report the epoch."""
        predict_s = self.predict()
        scoring = self.program.scoring
        scores = timing.score(self.logits, scoring.labels, scoring.parts.test)
        self.predicted = timing.predicted(self.logits, scoring)
        train_s, train_cpu_s, train_loss = self.trained
        self.program.send(Epoch(self.epoch, train_s, train_cpu_s, predict_s, train_loss, *scores, self.readings))
