"""Train one implementation and time every epoch, then time single predictions."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.machine.metering import Surroundings
from bench.machine.meters import joined, metered
from bench.store.records.cell import Readings, finite
from bench.store.records.training import Epoch, Evaluation, Predicted
from bench.worker import channel, timing
from bench.worker.messages import Send, StepDone, Whole
from bench.worker.program import TimedProgram
from bench.worker.requests import Finish, Step, Train
from bench.worker.timing import Clock, Scoring
from impls.contract import Implementation

if TYPE_CHECKING:
    from impls.workload import Float32

Row = Epoch | Evaluation | Predicted


def run(request: Train, send: Send) -> None:
    """Import, build, load, train and predict, reporting each phase as it ends; then, apart, time single predictions.

    Each epoch is trained when the parent asks for it. What comes before the first is a turn as well, and so is what
    comes after the last.
    With ``Whole`` the cell is good: what goes wrong afterwards takes nothing of it away
    (:class:`bench.worker.answer.Answer`).
    """
    with TemporaryDirectory(prefix="fcnbench-holdout-", dir=request.task.scratch or None) as folder:
        program = TimedProgram(request.entry, request.task, send, Path(folder))
        program.import_()
        program.build()
        program.load()
        rows: list[Row] = []
        orders = in_turns(program.orders(), rows, send, channel.receive)
        for row in epochs(program.implementation, orders, program.scoring, request.epochs, at=program.at):
            rows.append(row)
            if isinstance(row, Predicted):
                program.keep(request.model, request.origin)
        report(rows, send)
        program.finish()
        send(Whole())
        program.infer()


def in_turns(
    orders: Iterable[NDArray[np.int64]], rows: list[Row], send: Send, receive: Callable[[], Step]
) -> Iterator[NDArray[np.int64]]:
    """Each order when the parent asks for an epoch, until it asks to finish.

    What was measured is reported between the turns: the parent sleeps while something is timed.
    """
    for order in orders:
        report(rows, send)
        send(StepDone(None))
        if isinstance(receive(), Finish):
            return
        yield order


def report(rows: list[Row], send: Send) -> None:
    """Send the rows, and forget them."""
    for row in rows:
        send(row)
    rows.clear()


def epochs(
    implementation: Implementation,
    orders: Iterable[NDArray[np.int64]],
    scoring: Scoring,
    trained: int,
    clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.process_time_ns,
    at: Surroundings = Surroundings(),
) -> Iterator[Row]:
    """Predict once before training (epoch 0), then train and predict once for each order.

    After ``trained`` epochs the network is what it should be, and its predictions are reported. Each epoch ends with
    one more prediction of the same, timed and thrown away: a program that trained in the first has nothing left for it.

    The device is idle whenever the clock is read: ``sync`` is called before the first and before the second reading.
    The mean loss that ``train_epoch`` returns and the figures made from the logits are computed outside, and so is
    whatever is predicted in the middle of an epoch. Meters are read around the training, outside too.
    """
    logits, predict_s = timing.predict(implementation, clock)
    yield Epoch(0, None, None, predict_s, None, *timing.score(logits, scoring.labels, scoring.parts.test))
    yield from evaluated(0, 0, None, logits, scoring)
    batches = 0
    for number, order in enumerate(orders, start=1):
        train_s = train_cpu_s = total = 0.0
        readings: list[Readings] = []
        pieces = timing.divided(order, scoring.every * scoring.batch_size)
        for position, piece in enumerate(pieces, start=1):
            with metered("epoch", at) as of_piece:
                loss, seconds, cpu_seconds = timing.train(implementation, piece, clock, cpu_clock)
            readings.append(of_piece)
            train_s, train_cpu_s, total = train_s + seconds, train_cpu_s + cpu_seconds, total + loss * len(piece)
            batches += -(-len(piece) // scoring.batch_size)
            logits, predict_s = timing.predict(implementation, clock)
            if position == len(pieces):
                _, again_s = timing.predict(implementation, clock)
                scores = timing.score(logits, scoring.labels, scoring.parts.test)
                yield Epoch(
                    number, train_s, train_cpu_s, predict_s, finite(total / len(order)), *scores, joined(readings),
                    again_s,
                )  # fmt: skip
            yield from evaluated(number, batches, loss, logits, scoring)
        if number == trained:
            yield timing.predicted(logits, scoring)


def evaluated(
    epoch: int, batches: int, loss: float | None, logits: "Float32", scoring: Scoring
) -> Iterator[Evaluation]:
    """What the images held out say, if there are any, after so many batches."""
    if scoring.parts.n_validation:
        held, held_accuracy = timing.score(logits, scoring.labels, scoring.parts.validation)
        _, own_accuracy = timing.score(logits, scoring.labels, scoring.parts.training)
        yield Evaluation(epoch, batches, None if loss is None else finite(loss), own_accuracy, held, held_accuracy)
