"""How long does an epoch of training take, once the program is warm?"""

from collections.abc import Callable
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.conftest import CELLS
from bench.session.steps import Live
from bench.store.records.training import Result

ROUNDS = 3


def test_training_epoch(
    worker: Live,
    benchmark: BenchmarkFixture,
    rounds: int,
    record: Callable[[], Result],
    pytestconfig: pytest.Config,
) -> None:
    """The first epoch, which traces and compiles, comes before; each is followed by a look at the test set."""
    worker.begin()
    for step in ("look", "draw", "train", "look"):
        worker.ask(step)
    benchmark.pedantic(
        partial(worker.ask, "train"),
        setup=partial(worker.ask, "draw"),
        teardown=partial(worker.ask, "look"),
        rounds=rounds,
    )
    result = record()
    if benchmark.enabled:
        pytestconfig.stash[CELLS].append(result)
