"""What the benchmarks share: a worker for each, whose program was verified, and the record of what it did."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.conftest import ASKED, VERIFIED, WAITS, option
from bench.data import mnist
from bench.errors import FcnBenchError, NotHere
from bench.report import benchmark_json
from bench.session import setup
from bench.store import archive
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification
from bench.suite import programs
from bench.suite.programs import Bench
from bench.suite.steps import SteppedTraining

QUICK_SHARE = 10
"""One training image in so many is used where it has to be quick."""


@pytest.fixture(scope="session")
def bench(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """What everything is measured with. What verification said is kept in pytest's cache, if there is one."""
    cache = getattr(pytestconfig, "cache", None)
    folder = Path(cache.mkdir("fcnbench")) if cache else tmp_path_factory.mktemp("fcnbench")
    plan, session = setup.prepare(pytestconfig.stash[ASKED], folder, say=print)
    if pytestconfig.getoption("quick"):
        root = tmp_path_factory.mktemp("data")
        data = mnist.load(session.data)
        few = max(1, len(data.y_train) // QUICK_SHARE)
        mnist.write(root, data.x_train[:few], data.y_train[:few], data.x_test, data.y_test)
        plan, session = replace(plan, data=mnist.describe(root).digest), replace(session, data=root)
    with archive.opened(folder):
        yield Bench(plan, session)


@pytest.fixture(scope="session")
def disable_gc(pytestconfig: pytest.Config) -> bool:
    """Whether pytest-benchmark was asked to turn Python's collector off."""
    return bool(pytestconfig.getoption("benchmark_disable_gc"))


@pytest.fixture(scope="session")
def one_image(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data whose test set is one image."""
    root = tmp_path_factory.mktemp("one-image")
    return mnist.write_few(root, mnist.load(bench.session.data), 1).root


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many rounds: what was asked for, else one where it has to be quick, else what the file finds right."""
    asked = option(request.config, "rounds")
    return asked or (1 if request.config.getoption("quick") else request.module.ROUNDS)


@pytest.fixture
def verification(
    pytestconfig: pytest.Config, bench: Bench, workload: str, implementation: str, device: str
) -> Verification | None:
    """Whether the implementation does the same work; where it does not, the benchmark fails."""
    known, key = pytestconfig.stash[VERIFIED], (workload, implementation, device)
    if key not in known:
        known[key] = programs.verified(bench, *key)
    answer = known[key]
    if answer and answer.status == "failed":
        raise FcnBenchError(f"{implementation} does not do the work of {workload}: {answer.reason}")
    if answer and answer.status == "skipped":
        raise NotHere(f"{implementation} on {device}: {answer.reason}")
    return answer


@pytest.fixture
def worker(
    request: pytest.FixtureRequest,
    bench: Bench,
    round_trip: None,
    verification: Verification | None,
    workload: str,
    implementation: str,
    device: str,
    threads: int,
    rounds: int,
    disable_gc: bool,
) -> Iterator[SteppedTraining]:
    """A worker of its own, not started yet, whose clock is the benchmark's: ``benchmark`` must come after it."""
    started = programs.training(bench, workload, implementation, device, threads, 1 + rounds, disable_gc)
    group = benchmark_json.group(request.function.__name__, workload, device, threads)
    request.node.add_marker(pytest.mark.benchmark(group=group, timer=started.clock))
    yield started
    started.end()


@pytest.fixture
def record(
    worker: SteppedTraining, verification: Verification | None, benchmark: BenchmarkFixture
) -> Callable[[], TrainingResult]:
    """``record()`` ends the worker, tells what it did in ``extra_info``, and returns its record."""

    def record() -> TrainingResult:
        result = replace(worker.finish(), harness="pytest-benchmark")
        if result.status != "ok":
            raise FcnBenchError(f"{result.cell.implementation}: {result.reason}; its log is {worker.log}")
        benchmark.extra_info.update(benchmark_json.extra_info(result, verification))
        return result

    return record


@pytest.fixture
def null(bench: Bench, disable_gc: bool) -> Iterator[SteppedTraining]:
    """A worker that does nothing when it is asked, ready to be asked."""
    worker = programs.null(bench, disable_gc)
    yield worker
    worker.end()


@pytest.fixture(scope="session")
def round_trip(pytestconfig: pytest.Config, bench: Bench, disable_gc: bool) -> None:
    """What it takes to ask a worker and hear its answer, once for the whole session."""
    pytestconfig.stash[WAITS].extend(programs.waits_s(bench, disable_gc))
