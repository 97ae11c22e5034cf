"""The sweep in the worker: what a point is trained on, how often, and what becomes of one that cannot be."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data import mnist
from bench.store.records.sweep import SweepPoint
from bench.worker import process
from bench.worker.answer import Answer
from bench.worker.jobs import sweep
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Sweep, Task
from impls import registry
from impls.contract import Data
from impls.workload import SGD, Dense, Workload

DEEP = Workload("deep", 0, (Dense(8, "relu"), Dense(10)), 0.0, 1.0, 20, 50, 2, SGD(0.05))
POINT = SweepPoint(20, 8, DEEP.parameters, DEEP.flops, images=200, steps=10)


class Script:
    """Says what it was asked for; only its calls move the clock: the first by 9 s, each other by ``call_s``."""

    def __init__(self, call_s: float) -> None:
        self.call_s, self.now, self.called = call_s, 0.0, list[str]()
        self.orders: list[Any] = []

    def make(self, workload: Workload, device: str, seed: int) -> "Script":
        self.called.append(f"built {workload.name} on {device}")
        return self

    def load(self, data: Data) -> None:
        self.called.append(f"loaded {len(data.y_train)}")

    def set_weights(self, weights: Any) -> None:
        self.called.append(f"weights {[kernel.shape for kernel, _ in weights]}")

    def train_epoch(self, order: Any) -> float:
        self.now += self.call_s if self.orders else 9.0
        self.orders.append(order)
        return 1.0

    def sync(self) -> None:
        self.now += 0.0

    def clock(self) -> int:
        return round(self.now * 1e9)


def measured(call_s: float, data: Path, point: SweepPoint = POINT) -> tuple[Script, SweepPoint]:
    script = Script(call_s)
    found = sweep.measured(script.make, DEEP, point, mnist.load(data), "cpu", 3, script.clock)  # type: ignore[arg-type]
    return script, found


@pytest.mark.parametrize(("call_s", "calls"), [(1.0, 5), (0.0625, 8), (0.001, 20)])
def test_calls_are_repeated_until_time_and_number_are_enough(call_s: float, calls: int, tiny_data: Path) -> None:
    """At least five, half a second, at most twenty; the first stands apart and all others are kept."""
    _, found = measured(call_s, tiny_data)
    assert found.first_s == 9.0
    assert found.seconds == pytest.approx([call_s] * calls)
    assert replace(found, first_s=None, seconds=()) == POINT


def test_a_point_is_built_loaded_and_given_start_weights_before_it_trains(tiny_data: Path) -> None:
    """A new object for its own network."""
    script, _ = measured(1.0, tiny_data)
    assert script.called == ["built deep on cpu", "loaded 200", "weights [(784, 8), (8, 10)]"]


def test_every_call_has_the_beginning_of_the_epochs_permutation() -> None:
    """Drawn by the seed; where more images are asked for than there are, they come again, so that batches are full."""
    whole = sweep.order(DEEP, 10, 10, seed=3)
    assert sorted(whole) == list(range(10)) and list(whole) != list(range(10))
    assert list(sweep.order(DEEP, 10, 4, seed=3)) == list(whole[:4])
    assert list(sweep.order(DEEP, 10, 12, seed=3)) == [*whole, *whole[:2]]
    assert list(sweep.order(replace(DEEP, shuffle=False), 10, 4, seed=3)) == [0, 1, 2, 3]


def test_points_are_measured_in_an_order_of_the_seed() -> None:
    """All of them, whatever the order."""
    first, again, other = (sweep.drawn(DEEP, 200, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(map(str, first)) == sorted(map(str, other))


NARROW = """
    class Implementation:
        {declared}

        def __init__(self, workload, device, seed):
            if {refused}:
                raise Unavailable("too wide for it")
            if workload.batch_size == 256:
                raise ValueError("no such batch")
            self.orders = []

        def load(self, data):
            pass

        def set_weights(self, weights):
            pass

        def get_weights(self):
            return []

        def train_epoch(self, order):
            return 1.0

        def predict(self):
            return None

        def sync(self):
            pass

        def device_memory(self):
            return None
"""


@pytest.fixture
def swept(tmp_path: Path, tiny_data: Path, plugin: Callable[..., Path]) -> Callable[..., Answer]:
    """``swept(refused, declared)``: the answer of a worker whose implementation has no network where ``refused``."""

    def swept(refused: str, declared: str = "") -> Answer:
        entry = registry.from_file(plugin("matched_narrow", NARROW.format(refused=refused, declared=declared)))
        request = Sweep(entry_point(entry), Task(DEEP, "cpu", 1, str(tiny_data)))
        return process.ask(entry, request, Placement.of("cpu", 1), tmp_path / "log", 120.0)

    return swept


@pytest.mark.process
def test_a_point_that_cannot_be_trained_ends_alone(swept: Callable[..., Answer]) -> None:
    """Whatever it raises: its reason is kept, the others have their times, and the cell is good."""
    answer = swept("workload.layers[0].units > 1000")
    points = answer.all(SweepPoint)
    assert answer.outcome == ("ok", "")
    lost = {(point.batch_size, point.width): point.reason for point in points if not point.seconds}
    assert lost == {(20, 2048): "too wide for it", (256, 8): "ValueError: no such batch"}
    good = [point for point in points if point.seconds]
    assert len(good) == len(points) - 2 and not any(point.reason for point in good)
    kinds = {type(message).__name__ for message in answer.messages}
    assert kinds == {"Hello", "Phase", "MeterReadings", "SweepPoint", "Versions", "Ended"}


@pytest.mark.process
@pytest.mark.parametrize(
    ("refused", "declared", "reason"),
    [("True", "", "no point of it: too wide for it"), ("False", "takes_order = False", "it takes no order")],
)
def test_without_a_single_point_the_cell_is_skipped(
    swept: Callable[..., Answer], refused: str, declared: str, reason: str
) -> None:
    """Nothing can be trained here, or only in an order of its own."""
    status, why = swept(refused, declared).outcome
    assert status == "skipped" and why.startswith(reason)


def test_orders_are_whole_numbers() -> None:
    """As the contract says."""
    assert sweep.order(DEEP, 10, 12, 1).dtype == np.int64
