"""How long does it take to predict the test set, in the network's own batches?"""

from collections.abc import Callable
from functools import partial

from pytest_benchmark.fixture import BenchmarkFixture

from bench.store.records.training import TrainingResult
from bench.suite.steps import SteppedTraining
from bench.worker.requests import PredictTestSet

ROUNDS = 5


def test_predict_test_set(
    worker: SteppedTraining, benchmark: BenchmarkFixture, rounds: int, record: Callable[[], TrainingResult]
) -> None:
    """With the start weights, which makes no difference to the work; the first prediction comes before."""
    worker.begin()
    worker.ask(PredictTestSet())
    benchmark.pedantic(partial(worker.ask, PredictTestSet()), rounds=rounds)
    record()
