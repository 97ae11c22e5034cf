"""How long does the first epoch of a fresh process take, tracing and compilation included?"""

from collections.abc import Callable
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.session.steps import Live
from bench.store.records.training import Result

ROUNDS = 2


@pytest.mark.not_quick
def test_first_epoch(worker: Live, benchmark: BenchmarkFixture, rounds: int, record: Callable[[], Result]) -> None:
    """Every round has a process of its own, which has imported, built, loaded and predicted once."""

    def fresh() -> None:
        worker.begin()
        worker.ask("look")
        worker.ask("draw")

    benchmark.pedantic(partial(worker.ask, "train"), setup=fresh, rounds=rounds)
    worker.ask("look")
    record()
