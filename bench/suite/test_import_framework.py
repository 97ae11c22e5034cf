"""How long does it take to import an implementation, and with it its framework?"""

from collections.abc import Callable
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.store.records.training import TrainingResult
from bench.suite.steps import SteppedTraining
from bench.worker.requests import ImportProgram, Prepare

ROUNDS = 2


@pytest.mark.first_workload
def test_import_framework(
    worker: SteppedTraining, benchmark: BenchmarkFixture, rounds: int, record: Callable[[], TrainingResult]
) -> None:
    """Every round has a process of its own, in which Python and NumPy have been started."""
    benchmark.pedantic(partial(worker.ask, ImportProgram()), setup=worker.start, rounds=rounds)
    worker.ask(Prepare())
    record()
