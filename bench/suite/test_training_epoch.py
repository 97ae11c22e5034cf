"""How long does an epoch of training take, once the program is warm?"""

from collections.abc import Callable
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.conftest import CELLS
from bench.store.records.training import TrainingResult
from bench.suite.steps import SteppedTraining
from bench.worker.requests import DrawOrder, ReportEpoch, TrainEpoch

ROUNDS = 3


def test_training_epoch(
    worker: SteppedTraining,
    benchmark: BenchmarkFixture,
    rounds: int,
    record: Callable[[], TrainingResult],
    pytestconfig: pytest.Config,
) -> None:
    """The first epoch, which traces and compiles, comes before; each is followed by a look at the test set."""
    worker.begin()
    for step in (ReportEpoch(), DrawOrder(), TrainEpoch(), ReportEpoch()):
        worker.ask(step)
    benchmark.pedantic(
        partial(worker.ask, TrainEpoch()),
        setup=partial(worker.ask, DrawOrder()),
        teardown=partial(worker.ask, ReportEpoch()),
        rounds=rounds,
    )
    result = record()
    if benchmark.enabled:
        pytestconfig.stash[CELLS].append(result)
