"""What does it take to ask a worker and hear its answer, where there is nothing to do?"""

from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.suite.steps import SteppedTraining
from bench.worker.requests import TrainEpoch

ROUNDS = 500


@pytest.mark.benchmark(group="round trip")
def test_round_trip(null: SteppedTraining, benchmark: BenchmarkFixture, rounds: int) -> None:
    """Between pytest-benchmark's own readings of the clock, here, unlike all others."""
    benchmark.pedantic(partial(null.ask, TrainEpoch()), rounds=rounds)
