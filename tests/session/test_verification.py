"""Asking the gate: one process answers many questions, and what ends it takes no other answer with it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic import MACHINE

from bench.errors import FcnBenchError
from bench.session.session import Session
from bench.session.verification import Question, VerificationJob, VerificationRun
from bench.store.records.verification import Check, Verification
from bench.worker import process
from bench.worker.answer import Answer
from bench.worker.messages import PROTOCOL, Hello, PartEnded
from bench.worker.requests import CheckedNetwork
from impls import registry
from impls.workload import Workload

pytestmark = pytest.mark.process

RAISES = """
    class Implementation(Regression):
        def __init__(self, workload, device, seed):
            if workload.name == "raises":
                raise ValueError("not this one")
            if workload.name == "skips":
                raise Unavailable("not here")
            super().__init__(workload, device, seed)
"""
DIES = """
    import os

    class Implementation(Regression):
        def train_epoch(self, order):
            if self.workload.name == "dies":
                print("about to die", flush=True)
                os._exit(7)
            return super().train_epoch(order)
"""


def session_in(folder: Path, data: Path, timeout_s: float) -> Session:
    """A session whose logs lie in this folder."""
    (folder / "logs").mkdir(exist_ok=True)
    return Session(folder, {}, data, MACHINE, timeout_s)


@pytest.fixture
def asked(tmp_path: Path, tiny: Workload, tiny_data: Path) -> Callable[..., list[Verification]]:
    """``asked(plugin, names)``: the answers of a plugin about networks that differ in their names alone."""

    def ask(path: Path, names: list[str], deep: bool = False, timeout_s: float = 60.0) -> list[Verification]:
        questions = [Question(CheckedNetwork(replace(tiny, name=name), 1), "digest") for name in names]
        run = VerificationRun(session_in(tmp_path, tiny_data, timeout_s), tmp_path, deep)
        return run.ask(VerificationJob(registry.from_file(path), "cpu", questions), (0,))

    return ask


def test_one_process_answers_all_questions(
    asked: Callable[..., list[Verification]], plugin: Callable[..., Path]
) -> None:
    """Each network has its own answer with its own rungs, in the order of the questions."""
    first, second = asked(plugin(), ["a", "b"])
    assert [(gate.workload, gate.status, gate.seed, gate.threads) for gate in (first, second)] == [
        ("a", "passed", 1, 1), ("b", "passed", 1, 1),
    ]  # fmt: skip
    assert first.checks == second.checks
    assert [rung.name for rung in first.checks][:3] == ["weights", "logits", "gradients"]


def test_what_a_program_raises_ends_that_climb_alone(
    asked: Callable[..., list[Verification]], plugin: Callable[..., Path]
) -> None:
    """A failure and a skip each have their reason, and the question after them is answered."""
    answers = asked(plugin(body=RAISES), ["raises", "skips", "a"])
    assert [(gate.status, gate.reason) for gate in answers] == [
        ("failed", "ValueError: not this one"), ("skipped", "not here"), ("passed", ""),
    ]  # fmt: skip


def test_a_question_that_ends_the_process_has_failed_and_the_rest_goes_on(
    asked: Callable[..., list[Verification]], plugin: Callable[..., Path]
) -> None:
    """The answers before it are kept, the reason has the last line of the log, and what comes after is asked anew."""
    before, died, after = asked(plugin(body=DIES), ["a", "dies", "b"])
    assert (before.status, died.status, after.status) == ("passed", "failed", "passed")
    assert died.reason.startswith("the process ended with exit status 7") and died.reason.endswith("about to die")
    assert [rung.name for rung in died.checks] == ["weights", "logits"]
    assert len(after.checks) == len(before.checks)


def test_what_cannot_be_imported_is_not_tried_again_for_every_network(
    asked: Callable[..., list[Verification]], plugin: Callable[..., Path], tmp_path: Path
) -> None:
    """One process says why, and that is the answer to all."""
    marks = "open(__file__ + '.tries', 'a').write('x')\nimport torch_that_is_not_there\n"
    answers = asked(plugin("lacking", marks, prelude=""), ["a", "b", "c"])
    assert {(gate.status, gate.reason) for gate in answers} == {("failed", "torch_that_is_not_there is not installed")}
    assert (tmp_path / "lacking.py.tries").read_text() == "x"


@pytest.mark.parametrize("adam", ['"keras"', '("adamw", 1e-8)', "None", '("pytorch",)'])
def test_an_adam_that_nobody_published_is_named(
    asked: Callable[..., list[Verification]], plugin: Callable[..., Path], adam: str
) -> None:
    """The reason has what was declared and what may be."""
    (gate,) = asked(plugin(body=f"class Implementation(Regression):\n    adam = {adam}\n"), ["a"])
    assert gate.status == "failed"
    assert gate.reason.startswith("TypeError: adam is ") and '("keras", 1e-7)' in gate.reason


def test_the_long_climb_has_more_rungs(asked: Callable[..., list[Verification]], plugin: Callable[..., Path]) -> None:
    """What takes longer than anybody would wait before a measurement is asked for apart."""
    (short,), (deep,) = asked(plugin(), ["a"]), asked(plugin(), ["a"], deep=True)
    more = [rung.name for rung in deep.checks[len(short.checks) :]]
    assert more == ["100 steps in float64", "loss of 150 steps"]


def test_examinees_are_asked_side_by_side(
    tmp_path: Path, tiny: Workload, tiny_data: Path, plugin: Callable[..., Path]
) -> None:
    """Each is told once, by the thread that asked, however many seats there are."""
    jobs = [
        VerificationJob(registry.from_file(plugin(name)), "cpu", [Question(CheckedNetwork(tiny, 1), "digest")])
        for name in ("a", "b", "c")
    ]
    told: list[tuple[str, str, threading.Thread]] = []
    run = VerificationRun(session_in(tmp_path, tiny_data, 60.0), tmp_path, False)
    for job, (answer,) in process.run_all(jobs, run.ask, (0, 0), 2):
        assert answer.implementation == job.entry.name
        told.append((answer.implementation, answer.status, threading.current_thread()))
    assert sorted(name for name, _, _ in told) == ["a", "b", "c"]
    assert {(status, thread) for _, status, thread in told} == {("passed", threading.current_thread())}


def test_what_goes_wrong_beside_is_raised_where_somebody_waits(tiny: Workload, tiny_data: Path, tmp_path: Path) -> None:
    """A log that cannot be written is this thread's affair, not a silence."""
    run = VerificationRun(
        replace(session_in(tmp_path, tiny_data, 60.0), directory=tmp_path / "missing"), tmp_path, False
    )
    job = VerificationJob(registry.BUILT_IN[-2], "cpu", [Question(CheckedNetwork(tiny, 1), "digest")])
    with pytest.raises(FcnBenchError, match="cannot write"):
        list(process.run_all([job], run.ask, (0,), 1))


def test_checks_belong_to_the_answer_that_follows_them() -> None:
    """What was said after the last answer belongs to none."""
    checks = [Check(str(n), None, None, True, "") for n in range(4)]
    said = (*checks[:2], PartEnded("ok"), PartEnded("failed", "why"), *checks[2:])
    parts, rest = Answer((Hello(PROTOCOL), *said), 0, 60.0, 1.0, 0.1, 0.1).checks()
    assert parts == [(checks[:2], ("ok", "")), ([], ("failed", "why"))] and rest == checks[2:]
