"""How long does it take to predict the test set, in the network's own batches?"""

from collections.abc import Callable
from functools import partial

from pytest_benchmark.fixture import BenchmarkFixture

from bench.session.steps import Live
from bench.store.records.training import Result

ROUNDS = 5


def test_predict_test_set(worker: Live, benchmark: BenchmarkFixture, rounds: int, record: Callable[[], Result]) -> None:
    """With the start weights, which makes no difference to the work; the first prediction comes before."""
    worker.begin()
    worker.ask("predict")
    benchmark.pedantic(partial(worker.ask, "predict"), rounds=rounds)
    record()
