"""The timed loop. Only ``train_epoch`` and ``predict`` lie between two readings of the clock."""

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from bench.records import Epoch, finite
from impls.contract import Float32, Implementation

Clock = Callable[[], int]
"""Nanoseconds, monotonic."""


def epochs(
    implementation: Implementation,
    orders: Iterable[NDArray[np.int64]],
    labels: NDArray[np.uint8],
    clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.process_time_ns,
) -> Iterator[Epoch]:
    """Predict once before training (epoch 0), then train and predict once for each order.

    The device is idle whenever the clock is read: ``sync`` is called before the first and before the second reading.
    The mean loss that ``train_epoch`` returns and the figures made from the logits are computed outside.
    """
    logits, predict_s = predict(implementation, clock)
    yield Epoch(0, None, None, predict_s, None, *score(logits, labels))
    for number, order in enumerate(orders, start=1):
        implementation.sync()
        cpu_start = cpu_clock()
        start = clock()
        train_loss = implementation.train_epoch(order)
        implementation.sync()
        train_s = (clock() - start) / 1e9
        train_cpu_s = (cpu_clock() - cpu_start) / 1e9
        logits, predict_s = predict(implementation, clock)
        yield Epoch(number, train_s, train_cpu_s, predict_s, finite(float(train_loss)), *score(logits, labels))


def predict(implementation: Implementation, clock: Clock) -> tuple[Float32, float]:
    """The test set's logits and the seconds that they took."""
    implementation.sync()
    start = clock()
    logits = implementation.predict()
    implementation.sync()
    return logits, (clock() - start) / 1e9


def score(logits: Float32, labels: NDArray[np.uint8]) -> tuple[float | None, float]:
    """Mean cross-entropy and accuracy (0 to 1) of logits ``[n, 10]``, in float64 and the same for all frameworks.

    Raises ValueError where the logits have another shape. A loss that is not finite is None.
    """
    expected = (len(labels), 10)
    if np.shape(logits) != expected:
        raise ValueError(f"predict() returned an array of shape {np.shape(logits)}, expected {expected}")
    logits = np.asarray(logits, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # infinite logits give no loss, which is said by None
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        loss = log_sum - shifted[np.arange(len(labels)), labels]
    return finite(float(loss.mean())), float((logits.argmax(axis=1) == labels).mean())
