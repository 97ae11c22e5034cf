"""What the benchmarks share: a worker for each, which has passed the gate, and the record of what it did."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.conftest import ASKED, GATES, WAITS, option
from bench.data import mnist
from bench.errors import FcnBenchError, NotHere
from bench.report import benchmark_json
from bench.session import setup
from bench.session.digest import of_facts
from bench.session.plan import Plan
from bench.session.session import Session
from bench.session.steps import SteppedTraining
from bench.session.verification import verify
from bench.store import archive
from bench.store.records.cell import Cell
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification
from bench.worker.requests import DrawOrder, TrainEpoch
from impls import registry
from impls.workload import Workload

QUICK_SHARE = 10
"""One training image in so many is used where it has to be quick."""
PINGS = 500
"""How often the null implementation is asked."""


@dataclass(frozen=True)
class Bench:
    """The plan of which the benchmarks are a block, and the session that knows where and with what."""

    plan: Plan
    session: Session
    block: int


@pytest.fixture(scope="session")
def bench(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """What everything is measured with. What the gate said is kept in pytest's cache, if there is one."""
    asked, cache = pytestconfig.stash[ASKED], getattr(pytestconfig, "cache", None)
    folder = Path(cache.mkdir("fcnbench")) if cache else tmp_path_factory.mktemp("fcnbench")
    plan, session = setup.prepare(asked, folder, say=print)
    if pytestconfig.getoption("quick"):
        root = tmp_path_factory.mktemp("data")
        data = mnist.load(session.data)
        few = max(1, len(data.y_train) // QUICK_SHARE)
        mnist.write(root, data.x_train[:few], data.y_train[:few], data.x_test, data.y_test)
        plan, session = replace(plan, data=mnist.describe(root).digest), replace(session, data=root)
    with archive.opened(folder):
        yield Bench(plan, session, plan.blocks)


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
def gate(
    request: pytest.FixtureRequest, bench: Bench, workload: str, implementation: str, device: str
) -> Verification | None:
    """What the equivalence gate says of the implementation; where it fails, so does the benchmark."""
    known, key = request.config.stash[GATES], f"{workload} {implementation} {device}"
    entry, network = bench.session.entries[implementation], named(bench.plan.workloads, workload)
    if entry.gated and key not in known:
        plan = replace(bench.plan, entries=[entry], workloads=[network], devices=[device])
        verify(bench.session, plan, lambda answer, old: known.update({key: answer}))
    found = known.get(key)
    if found and found.status == "failed":
        raise FcnBenchError(f"{implementation} does not do the work of {workload}: {found.reason}")
    if found and found.status == "skipped":
        raise NotHere(f"{implementation} on {device}: {found.reason}")
    return found


@pytest.fixture
def worker(
    request: pytest.FixtureRequest,
    bench: Bench,
    round_trip: None,
    gate: Verification | None,
    workload: str,
    implementation: str,
    device: str,
    threads: int,
    rounds: int,
) -> Iterator[SteppedTraining]:
    """A worker of its own, not started yet, whose clock is the benchmark's: ``benchmark`` must come after it."""
    plan = replace(bench.plan, epochs=1 + rounds)
    entry, network = bench.session.entries[implementation], named(plan.workloads, workload)
    cell = plan.cell(entry, "measured", network, device, threads, bench.block)
    live = lively(request.config, bench.session, replace(cell, digest=of_facts(cell.digest, "suite")))
    group = benchmark_json.group(request.function.__name__, workload, device, threads)
    request.node.add_marker(pytest.mark.benchmark(group=group, timer=live.clock))
    yield live
    live.end()


@pytest.fixture
def record(
    worker: SteppedTraining, gate: Verification | None, benchmark: BenchmarkFixture
) -> Callable[[], TrainingResult]:
    """``record()`` ends the worker, tells what it did in ``extra_info``, and returns its record."""

    def record() -> TrainingResult:
        result = replace(worker.finish(), harness="pytest-benchmark")
        if result.status != "ok":
            raise FcnBenchError(f"{result.cell.implementation}: {result.reason}; its log is {worker.log}")
        benchmark.extra_info.update(benchmark_json.extra_info(result, gate))
        return result

    return record


@pytest.fixture
def null(request: pytest.FixtureRequest, bench: Bench) -> Iterator[SteppedTraining]:
    """A worker that does nothing when it is asked, ready to be asked."""
    live = nothing(request.config, bench)
    yield live
    live.end()


@pytest.fixture(scope="session")
def round_trip(pytestconfig: pytest.Config, bench: Bench) -> None:
    """What it takes to ask a worker and hear its answer, once for the whole session."""
    live = nothing(pytestconfig, bench)
    for _ in range(PINGS):
        live.ask(TrainEpoch())
    pytestconfig.stash[WAITS].extend(live.waits_s[-PINGS:])
    live.end()


def nothing(config: pytest.Config, bench: Bench) -> SteppedTraining:
    """The null implementation's worker, which has drawn its batches."""
    entry = next(entry for entry in registry.BUILT_IN if entry.name == "null")
    plan = replace(bench.plan, epochs=1)
    cell = plan.cell(entry, "measured", plan.workloads[0], "cpu", 1, bench.block)
    live = lively(config, replace(bench.session, entries={entry.name: entry}), cell)
    try:
        live.begin()
        live.ask(DrawOrder())
    except BaseException:
        live.end()
        raise
    return live


def lively(config: pytest.Config, session: Session, cell: Cell) -> SteppedTraining:
    """A worker for a cell, which keeps Python's collector off where pytest-benchmark was asked to."""
    return SteppedTraining(session, cell, session.data, config.getoption("benchmark_disable_gc"))


def named(workloads: Sequence[Workload], name: str) -> Workload:
    """The workload of that name."""
    return next(workload for workload in workloads if workload.name == name)
