"""How long does it take to import an implementation, and with it its framework?"""

from collections.abc import Callable
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.session.steps import Live
from bench.store.records.training import Result

ROUNDS = 2


@pytest.mark.first_workload
def test_import_framework(worker: Live, benchmark: BenchmarkFixture, rounds: int, record: Callable[[], Result]) -> None:
    """Every round has a process of its own, in which Python and NumPy have been started."""
    benchmark.pedantic(partial(worker.ask, "import_"), setup=worker.start, rounds=rounds)
    worker.ask("prepare")
    record()
