"""Train one implementation and time every epoch, then time single predictions."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.store.records.cell import finite
from bench.store.records.training import Epoch, Evaluation, Predicted
from bench.worker import timing
from bench.worker.messages import Emit, Event
from bench.worker.program import Program
from bench.worker.timing import Asked, Clock
from impls.contract import Implementation
from impls.workload import Float32


def run(request: dict[str, Any], emit: Emit) -> None:
    """Import, build, load, train and predict, reporting each phase as it ends; then, apart, time single predictions.

    With ``whole`` the cell is good: what goes wrong afterwards takes nothing of it away
    (:class:`bench.worker.process.Answer`).
    """
    with TemporaryDirectory(prefix="fcnbench-holdout-") as folder:
        program = Program(request, emit, Path(folder))
        program.import_()
        program.build()
        program.load()
        for row in epochs(program.implementation, program.orders(), program.asked, energy_j=program.energy_j):
            emit(Event(type(row).__name__.lower(), asdict(row)))
        program.finish()
        program.keep()
        emit(Event("whole", {}))
        program.infer()


def epochs(
    implementation: Implementation,
    orders: Iterable[NDArray[np.int64]],
    asked: Asked,
    clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.process_time_ns,
    energy_j: Callable[[], float | None] = lambda: None,
) -> Iterator[Epoch | Evaluation | Predicted]:
    """Predict once before training (epoch 0), then train and predict once for each order; what was predicted last.

    The device is idle whenever the clock is read: ``sync`` is called before the first and before the second reading.
    The mean loss that ``train_epoch`` returns and the figures made from the logits are computed outside, and so is
    whatever is predicted in the middle of an epoch. ``energy_j`` is a counter of joules, read outside too.
    """
    logits, predict_s = timing.predict(implementation, clock)
    yield Epoch(0, None, None, predict_s, None, *timing.score(logits, asked.labels, asked.parts.test))
    yield from evaluated(0, 0, None, logits, asked)
    batches = 0
    for number, order in enumerate(orders, start=1):
        train_s = train_cpu_s = total = 0.0
        drawn_j: float | None = 0.0
        pieces = timing.divided(order, asked.every * asked.batch_size)
        for position, piece in enumerate(pieces, start=1):
            before_j = energy_j()
            loss, seconds, cpu_seconds = timing.train(implementation, piece, clock, cpu_clock)
            drawn_j = timing.added(drawn_j, before_j, energy_j())
            train_s, train_cpu_s, total = train_s + seconds, train_cpu_s + cpu_seconds, total + loss * len(piece)
            batches += -(-len(piece) // asked.batch_size)
            logits, predict_s = timing.predict(implementation, clock)
            if position == len(pieces):
                scores = timing.score(logits, asked.labels, asked.parts.test)
                yield Epoch(number, train_s, train_cpu_s, predict_s, finite(total / len(order)), *scores, drawn_j)
            yield from evaluated(number, batches, loss, logits, asked)
    yield timing.predicted(logits, asked)


def evaluated(epoch: int, batches: int, loss: float | None, logits: Float32, asked: Asked) -> Iterator[Evaluation]:
    """What the images held out say, if there are any, after so many batches."""
    if asked.parts.n_validation:
        held, held_accuracy = timing.score(logits, asked.labels, asked.parts.validation)
        _, own_accuracy = timing.score(logits, asked.labels, asked.parts.training)
        yield Evaluation(epoch, batches, None if loss is None else finite(loss), own_accuracy, held, held_accuracy)
