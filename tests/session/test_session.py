"""A session from its plan to its files, with plugins of a few lines; and what is left when it is cut short."""

import itertools
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from children import alone
from synthetic import MACHINE, result

from bench import files
from bench.errors import FcnBenchError
from bench.machine import cpus, meters
from bench.machine import disturbances as machine_disturbances
from bench.session import record
from bench.session.blocks.loop import measure_blocks
from bench.session.plan import Plan
from bench.session.record import Circumstances
from bench.session.session import Session
from bench.session.verification import verify
from bench.store import archive
from bench.store.records.cell import Cell, Phases
from bench.store.records.training import Epoch, Inference, TrainingResult
from bench.store.records.verification import Verification
from bench.worker import availability
from bench.worker.answer import Answer
from bench.worker.messages import PROTOCOL, Ended, Hello, MeterReadings, Phase, Whole
from impls import registry
from impls.workload import Workload

pytestmark = pytest.mark.process

MachinePlan = tuple[Session, Plan]
Prepare = Callable[..., MachinePlan]
FAILING = """
    class Implementation(Regression):
        def load(self, data):
            raise RuntimeError("no luck")
"""
UNLUCKY_ONCE = """
    import pathlib

    class Implementation(Regression):
        def load(self, data):
            mark = pathlib.Path(__file__).with_suffix(".mark")
            if not mark.exists():
                mark.touch()
                raise RuntimeError("the first time only")
            super().load(data)
"""


@pytest.fixture
def prepare(tmp_path: Path, tiny: Workload, tiny_data: Path) -> Prepare:
    """``prepare([paths], blocks=1, ...)``: a session in ``tmp_path / "out"`` and the plan for it."""

    def prepare(plugins: list[Path], timeout_s: float = 120.0, **changes: Any) -> MachinePlan:
        entries = [registry.from_file(path) for path in plugins]
        usual: dict[str, Any] = {"devices": ["cpu"], "threads": [1], "blocks": 1, "epochs": 1, "seed": 1, "data": "d"}
        plan = Plan(workloads=[tiny], entries=entries, **{**usual, **changes})
        out = tmp_path / "out"
        with archive.opened(out):
            pass
        return Session(out, {entry.name: entry for entry in entries}, tiny_data, MACHINE, timeout_s), plan

    return prepare


def measured(
    session: Session, cells: list[Cell], kept: dict[str, TrainingResult], repeats: int = 0
) -> tuple[list[TrainingResult], list[str]]:
    """What was saved, in this order, and what was said."""
    saved: list[TrainingResult] = []
    lines: list[str] = []
    save = archive.save

    def remembered(directory: Path, result: TrainingResult) -> None:
        save(directory, result)
        saved.append(result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "save", remembered)
        measure_blocks(session, cells, kept, lambda line, **_: lines.append(line), repeats)
    return saved, lines


def run(session: Session, cells: list[Cell]) -> list[TrainingResult]:
    """Run the cells and return what was saved."""
    return measured(session, cells, {})[0]


def test_every_cell_is_measured_and_saved_as_it_was_told(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """Block by block; what is on disk is what the caller saw."""
    session, plan = prepare([plugin("one"), plugin("two")], blocks=2)
    told, cells = run(session, plan.cells()), plan.cells()
    assert [found.cell.block for found in told] == [1, 1, 1, 2, 2, 2]
    assert {found.cell.key for found in told} == {cell.key for cell in cells} and len(told) == len(cells)
    assert {found.status for found in told} == {"ok"}
    by_key = {found.cell.key: found for found in archive.results(session.directory)}
    assert by_key == {found.cell.key: found for found in told}


def test_a_result_is_complete(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """Phases, epochs, memory, noise, versions, switches, environment, machine and moment."""
    session, plan = prepare([plugin()], epochs=2)
    before = datetime.now(UTC)
    found = run(session, plan.cells())[0]
    assert None not in (found.phases.import_s, found.phases.build_s, found.phases.load_s, found.phases.process_s)
    assert [epoch.epoch for epoch in found.epochs] == [0, 1, 2]
    assert found.readings["training_peak_bytes"] and found.readings["process_peak_bytes"]
    assert set(found.readings) == {q.name for meter in (*meters.MEMORY, *meters.DISTURBANCES) for q in meter.quantities}
    assert None not in [found.readings[name] for name in ("parent_cpu_s", "others_cpu_s", "involuntary_switches")]
    assert set(found.versions) >= {"python", "numpy"}
    assert found.switches["takes_order"] is True
    assert found.environment["OMP_NUM_THREADS"] == "1"
    assert found.machine == MACHINE.machine
    assert before.timestamp() - 1 <= datetime.fromisoformat(found.started).timestamp() <= datetime.now(UTC).timestamp()
    assert found.log_tail == ""


def test_each_cell_is_on_disk_before_it_is_said(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """Whatever happens then, it is kept."""
    session, plan = prepare([plugin()], blocks=2)
    on_disk = []

    def say(line: str) -> None:
        on_disk.append((line.split()[0], len(list((session.directory / "cells").iterdir()))))

    measure_blocks(session, plan.cells(), {}, say)
    assert [number for _, number in on_disk] == [0, 1, 2, 2, 3, 4]
    assert [word.rstrip(":") for word, _ in on_disk] == ["block", "plain", "plain", "block", "plain", "plain"]


def test_a_cell_that_fails_is_saved_and_the_session_goes_on(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """With the reason, the end of its log and what it had said before."""
    session, plan = prepare([plugin("unlucky", FAILING), plugin()])
    told = run(session, plan.cells())
    by_name = {name: [found for found in told if found.cell.implementation == name] for name in ("plain", "unlucky")}
    assert [found.status for found in by_name["plain"]] == ["ok"]
    assert [found.cell.role for found in by_name["unlucky"]] in (["measured", "control"], ["control", "measured"])
    for found in by_name["unlucky"]:
        assert (found.status, found.reason) == ("failed", "RuntimeError: no luck")
        assert "Traceback" in found.log_tail
        assert found.phases.build_s is not None and found.phases.load_s is None and found.epochs == ()
    assert len(archive.results(session.directory)) == 3


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("import os\nos._exit(5)", "failed", "exit status 5"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "failed", "SIGSEGV"),
        ("raise Unavailable('no such device')", "skipped", "no such device"),
        ("import time\ntime.sleep(1000)", "failed", "within 2 s"),
    ],
)
def test_however_a_process_ends_its_cell_has_a_status(
    prepare: Prepare, plugin: Callable[..., Path], body: str, status: str, reason: str
) -> None:
    """Exit, crash, no device, no answer in time."""
    session, plan = prepare([plugin("ends", body)], timeout_s=2.0)
    found = alone(session, plan.cells()[0])
    assert found.status == status and reason in found.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("switches = {'momentum': float('nan')}", "JSON"),
        ("def device_memory(self): return {'peak': 5}", "expected peak_bytes and reserved_bytes"),
        (
            "def device_memory(self): return {'peak_bytes': 1.5, 'reserved_bytes': 1}",
            "expected a whole number of bytes",
        ),
        (
            "def device_memory(self): return {'peak_bytes': '5 MB', 'reserved_bytes': 1}",
            "expected a whole number of bytes",
        ),
    ],
)
def test_what_no_record_can_hold_fails_its_cell_alone(
    prepare: Prepare, plugin: Callable[..., Path], body: str, reason: str
) -> None:
    """The session goes on, and the directory can be read afterwards."""
    session, plan = prepare([plugin("odd", f"class Implementation(Regression):\n    {body}\n"), plugin()])
    cells = [cell for cell in plan.cells() if cell.role == "measured"]
    told = {found.cell.implementation: found for found in run(session, cells)}
    assert told["odd"].status == "failed" and reason in told["odd"].reason
    assert told["plain"].status == "ok"
    assert len(archive.results(session.directory)) == 2


def test_half_a_character_in_a_message_does_no_harm(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """As a file name that is no text brings it along."""
    body = "class Implementation(Regression):\n    def load(self, data): raise OSError('caf\\udce9')\n"
    session, plan = prepare([plugin("odd", body)])
    run(session, plan.cells()[:1])
    assert archive.results(session.directory)[0].reason == "OSError: caf"


def test_each_cell_has_a_log_of_its_own(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """Named like the cell."""
    session, plan = prepare([plugin("loud", "print('hello')\nclass Implementation(Regression): pass\n")])
    run(session, plan.cells())
    for cell in plan.cells():
        assert (session.directory / "logs" / f"{cell.key}.log").read_text() == "hello\n"


def test_a_cell_runs_on_as_many_cpus_as_its_threads(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """By affinity, and told so in the environment."""
    body = """
        import os

        class Implementation(Regression):
            switches = {"cpus": len(os.sched_getaffinity(0)), "omp": os.environ["OMP_NUM_THREADS"]}
    """
    available = len(cpus.available_cpus())
    session, plan = prepare([plugin("counts", body)], threads=[1, available])
    for found in run(session, plan.cells()):
        assert (found.switches["cpus"], found.switches["omp"]) == (found.cell.threads, str(found.cell.threads))


def test_all_implementations_of_a_block_start_alike(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """Equal mathematics from equal weights and orders ends in equal figures; the control too."""
    session, plan = prepare([plugin("one"), plugin("two")], epochs=2)
    told = run(session, plan.cells())
    figures = {tuple((e.train_loss, e.test_loss, e.accuracy) for e in found.epochs) for found in told}
    assert len(told) == 3 and len(figures) == 1


def test_a_block_begins_with_a_line_and_each_cell_has_one(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """What is measured in it, and how long everything takes that is missing."""
    session, plan = prepare([plugin("one"), plugin("two")], blocks=2)
    _, lines = measured(session, plan.cells(), {})
    for number, line in enumerate(lines[::4], start=1):
        assert line.startswith(f"block {number}, tiny, cpu, 1 thread: ")
        assert all(name in line for name in ("one", "two", "one (control)")) and re.search("about .+ left$", line)
    assert {line.split(":")[0].strip() for line in lines[1:4]} == {"one", "two", "one (control)"}


def test_only_what_is_not_finished_is_measured_again() -> None:
    """Finished cells are kept while their digest holds; failed and skipped ones are tried again."""
    ok, failed, skipped = result(), result(block=2, status="failed"), result(block=3, status="skipped")
    outdated = result(block=4, digest="01d")
    cells = [found.cell for found in (ok, failed, skipped)] + [result(block=4).cell, result(block=5).cell]
    done = [ok, failed, skipped, outdated]
    kept = archive.finished(done, fresh=False)
    assert [cell.block for cell in cells if cell.key not in kept] == [2, 3, 4, 5]


def test_fresh_measures_everything() -> None:
    """Finished or not."""
    done = [result(), result(block=2)]
    assert archive.finished(done, fresh=True) == {}
    assert list(archive.finished(done, fresh=False).values()) == done


def test_a_failed_cell_that_succeeds_later_takes_its_place(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """Under the same key; nothing of the failure stays among the results."""
    session, plan = prepare([plugin("unlucky", UNLUCKY_ONCE)])
    cells = [cell for cell in plan.cells() if cell.role == "measured"]
    assert run(session, cells)[0].status == "failed"
    assert archive.finished(archive.results(session.directory), fresh=False) == {}
    assert run(session, cells)[0].status == "ok"
    assert [found.status for found in archive.results(session.directory)] == ["ok"]


def test_an_edited_plugin_is_measured_again_and_the_old_result_set_aside(
    prepare: Prepare, plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edit changes the digest, so the finished cell no longer answers the question."""
    session, plan = prepare([plugin()])
    old = run(session, plan.cells())
    plugin("plain", "class Implementation(Regression):\n    edited = True\n")
    from bench.session import digest

    digest.module_code.cache_clear()
    cells = plan.cells()
    assert not archive.finished(old, fresh=False).keys() & {cell.key for cell in cells}
    new = run(session, cells)
    assert archive.results(session.directory) == new
    assert len(list((session.directory / "superseded").iterdir())) == len(old)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"machine": "other"}, ["machine other", MACHINE.machine]),
        ({"epochs": 4}, ["4 epochs", "asked for 3"]),
        ({"seed": 7}, ["seed 7", "asked for 3 and 1"]),
    ],
)
def test_what_cannot_be_compared_is_not_mixed(tmp_path: Path, change: dict[str, Any], words: list[str]) -> None:
    """Another machine, other epochs or another seed in the same directory: one line with both sides."""
    with pytest.raises(FcnBenchError) as refused:
        archive.check_same_terms([result().cell], [result(**change)], MACHINE.machine, tmp_path)
    line = str(refused.value)
    assert "\n" not in line and str(tmp_path) in line and "--out" in line
    assert all(word in line for word in words)


def test_what_can_be_compared_is_continued(tmp_path: Path, tiny: Workload) -> None:
    """More blocks, other implementations, other networks; and an empty directory."""
    done = [result(block=block) for block in (1, 2)] + [result(workload=tiny, epochs=9, seed=5)]
    cells = [result("matched-keras", block=5).cell, replace(result(workload=tiny).cell, epochs=9, seed=5)]
    archive.check_same_terms(cells, done, MACHINE.machine, tmp_path)
    archive.check_same_terms(cells, [], MACHINE.machine, tmp_path)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results come without a process, where a test is about which cells are run, and in which order."""
    numbers = itertools.count()

    def measure(session: Session, cell: Cell) -> TrainingResult:
        return replace(result(), cell=cell, started=f"2026-01-01T00:00:00.{next(numbers):03d}+00:00")

    monkeypatch.setattr(Session, "measure", measure)


def disturb(monkeypatch: pytest.MonkeyPatch, found: list[list[str]]) -> None:
    """Say of one cell after the other what disturbed it; of those that follow, nothing."""
    answers = {}

    def disturbances(result: TrainingResult) -> list[str]:
        if result.started not in answers:
            answers[result.started] = found.pop(0) if found else []
        return answers[result.started]

    monkeypatch.setattr(machine_disturbances, "disturbances", disturbances)


def repeated(
    session: Session, plan: Plan, kept: dict[str, TrainingResult], repeats: int
) -> tuple[list[TrainingResult], list[str]]:
    """What was measured, and why blocks were repeated."""
    saved, lines = measured(session, plan.cells(), kept, repeats)
    return saved, [line for line in lines if line.startswith("this block was disturbed")]


def test_a_disturbed_block_is_measured_again_as_a_whole(
    prepare: Prepare, plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    """Its cells stay side by side in time; the first attempt is kept apart, and the reason with the second."""
    session, plan = prepare([plugin("one"), plugin("two")], blocks=2)
    disturb(monkeypatch, [[], ["12 % stolen", "heat"], []])
    told, why = repeated(session, plan, {}, repeats=1)
    assert [found.cell.block for found in told] == [1] * 6 + [2] * 3
    assert [found.attempt for found in told] == [1] * 3 + [2] * 3 + [1] * 3
    disturbed = told[1].cell
    again = " (control)" if disturbed.role == "control" else ""
    reason = f"{disturbed.implementation}{again}: 12 % stolen"
    assert len(why) == 1 and reason in why[0]
    assert {found.repeated for found in told[3:6]} == {reason}
    assert archive.results(session.directory) == told[3:]
    before = sorted(path.name for path in (session.directory / "superseded").iterdir())
    assert before == sorted(f"{found.cell.key}.attempt1.json" for found in told[:3])


def test_blocks_are_repeated_as_often_as_allowed(
    prepare: Prepare, plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    """The allowance is for all blocks of a network together; what was spent before an interruption stays spent."""
    session, plan = prepare([plugin()], blocks=3)
    monkeypatch.setattr(machine_disturbances, "disturbances", lambda result: ["always"])
    told, why = repeated(session, plan, {}, repeats=2)
    assert [found.attempt for found in told] == [1, 1, 2, 2, 3, 3, 1, 1, 1, 1]
    kept = {found.cell.key: found for found in told[4:8]}
    told, why = repeated(session, plan, kept, repeats=2)
    assert [(found.cell.block, found.attempt) for found in told] == [(3, 1), (3, 1)] and why == []


def test_nothing_is_repeated_unless_allowed(
    prepare: Prepare, plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    """Disturbed or not."""
    session, plan = prepare([plugin()])
    monkeypatch.setattr(machine_disturbances, "disturbances", lambda result: ["always"])
    assert [found.attempt for found in repeated(session, plan, {}, repeats=0)[0]] == [1, 1]


def test_a_repetition_that_was_interrupted_is_completed(
    prepare: Prepare, plugin: Callable[..., Path], by_hand: None
) -> None:
    """A block of which one cell is from the second attempt gets the others of that attempt too."""
    session, plan = prepare([plugin("one"), plugin("two")])
    told, _ = repeated(session, plan, {}, repeats=0)
    half = {found.cell.key: found for found in told}
    half[told[0].cell.key] = replace(told[0], attempt=2, repeated="heat")
    again, _ = repeated(session, plan, half, repeats=1)
    assert {(found.cell.key, found.attempt, found.repeated) for found in again} == {
        (found.cell.key, 2, "heat") for found in told[1:]
    }


BEFORE = Epoch(0, None, None, 1.0, None, 2.3, 0.1)


def recorded(folder: Path, *said: Any) -> TrainingResult:
    """The record of a cell whose process said this and was killed at its time."""
    answer = Answer(
        (Hello(PROTOCOL), *said), None, 60.0, wall_s=9.0, parent_cpu_s=0.1, child_cpu_s=5.0,
        started="2026-01-01T00:00:00.000+00:00", readings={"parent_cpu_s": 0.1},
    )  # fmt: skip
    about = Circumstances("m", {}, folder / "log", {})
    found = record.result(result().cell, answer, about)
    assert isinstance(found, TrainingResult)
    return found


def test_a_result_keeps_what_was_said_before_the_end(tmp_path: Path) -> None:
    """A process that was killed in its second epoch has one; its phases and readings so far are there."""
    said = (Phase("import_s", 1.0), Phase("build_s", 2.0), MeterReadings({"after_import_rss_bytes": 5}), BEFORE)
    found = recorded(tmp_path, *said)
    assert found.status == "failed" and "within 60 s" in found.reason
    assert found.phases == Phases(1.0, 2.0, None, 9.0)
    assert found.readings == {"after_import_rss_bytes": 5, "parent_cpu_s": 0.1}
    assert [epoch.accuracy for epoch in found.epochs] == [0.1]


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ((Ended("ok"),), ""),
        ((Ended("failed", "half \ud800"),), "half"),
        ((Ended("skipped", "gone"),), "gone"),
        ((), "no answer within 60 s: killed (give it more with --timeout)"),
    ],
)
def test_a_cell_that_was_measured_whole_stays_good(rest: tuple[Ended, ...], why: str, tmp_path: Path) -> None:
    """However its inference ended; what was timed of that is kept, with why there is no more and the end of the log."""
    (tmp_path / "log").write_text("Traceback\n")
    found = recorded(tmp_path, BEFORE, Whole(), Inference(1, 0.5, (0.1, 0.2)), *rest)
    assert (found.status, found.reason, found.no_inference) == ("ok", "", why)
    assert found.inference == (Inference(1, 0.5, (0.1, 0.2)),) and len(found.epochs) == 1
    assert found.log_tail == ("Traceback" if why else "")


@pytest.mark.parametrize(("numbers", "kept"), [((1,), 0), ((0, 2), 1), ((0, 1, 1), 2), ((0, 2, 1), 1), ((0, 0), 1)])
def test_epochs_that_do_not_follow_each_other_fail_the_cell(
    numbers: tuple[int, ...], kept: int, tmp_path: Path
) -> None:
    """Each comes once, in order, from the one before training on; those before the first that is wrong are kept."""
    (tmp_path / "log").write_text("Traceback\n")
    epochs = [replace(BEFORE, epoch=number) for number in numbers]
    found = recorded(tmp_path, *epochs, Whole(), Ended("ok"))
    assert found.status == "failed" and "expected each once, in order from 0" in found.reason
    assert found.epochs == tuple(epochs[:kept]) and found.log_tail == "Traceback"


def test_a_full_disk_ends_the_session_in_one_line_and_keeps_what_was_finished(
    prepare: Prepare, plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second cell's file is on a device that is always full."""
    session, plan = prepare([plugin()])
    write, saved = files.write_bytes, []

    def write_or_fill(path: Path, content: bytes) -> None:
        saved.append(path.stem)
        if len(saved) == 2:
            path = path.with_name(files.UNFINISHED.format("full"))
            path.symlink_to("/dev/full")
            path.write_bytes(content)
        write(path, content)

    monkeypatch.setattr(files, "write_bytes", write_or_fill)
    lines: list[str] = []
    with pytest.raises(FcnBenchError, match="No space left"):
        measure_blocks(session, plan.cells(), {}, lines.append)
    assert [line.split()[0].rstrip(":") for line in lines] == ["block", "plain"]  # nothing is said of what was not kept
    assert [found.cell.key for found in archive.results(session.directory)] == saved[:1]


def test_a_plugin_that_cannot_be_used_is_told_before_anything_is_measured(plugin: Callable[..., Path]) -> None:
    """One line with the file and the reason."""
    availability.check_plugin(registry.from_file(plugin()), 60.0)
    path = plugin("broken", "def broken(:\n")
    with pytest.raises(FcnBenchError) as refused:
        availability.check_plugin(registry.from_file(path), 60.0)
    assert str(path) in str(refused.value) and "SyntaxError" in str(refused.value)
    assert "\n" not in str(refused.value)


def verified(session: Session, plan: Plan) -> list[tuple[Verification, bool]]:
    """What ``on_gate`` was told."""
    told: list[tuple[Verification, bool]] = []
    verify(session, plan, lambda answer, old: told.append((answer, old)))
    return told


def test_the_gate_is_asked_once_for_each_implementation(prepare: Prepare, plugin: Callable[..., Path]) -> None:
    """Its answer is kept and told again as an old one, until the digest changes; a failure is asked again."""
    wrong = """
        class Implementation(Regression):
            def train_epoch(self, order):
                return super().train_epoch(order[:-1])
    """
    session, plan = prepare([plugin(), plugin("wrong", wrong)], blocks=3)
    first = verified(session, plan)
    assert [(gate.implementation, gate.status, old) for gate, old in first] == [
        ("plain", "passed", False), ("wrong", "failed", False),
    ]  # fmt: skip
    assert archive.records(session.directory, Verification) == [gate for gate, _ in first]
    assert [(gate.status, old) for gate, old in verified(session, plan)] == [("passed", True), ("failed", False)]
    changed = replace(plan, data="other")
    assert [old for _, old in verified(session, changed)] == [False, False]


SLOW = """
    import os, pathlib, time

    class Implementation(Regression):
        def train_epoch(self, order):
            folder = pathlib.Path(__file__).parent
            if "fcnbench-gate-" not in str(self.root) and not (folder / "go").exists():
                count = folder / "count"
                n = int(count.read_text()) + 1 if count.exists() else 1
                count.write_text(str(n))
                if n == 4:
                    (folder / "new").write_text(str(os.getpid()))
                    (folder / "new").rename(folder / "pid")
                    time.sleep(1000)
            return super().train_epoch(order)

        def load(self, data):
            self.root = data.root
            super().load(data)
"""


@pytest.fixture
def command(tmp_path: Path, plugin: Callable[..., Path], workload_file: Path, tiny_data: Path) -> list[str]:
    """``fcnbench run`` with two blocks of two processes, of which the last never ends until a file is there."""
    path = plugin("slow", SLOW)
    return [
        sys.executable, "-m", "bench.cli.main", "run", "--implementation", "slow", "--plugin", str(path),
        "--workloads", str(workload_file), "--data", str(tiny_data), "--device", "cpu", "--threads", "1",
        "--blocks", "2", "--epochs", "1", "--out", str(tmp_path / "out"),
    ]  # fmt: skip


def started(command: list[str]) -> "subprocess.Popen[str]":
    """The command, listening to Ctrl-C whatever this test was started by."""
    code = "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); " \
        "sys.argv = sys.argv[1:]; runpy.run_module('bench.cli.main', run_name='__main__')"  # fmt: skip
    listening = [command[0], "-c", code, *command[2:]]
    return subprocess.Popen(listening, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        (signal.SIGKILL, -signal.SIGKILL, ""),
        (signal.SIGINT, 130, "stopped; "),
        (signal.SIGTERM, 130, "stopped; "),
        (signal.SIGHUP, 130, "stopped; "),
    ],
    ids=["SIGKILL", "Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_a_run_that_is_cut_short_can_be_continued(
    tmp_path: Path,
    command: list[str],
    appears: Callable[[Path], str],
    ends: Callable[[int], bool],
    number: int,
    status: int,
    message: str,
) -> None:
    """No worker is left, finished blocks are kept as they are, and the same command again measures the rest."""
    process = started(command)
    worker = int(appears(tmp_path / "pid"))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert err.strip().startswith(message) and len(err.strip().splitlines()) <= 1
    assert ends(worker)

    out = tmp_path / "out"
    kept = {path.name: path.read_bytes() for path in (out / "cells").glob("*.json")}
    assert len(kept) == 2
    assert {found.status for found in archive.results(out)} == {"ok"}

    (tmp_path / "go").touch()
    again = subprocess.run(command, capture_output=True, text=True)
    assert (again.returncode, again.stderr) == (0, "")
    assert f"{len(kept)} already measured" in again.stdout
    results = archive.results(out)
    assert len(results) == 4 and {found.status for found in results} == {"ok"}
    assert all((out / "cells" / name).read_bytes() == content for name, content in kept.items())
