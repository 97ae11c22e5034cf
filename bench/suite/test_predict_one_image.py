"""How long does it take to predict a single image?"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from bench.store.records.training import TrainingResult
from bench.suite.steps import SteppedTraining
from bench.worker.requests import PredictTestSet

ROUNDS = 50


def test_predict_one_image(
    worker: SteppedTraining,
    benchmark: BenchmarkFixture,
    rounds: int,
    record: Callable[[], TrainingResult],
    one_image: Path,
) -> None:
    """The test set is one image; the first prediction comes before.

    Each program answers as its framework's guide says of one image; the documented ones as the tutorials do.
    """
    worker.data = one_image
    worker.begin()
    worker.ask(PredictTestSet())
    benchmark.pedantic(partial(worker.ask, PredictTestSet()), rounds=rounds)
    record()
