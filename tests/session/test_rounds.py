"""A block in rounds: one process runs, the others are stopped; whoever fails is out, and the rounds go on."""

import json
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from synthetic import MACHINE

from bench.session.blocks import rounds
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store.records.training import TrainingResult
from impls import registry
from impls.workload import Workload

pytestmark = pytest.mark.process
WATCHING = """
    import json
    import os
    import time
    from pathlib import Path

    import psutil

    class Implementation(Regression):
        def __init__(self, workload, device, seed):
            super().__init__(workload, device, seed)
            self.seen = Path(__file__).parent / "seen"
            self.seen.mkdir(exist_ok=True)
            (self.seen / f"{os.getpid()}.pid").touch()

        def train_epoch(self, order):
            others = [path.stem for path in self.seen.glob("*.pid") if path.stem != str(os.getpid())]
            start = time.time()
            loss = super().train_epoch(order)
            status = [psutil.Process(int(pid)).status() for pid in others if psutil.pid_exists(int(pid))]
            with (self.seen / "epochs").open("a") as file:
                file.write(json.dumps([os.getpid(), start, time.time(), status]) + "\\n")
            return loss
"""
RAISING = """
    class Implementation(Regression):
        epochs = 0

        def train_epoch(self, order):
            self.epochs += 1
            if self.epochs == 2:
                raise RuntimeError("no more")
            return super().train_epoch(order)
"""
DYING = """
    import os

    class Implementation(Regression):
        epochs = 0

        def train_epoch(self, order):
            self.epochs += 1
            if self.epochs == 2:
                os._exit(7)
            return super().train_epoch(order)
"""
HANGING = """
    import time

    class Implementation(Regression):
        epochs = 0

        def train_epoch(self, order):
            self.epochs += 1
            if self.epochs == 2:
                time.sleep(600)
            return super().train_epoch(order)
"""
Measure = Callable[..., list[TrainingResult]]


@pytest.fixture
def measure(tmp_path: Path, tiny: Workload, tiny_data: Path) -> Measure:
    """``measure([paths], epochs=3, more=2)``: the results of one block of plugins, the first of them as control too."""

    def measure(plugins: list[Path], epochs: int = 3, more: int = 0, timeout_s: float = 60.0) -> list[TrainingResult]:
        entries = [registry.from_file(path) for path in plugins]
        plan = Plan([tiny], entries, ["cpu"], [1], blocks=1, epochs=epochs, seed=1, data="d")
        for folder in ("cells", "logs", "models"):
            (tmp_path / folder).mkdir(exist_ok=True)
        session = Session(tmp_path, {entry.name: entry for entry in entries}, tiny_data, MACHINE, timeout_s)
        return list(
            rounds.measured(session, plan.cells(), random.Random(1), lambda costs, spread: dict.fromkeys(costs, more))
        )

    return measure


def test_one_trains_and_the_others_are_stopped(measure: Measure, plugin: Callable[..., Path], tmp_path: Path) -> None:
    """Round by round, in changing order; nobody is left afterwards."""
    results = measure([plugin("one", WATCHING), plugin("two", WATCHING)], epochs=4)
    lines = [json.loads(line) for line in (tmp_path / "seen" / "epochs").read_text().splitlines()]
    pids = [pid for pid, *_ in lines]
    assert len(set(pids)) == 3 and len(pids) == 12
    assert all(later[1] >= earlier[2] for earlier, later in pairwise(lines))
    assert {status for *_, others in lines for status in others} == {psutil.STATUS_STOPPED}
    assert [len(set(pids[start : start + 3])) for start in range(3, 12, 3)] == [3, 3, 3]
    assert {result.alongside for result in results} == {2}
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_what_a_process_took_are_its_turns(measure: Measure, plugin: Callable[..., Path]) -> None:
    """Waiting is not counted, neither as time nor as what others took of its CPU."""
    results = measure([plugin("one"), plugin("two"), plugin("three")], epochs=2)
    for result in results:
        assert result.status == "ok" and result.phases.process_s is not None
        trained_s = sum(epoch.train_s or 0 for epoch in result.epochs)
        assert trained_s < result.phases.process_s
        assert result.readings["parent_cpu_s"] is not None and result.readings["cpus"] == psutil.cpu_count()


def test_a_network_is_what_it_was_after_its_own_epochs(measure: Measure, plugin: Callable[..., Path]) -> None:
    """More rounds are timed, no more: predictions and the accuracy are those of before."""
    few, many = (measure([plugin("one")], epochs=2, more=more) for more in (0, 3))
    assert [len(result.epochs) for result in few + many] == [3, 3, 6, 6]
    assert few[0].predicted == many[0].predicted and few[0].trained and many[0].trained
    assert few[0].trained.accuracy == many[0].trained.accuracy
    assert many[0].trained.epoch == 2


@pytest.mark.parametrize(
    ("body", "reason"), [(RAISING, "RuntimeError: no more"), (DYING, "exit status 7"), (HANGING, "no answer within")]
)
def test_a_program_that_fails_is_out_and_the_rounds_go_on(
    measure: Measure, plugin: Callable[..., Path], body: str, reason: str
) -> None:
    """Its record says why and has the epochs before."""
    results = {r.cell.implementation: r for r in measure([plugin("good"), plugin("bad", body)], timeout_s=10.0)}
    assert (results["good"].status, len(results["good"].epochs)) == ("ok", 4)
    assert results["bad"].status == "failed" and reason in results["bad"].reason
    assert len(results["bad"].epochs) == 2


def test_without_room_one_follows_the_other(
    measure: Measure, plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory does not hold another process, or the system cannot stop one."""
    monkeypatch.setattr(rounds, "has_room", lambda programs: not programs)
    results = measure([plugin("one"), plugin("two")])
    assert [result.alongside for result in results] == [0, 0, 0]
    assert {result.status for result in results} == {"ok"}
