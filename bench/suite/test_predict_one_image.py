"""How long does it take to predict a single image?"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from bench.session.steps import Live
from bench.store.records.training import Result

ROUNDS = 50


def test_predict_one_image(
    worker: Live, benchmark: BenchmarkFixture, rounds: int, record: Callable[[], Result], one_image: Path
) -> None:
    """The test set is one image; the first prediction comes before."""
    worker.data = one_image
    worker.begin()
    worker.ask("predict")
    benchmark.pedantic(partial(worker.ask, "predict"), rounds=rounds)
    record()
