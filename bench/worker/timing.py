"""The timed loop. Only ``train_epoch`` and ``predict`` lie between two readings of the clock."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.data.holdout import Parts
from bench.store.records.cell import finite
from bench.store.records.training import Inference, Predicted
from impls.contract import Implementation
from impls.workload import Float32, Workload

Clock = Callable[[], int]
"""Nanoseconds, monotonic."""
EVERYTHING = slice(None)
FEWEST, MOST, ENOUGH_S = 10, 100, 0.25
"""How often a prediction is repeated: until so many seconds are full, but within these numbers."""


@dataclass(frozen=True)
class Scoring:
    """The labels of all predicted images, which of those are which, and after how many batches to look in between.

    ``every`` 0 looks after each epoch only, which is all that a program that shuffles by itself can be asked for.
    """

    labels: NDArray[np.uint8]
    parts: Parts
    batch_size: int
    every: int = 0


def predicted(logits: Float32, scoring: Scoring) -> Predicted:
    """The digit with the greatest logit of each test image; none of any where one of these logits is not finite."""
    test = logits[scoring.parts.test]
    return Predicted("".join(map(str, test.argmax(axis=1))) if np.isfinite(test.max(axis=1)).all() else "")


def batch_orders(workload: Workload, n: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """The training order of one epoch after another, int64 ``[n]``: permutations drawn from the seed, or as stored."""
    rng = np.random.default_rng([seed, 1])
    while True:
        yield rng.permutation(n) if workload.shuffle else np.arange(n)


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


def inference(
    implementation: Implementation, images: int, call: str = "", clock: Clock = time.perf_counter_ns
) -> Inference:
    """Predict the test set that was loaded last, of so many ``images``, again and again; the first call stands apart.

    ``call`` is kept beside the figures. The device is idle at each reading of the clock, and every call is kept. Raises
    ValueError for a program that goes on predicting another test set, before any of it is repeated.
    """
    logits, first_s = predict(implementation, clock)
    check_shape(logits, images)
    seconds = repeated(lambda: predict(implementation, clock)[1], FEWEST, MOST, ENOUGH_S)
    return Inference(images, first_s, seconds, call)


def repeated(once: Callable[[], float], fewest: int, most: int, enough_s: float) -> tuple[float, ...]:
    """The seconds that each call took, by its own word: until ``enough_s`` are full, but within the two numbers."""
    seconds: list[float] = []
    while len(seconds) < fewest or (len(seconds) < most and sum(seconds) < enough_s):
        seconds.append(once())
    return tuple(seconds)


def score(logits: Float32, labels: NDArray[np.uint8], part: slice = EVERYTHING) -> tuple[float | None, float]:
    """Mean cross-entropy and accuracy (0 to 1) of a part of logits ``[n, 10]``, in float64, the same for all.

    Raises ValueError where the logits have another shape. A loss that is not finite is None, and an image with
    a logit that is no number is not recognised.
    """
    check_shape(logits, len(labels))
    logits, labels = np.asarray(logits[part], dtype=np.float64), labels[part]
    greatest = logits.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # infinite logits give no loss, which is said by None
        shifted = logits - greatest
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        loss = log_sum - shifted[np.arange(len(labels)), labels]
    right = (logits.argmax(axis=1) == labels) & ~np.isnan(greatest[:, 0])
    return finite(float(loss.mean())), float(right.mean())


def check_shape(logits: Float32, images: int) -> None:
    """Raise ValueError where logits are not ``[images, 10]``."""
    if np.shape(logits) != (images, 10):
        raise ValueError(f"predict() returned an array of shape {np.shape(logits)}, expected {(images, 10)}")
