"""The timed loop. Only ``train_epoch`` and ``predict`` lie between two readings of the clock."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.holdout import Parts
from bench.records import Epoch, Evaluation, Inference, Predicted, finite
from impls.contract import Float32, Implementation

Clock = Callable[[], int]
"""Nanoseconds, monotonic."""
EVERYTHING = slice(None)
FEWEST, MOST, ENOUGH_S = 10, 100, 1.0
"""How often a prediction is repeated: until so many seconds are full, but within these numbers."""


@dataclass(frozen=True)
class Asked:
    """The labels of all predicted images, which of those are which, and after how many batches to look in between.

    ``every`` 0 looks after each epoch only, which is all that a program that shuffles by itself can be asked for.
    """

    labels: NDArray[np.uint8]
    parts: Parts
    batch_size: int
    every: int = 0


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
    logits, predict_s = predict(implementation, clock)
    yield Epoch(0, None, None, predict_s, None, *score(logits, asked.labels, asked.parts.test))
    yield from evaluated(0, 0, None, logits, asked)
    batches = 0
    for number, order in enumerate(orders, start=1):
        train_s = train_cpu_s = total = 0.0
        drawn_j: float | None = 0.0
        pieces = divided(order, asked.every * asked.batch_size)
        for position, piece in enumerate(pieces, start=1):
            before_j = energy_j()
            loss, seconds, cpu_seconds = train(implementation, piece, clock, cpu_clock)
            drawn_j = added(drawn_j, before_j, energy_j())
            train_s, train_cpu_s, total = train_s + seconds, train_cpu_s + cpu_seconds, total + loss * len(piece)
            batches += -(-len(piece) // asked.batch_size)
            logits, predict_s = predict(implementation, clock)
            if position == len(pieces):
                scores = score(logits, asked.labels, asked.parts.test)
                yield Epoch(number, train_s, train_cpu_s, predict_s, finite(total / len(order)), *scores, drawn_j)
            yield from evaluated(number, batches, loss, logits, asked)
    yield predicted(logits, asked)


def predicted(logits: Float32, asked: Asked) -> Predicted:
    """The digit with the greatest logit of each test image."""
    return Predicted("".join(map(str, logits[asked.parts.test].argmax(axis=1))))


def added(total: float | None, before: float | None, after: float | None) -> float | None:
    """The total and what a counter has grown by; None where any of it is not known."""
    return None if total is None or before is None or after is None else total + after - before


def divided(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """The order in parts of ``size`` images, the last one smaller; whole where ``size`` is 0."""
    return [order[start : start + size] for start in range(0, len(order), size)] if size else [order]


def train(
    implementation: Implementation, order: NDArray[np.int64], clock: Clock, cpu_clock: Clock
) -> tuple[float, float, float]:
    """One call of ``train_epoch``: the mean loss that it returns, the seconds that it took, and its CPU seconds."""
    implementation.sync()
    cpu_start = cpu_clock()
    start = clock()
    loss = implementation.train_epoch(order)
    implementation.sync()
    seconds = (clock() - start) / 1e9
    return float(loss), seconds, (cpu_clock() - cpu_start) / 1e9


def predict(implementation: Implementation, clock: Clock) -> tuple[Float32, float]:
    """The logits of all predicted images and the seconds that they took."""
    implementation.sync()
    start = clock()
    logits = implementation.predict()
    implementation.sync()
    return logits, (clock() - start) / 1e9


def inference(implementation: Implementation, images: int, clock: Clock = time.perf_counter_ns) -> Inference:
    """Predict the test set that was loaded last, of so many ``images``, again and again; the first call stands apart.

    The device is idle at each reading of the clock, and every call is kept. Raises ValueError for a program that goes
    on predicting another test set, before any of it is repeated.
    """
    logits, first_s = predict(implementation, clock)
    check_shape(logits, images)
    return Inference(images, first_s, repeated(lambda: predict(implementation, clock)[1], FEWEST, MOST, ENOUGH_S))


def repeated(once: Callable[[], float], fewest: int, most: int, enough_s: float) -> tuple[float, ...]:
    """The seconds that each call took, by its own word: until ``enough_s`` are full, but within the two numbers."""
    seconds: list[float] = []
    while len(seconds) < fewest or (len(seconds) < most and sum(seconds) < enough_s):
        seconds.append(once())
    return tuple(seconds)


def evaluated(epoch: int, batches: int, loss: float | None, logits: Float32, asked: Asked) -> Iterator[Evaluation]:
    """What the images held out say, if there are any, after so many batches."""
    if asked.parts.n_validation:
        held, held_accuracy = score(logits, asked.labels, asked.parts.validation)
        _, own_accuracy = score(logits, asked.labels, asked.parts.training)
        yield Evaluation(epoch, batches, None if loss is None else finite(loss), own_accuracy, held, held_accuracy)


def score(logits: Float32, labels: NDArray[np.uint8], part: slice = EVERYTHING) -> tuple[float | None, float]:
    """Mean cross-entropy and accuracy (0 to 1) of a part of logits ``[n, 10]``, in float64, the same for all.

    Raises ValueError where the logits have another shape. A loss that is not finite is None.
    """
    check_shape(logits, len(labels))
    logits, labels = np.asarray(logits[part], dtype=np.float64), labels[part]
    with np.errstate(invalid="ignore"):  # infinite logits give no loss, which is said by None
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        loss = log_sum - shifted[np.arange(len(labels)), labels]
    return finite(float(loss.mean())), float((logits.argmax(axis=1) == labels).mean())


def check_shape(logits: Float32, images: int) -> None:
    """Raise ValueError where logits are not ``[images, 10]``."""
    if np.shape(logits) != (images, 10):
        raise ValueError(f"predict() returned an array of shape {np.shape(logits)}, expected {(images, 10)}")
