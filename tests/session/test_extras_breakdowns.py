"""Breaking down the programs of a run: who is asked, when again, and what is kept of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic import DONE, plan_of

from bench.errors import FcnBenchError
from bench.session.extras import breakdowns
from bench.session.extras.questions import ask_all
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import archive
from bench.store.records.breakdown import PASSES, Breakdown
from bench.worker import process
from impls import registry
from impls.registry import Entry
from impls.workload import Workload

ROWS = {entry.name: entry for entry in registry.BUILT_IN}
BOTH = [ROWS["documented-pytorch"], ROWS["documented-keras"]]


def ask_extras(plan: Plan, session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Ask what is not stored."""
    ask_all(breakdowns.questions(plan, session, headline), session.directory, fresh, say)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No framework is started: each program answers as ``DONE``, and what was asked is written down."""
    asked: list[str] = []

    def answer(question: Breakdown, entry: Entry, workload: Workload, session: Session) -> Breakdown:
        asked.append(f"{entry.module} on {question.device}, {workload.name}")
        return replace(question, status="ok", reason="", images=1_000, epoch_images=4_000, passes=DONE.passes)

    monkeypatch.setattr(breakdowns, "ask", answer)
    return asked


def test_the_tutorials_programs_are_broken_down() -> None:
    """Of the other tiers none, nor what a user adds; with the interpreter of the row."""
    found = breakdowns.broken_down([replace(entry, python="/elsewhere") for entry in ROWS.values()])
    assert [(entry.name, entry.module, entry.python) for entry in found] == [
        ("documented-pytorch", "impls.breakdown.pytorch", "/elsewhere"),
        ("documented-keras", "impls.breakdown.keras", "/elsewhere"),
    ]
    assert breakdowns.broken_down([replace(BOTH[0], name="documented-mine")]) == []


def test_answers_that_still_hold_are_kept(
    session: Session, tiny: Workload, scripted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other data, another number of threads, a failure and ``--fresh`` ask again; the same plan does not."""
    monkeypatch.setattr(process, "available_cpus", lambda: (0, 1))
    said: list[str] = []
    plan = plan_of(tiny, *BOTH, ROWS["matched-pytorch"])

    def ask(plan: Plan = plan, fresh: bool = False) -> list[str]:
        scripted.clear()
        ask_extras(plan, session, "mlp-128-64", fresh, said.append)
        return list(scripted)

    both = ["impls.breakdown.pytorch on cpu, tiny", "impls.breakdown.keras on cpu, tiny"]
    assert ask() == both
    assert said[0] == "breaking down an epoch of PyTorch (documented): tiny, CPU, 1 thread"
    assert ask() == [] and [kept.framework for kept in archive.records(session.directory, Breakdown)] == [
        "keras",
        "pytorch",
    ]
    assert ask(fresh=True) == both
    assert ask(replace(plan, threads=[1, 2])) == both
    assert ask(replace(plan, data="0ther")) == both and ask() == both
    failed = replace(archive.records(session.directory, Breakdown)[1], status="failed", reason="out of memory")
    archive.save_record(session.directory, failed)
    assert ask() == both[:1]


def test_each_device_has_an_answer_of_its_own(session: Session, tiny: Workload, scripted: list[str]) -> None:
    """And the documents' network is asked about, wherever it stands in the plan."""
    plan = replace(
        plan_of(tiny, BOTH[0]), workloads=[tiny, replace(tiny, name="mlp-128-64")], devices=["cpu", "cuda:1"]
    )
    ask_extras(plan, session, "mlp-128-64", False, lambda text: None)
    assert [line.partition(" on ")[2] for line in scripted] == ["cpu, mlp-128-64", "cuda:1, mlp-128-64"]
    assert len(archive.records(session.directory, Breakdown)) == 2


@pytest.mark.process
@pytest.mark.parametrize(
    ("module", "status", "reason"),
    [("impls.null", "failed", "BATCHES"), ("nowhere", "skipped", "nowhere is not installed")],
)
def test_a_program_that_cannot_be_broken_down_says_why(
    session: Session, tiny: Workload, monkeypatch: pytest.MonkeyPatch, module: str, status: str, reason: str
) -> None:
    """It is kept as such, and nothing is raised."""
    entry = replace(BOTH[0], module=module, packages=("nowhere",))
    monkeypatch.setattr(breakdowns, "broken_down", lambda entries: [entry])
    ask_extras(plan_of(tiny, entry), session, "mlp-128-64", False, lambda text: None)
    (found,) = archive.records(session.directory, Breakdown)
    assert (found.status, found.passes, found.whole) == (status, {}, False)
    assert reason in found.reason


def test_a_breakdown_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """Bit for bit, in a file that is named for program, network and device."""
    archive.save_record(tmp_path, DONE)
    assert archive.records(tmp_path, Breakdown) == [DONE]
    assert [path.name for path in (tmp_path / "breakdowns").iterdir()] == ["documented-pytorch.tiny.cpu.json"]


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-20], lambda text: "{}", lambda text: text.replace("0.5", '"x"')]
)
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: Callable[[str], str]) -> None:
    """It names the file and says what to do."""
    archive.save_record(tmp_path, DONE)
    path = tmp_path / "breakdowns" / "documented-pytorch.tiny.cpu.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(FcnBenchError, match=r"tiny.cpu.json: .*move it away") as told:
        archive.records(tmp_path, Breakdown)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "changes",
    [{"passes": dict.fromkeys(PASSES, (0.5,))}, {"passes": DONE.passes | {"epoch": (0.5, 0.1)}},
     {"passes": {}}, {"images": None}, {"status": "failed"}],
)  # fmt: skip
def test_a_breakdown_without_all_its_rounds_is_not_whole(changes: dict[str, object]) -> None:
    """A process that was killed has told some."""
    assert DONE.whole and not replace(DONE, **changes).whole  # type: ignore[arg-type]
