"""How long does the first epoch of a fresh process take, tracing and compilation included?"""

from collections.abc import Callable
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.store.records.training import TrainingResult
from bench.suite.steps import SteppedTraining
from bench.worker.requests import DrawOrder, ReportEpoch, TrainEpoch

ROUNDS = 2


@pytest.mark.not_quick
def test_first_epoch(
    worker: SteppedTraining, benchmark: BenchmarkFixture, rounds: int, record: Callable[[], TrainingResult]
) -> None:
    """Every round has a process of its own, which has imported, built, loaded and predicted once."""

    def fresh() -> None:
        worker.begin()
        worker.ask(ReportEpoch())
        worker.ask(DrawOrder())

    benchmark.pedantic(partial(worker.ask, TrainEpoch()), setup=fresh, rounds=rounds)
    worker.ask(ReportEpoch())
    record()
