"""Images held out of training: what a program is given so that it is asked about them without knowing of them.

The contract has one set to predict. Here it is longer than the test set: the images held out stand behind it, and
behind those a sample of the ones that are trained on, so that training and validation are judged by the same measure.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.data import mnist
from bench.errors import FcnBenchError
from impls.contract import Data

TRAINING_SAMPLE = 2000


@dataclass(frozen=True)
class Parts:
    """Which of the predicted images are which: the test set, those held out, a sample of those that are trained on."""

    n_test: int
    n_validation: int = 0

    @property
    def test(self) -> slice:
        """The test set."""
        return slice(0, self.n_test)

    @property
    def validation(self) -> slice:
        """What was held out."""
        return slice(self.n_test, self.n_test + self.n_validation)

    @property
    def training(self) -> slice:
        """The sample of the training images."""
        return slice(self.n_test + self.n_validation, None)


def hold_out(data: Data, share: float, seed: int, folder: Path) -> tuple[Data, Parts]:
    """The data with a ``share`` of its training images, drawn by ``seed``, moved behind the test set, and the parts.

    Written under ``folder`` too, for programs that read their images themselves. What is left for training keeps its
    order. Raises FcnBenchError where nothing would be held out, or nothing be left.
    """
    n, n_test = len(data.y_train), len(data.y_test)
    held = round(share * n)
    if not 0 < held < n:
        raise FcnBenchError(f"validation {share:g} of {n} training images is {held}, expected 1 to {n - 1}; change it")
    drawn = np.random.default_rng([seed, 3]).permutation(n)
    validation, kept = np.sort(drawn[:held]), np.sort(drawn[held:])
    sample = np.sort(drawn[held:][:TRAINING_SAMPLE])
    behind = np.concatenate([validation, sample])
    x_test, y_test = (
        np.concatenate([test, train[behind]])
        for test, train in ((data.x_test, data.x_train), (data.y_test, data.y_train))
    )
    mnist.write(folder, data.x_train[kept], data.y_train[kept], x_test, y_test)
    return mnist.load(folder), Parts(n_test, held)
