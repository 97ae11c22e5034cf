"""Programs that do other work where an epoch is long: each trains as its base class does where there are few images.

Every mistake is a class made from another, the oracle or a framework's own program, so that it can be planted in either.
What they return as the mean loss is that of the images they trained on, which is all that such a program can know.
"""

from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from typing import Any

import numpy as np

MORE_THAN = 20_000
"""Images from which on an epoch is cut short: more than the equivalence gate trains on in its small samples."""


def batches(order: np.ndarray, size: int) -> list[np.ndarray]:
    """The batches of an order."""
    return [order[start : start + size] for start in range(0, len(order), size)]


class Counting:
    """Counts the long epochs; the first of them is number 1."""

    more_than = MORE_THAN
    number = 0

    def train_epoch(self, order):
        if len(order) <= self.more_than:
            return super().train_epoch(order)
        self.number += 1
        return self.long_epoch(order)

    def honest(self, order):
        """An epoch of the base class."""
        return super().train_epoch(order)


class HalfAnEpoch(Counting):
    def long_epoch(self, order):
        return self.honest(order[: len(order) // 2])


class HalfFromTheSixthOn(Counting):
    def long_epoch(self, order):
        return self.honest(order if self.number < 6 else order[: len(order) // 2])


class BatchesSkipped(Counting):
    """One batch in twenty."""

    def long_epoch(self, order):
        parts = batches(order, self.workload.batch_size)
        return self.honest(np.concatenate([part for number, part in enumerate(parts) if number % 20 != 10]))


class BatchesRepeated(Counting):
    """Every tenth batch is the one before it once more."""

    def long_epoch(self, order):
        parts = batches(order, self.workload.batch_size)
        taken = [parts[number - 1] if number % 10 == 9 else part for number, part in enumerate(parts)]
        return self.honest(np.concatenate(taken))


class TrainsInPredict(Counting):
    """A third of the epoch waits until the predictions are asked for, outside the training's time."""

    waiting = None

    def long_epoch(self, order):
        cut = len(order) * 2 // 3 // self.workload.batch_size * self.workload.batch_size
        self.waiting = order[cut:]
        return self.honest(order[:cut])

    def finished(self):
        """Train on what waits."""
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            self.honest(waiting)

    def predict(self):
        self.finished()
        return super().predict()

    def get_weights(self):
        self.finished()
        return super().get_weights()


class LeftRunning(TrainsInPredict):
    """A thread trains on the last third when ``sync`` has returned; whoever asks for an answer waits for it."""

    running = None

    def long_epoch(self, order):
        loss = super().long_epoch(order)
        self.running = Thread(target=super().finished)
        self.running.start()
        return loss

    def finished(self):
        if self.running is not None:
            self.running.join()


class EarlierAnswer(Counting):
    """The predictions are those of the epoch before."""

    answer = None

    def long_epoch(self, order):
        self.answer = super().predict()
        return self.honest(order)

    def predict(self):
        return super().predict() if self.answer is None else self.answer


class LayerFrozen(Counting):
    """From the middle of the first epoch on the first layer stays what it is."""

    def long_epoch(self, order):
        parts, total = batches(order, self.workload.batch_size), 0.0
        free = len(parts) // 2 if self.number == 1 else 0
        for number, part in enumerate(parts):
            before = self.get_weights()[0]
            total += self.honest(part) * len(part)
            if number >= free:
                self.set_weights([before, *self.get_weights()[1:]])
        return total / len(order)


class OtherBatches(Counting):
    """Batches of twice the size from the second epoch on."""

    def long_epoch(self, order):
        if self.number == 2:
            self.workload = replace(self.workload, batch_size=2 * self.workload.batch_size)
        return self.honest(order)


class LowerPrecision(Counting):
    """From the second epoch on the weights keep 8 bits of their fraction, as bfloat16 does, after each hundred batches."""

    def long_epoch(self, order):
        if self.number < 2:
            return self.honest(order)
        total = 0.0
        for part in batches(order, 100 * self.workload.batch_size):
            total += self.honest(part) * len(part)
            self.set_weights([tuple(map(eight_bits, layer)) for layer in self.get_weights()])
        return total / len(order)


class StateReset(Counting):
    """The optimiser begins anew in every epoch."""

    def long_epoch(self, order):
        self.state = None
        return self.honest(order)


def eight_bits(array: np.ndarray) -> np.ndarray:
    """Rounded to 8 bits of the fraction."""
    fraction, exponent = np.frexp(array)
    return np.ldexp(np.round(fraction * 256) / 256, exponent).astype(array.dtype)


MISTAKES: dict[str, type[Counting]] = {
    "half an epoch": HalfAnEpoch,
    "half an epoch from the sixth on": HalfFromTheSixthOn,
    "one batch in twenty skipped": BatchesSkipped,
    "every tenth batch repeated": BatchesRepeated,
    "a third trained in predict": TrainsInPredict,
    "a third left running at sync": LeftRunning,
    "answer of the epoch before": EarlierAnswer,
    "first layer frozen": LayerFrozen,
    "other batches from the second epoch on": OtherBatches,
    "8 bits from the second epoch on": LowerPrecision,
    "state reset in every epoch": StateReset,
}


def planted(name: str, base: Callable[..., Any], more_than: int = MORE_THAN) -> type:
    """A program with that mistake, otherwise the same as the class ``base``."""
    return type("Implementation", (MISTAKES[name], base), {"more_than": more_than})
