"""A process that stays: its clock, its record, its end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.errors import FcnBenchError, NotHere
from bench.machine import description
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import archive
from bench.suite.steps import SteppedTraining
from bench.worker.requests import DrawOrder, ReportEpoch, TrainEpoch
from impls import registry
from impls.workload import Workload

pytestmark = pytest.mark.process

Start = Callable[..., SteppedTraining]


@pytest.fixture
def live(tmp_path: Path, tiny: Workload, tiny_data: Path, plugin: Callable[..., Path]) -> Iterator[Start]:
    """``live(body)``: a cell of a plugin with that body, not started."""
    made = []

    def live(*body: str, timeout_s: float = 60.0) -> SteppedTraining:
        entry = registry.from_file(plugin("plain", *body))
        plan = Plan([tiny], [entry], ["cpu"], [1], 1, 2, 1, "data")
        session = Session(tmp_path / "out", {entry.name: entry}, tiny_data, description.machine(), timeout_s)
        made.append(SteppedTraining(session, plan.cells()[0], tiny_data))
        return made[-1]

    with archive.opened(tmp_path / "out"):
        yield live
        for one in made:
            one.end()


def test_the_clock_is_the_workers(live: Start) -> None:
    """It advances by what measured steps took, in all processes of the cell together, and by nothing else."""
    cell = live()
    cell.begin()
    before = cell.clock()
    cell.ask(DrawOrder())
    assert cell.clock() == before
    seconds = cell.ask(TrainEpoch())
    assert seconds is not None and cell.clock() - before == pytest.approx(seconds, abs=2e-9)
    cell.begin()
    assert cell.clock() > before + seconds


def test_a_process_that_has_finished_leaves_a_record(live: Start, ends: Callable[[int], bool]) -> None:
    """Phases, epochs, memory and noise, as a cell of a run has them."""
    cell = live()
    cell.begin()
    for step in (ReportEpoch(), DrawOrder(), TrainEpoch(), ReportEpoch()):
        cell.ask(step)
    assert cell.worker is not None
    pid = cell.worker.process.pid
    result = cell.finish()
    assert result.status == "ok", result.reason
    assert [epoch.epoch for epoch in result.epochs] == [0, 1]
    assert None not in (result.phases.import_s, result.phases.load_s, result.readings["process_peak_bytes"])
    assert result.readings["involuntary_switches"] is not None and result.readings["parent_cpu_s"] is not None
    assert ends(pid) and cell.worker is None


def test_a_process_is_ended_by_the_next_and_by_the_end(live: Start, ends: Callable[[int], bool]) -> None:
    """One at a time, and none afterwards."""
    cell, pids = live(), []
    for _ in range(2):
        cell.start()
        assert cell.worker is not None
        pids.append(cell.worker.process.pid)
    assert ends(pids[0])
    cell.end()
    assert ends(pids[1])
    cell.end()  # nothing is left to end


@pytest.mark.parametrize(
    ("body", "timeout_s", "error", "message"),
    [
        ("raise Unavailable('no such thing here')", 60.0, NotHere, "plain on tiny: prepare: no such thing here"),
        ("raise ValueError('two', 'lines')", 60.0, FcnBenchError, "plain on tiny: prepare: ValueError: "),
        ("import os; os._exit(5)", 60.0, FcnBenchError, "exit status 5 before it had answered; its log is "),
        ("import time; time.sleep(1000)", 1.0, FcnBenchError, "no answer within 1 s"),
    ],
    ids=["not here", "an error", "a crash", "no answer"],
)
def test_what_goes_wrong_is_told_and_nothing_is_left(
    live: Start, body: str, timeout_s: float, error: type[FcnBenchError], message: str
) -> None:
    """The implementation, the network, the step and the reason, on one line."""
    cell = live(
        f"\nclass Implementation(Regression):\n    def load(self, data):\n        {body}\n", timeout_s=timeout_s
    )
    with pytest.raises(error, match=message) as raised:
        cell.begin()
    assert type(raised.value) is error and len(str(raised.value).splitlines()) == 1
    assert cell.worker is None
