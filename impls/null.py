"""``null`` trains nothing: its figures are the cost of the harness itself, which every other cell contains too."""

import numpy as np

from impls.contract import Data, Weights
from impls.workload import Float32, Workload


class Implementation:
    """All members return at once and no device is touched. The loss is NaN, for none was computed; all logits are 0."""

    takes_order = False  # it ignores order and weights alike: there is no work to verify

    def __init__(self, workload: Workload, device: str, seed: int) -> None:
        """Accept every workload and device."""
        self.digits = workload.shapes[-1][0]

    def load(self, data: Data) -> None:
        """Make the logits that ``predict`` will return."""
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
