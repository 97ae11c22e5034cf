"""``null`` trains nothing: what is measured of it is the harness itself, a share that every other cell carries too."""

import numpy as np

from impls.contract import Data, Weights
from impls.workload import Float32, Workload


class Implementation:
    """All members return at once and no device is touched. The loss is NaN, for none was computed; all logits are 0."""

    takes_order = False  # it ignores order and weights alike: there is no equal work to prove

    def __init__(self, workload: Workload, device: str, seed: int) -> None:
        """Accept whatever a cell asks for: its figure is the harness' share of such a cell."""
        self.digits = workload.shapes[-1][0]

    def load(self, data: Data) -> None:
        """Take the number of answers that will be asked for."""
        self.logits = np.zeros((len(data.x_test), self.digits), np.float32)

    def set_weights(self, weights: Weights) -> None:
        """Nothing is kept."""

    def get_weights(self) -> Weights:
        """No layers: there are no parameters."""
        return []

    def train_epoch(self, order: object) -> float:
        """NaN, at once."""
        return float("nan")

    def predict(self) -> Float32:
        """Zeros ``[n_test, 10]``, at once."""
        return self.logits

    def sync(self) -> None:
        """Nothing to wait for."""

    def device_memory(self) -> None:
        """None."""
