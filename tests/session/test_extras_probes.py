"""Putting Table 1 to the frameworks of a run: who is asked, when again, and what is kept of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from synthetic import MACHINE, plan_of

from bench import files
from bench.errors import FcnBenchError
from bench.session.extras import probes
from bench.session.extras.questions import ask_all
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import archive
from bench.store.records.probe import Mode, Probe
from impls import registry
from impls.registry import Entry
from impls.workload import Workload

ROWS = {entry.name: entry for entry in registry.BUILT_IN}
PROBE = Probe(
    "pytorch", "tiny", 1, "d1935700", "2026-01-01T00:00:00.000+00:00", MACHINE.machine, "ok", "", {"torch": "2.14.1"},
    "eager", (Mode("eager", 50, 0, (50, 50), 100, 100, 100, ("Tensor",), None, (0.5, 0.25, 0.1)),), {"other": "no"}, {},
)  # fmt: skip


def ask_extras(plan: Plan, session: Session, headline: str, fresh: bool, say: Callable[[str], None]) -> None:
    """Ask what is not stored."""
    ask_all(probes.questions(plan, session, headline), session.directory, fresh, say)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No framework is started: each that is asked answers as ``PROBE``, and its name is written down."""
    asked: list[str] = []

    def answer(bare: Probe, entry: Entry, workload: Workload, session: Session) -> Probe:
        asked.append(f"{entry.framework} about {workload.name}")
        return replace(PROBE, framework=entry.framework, digest=bare.digest)

    monkeypatch.setattr(probes, "ask", answer)
    return asked


def test_each_framework_is_asked_once() -> None:
    """Of the built-in rows of a framework's own backend; what a user adds stands for no framework."""
    found = probes.probed(list(ROWS.values()))
    assert [(entry.name, entry.module) for entry in found] == [
        ("documented-pytorch", "impls.probes.pytorch"), ("documented-keras", "impls.probes.keras"),
    ]  # fmt: skip
    assert [dict(entry.environment).get("KERAS_BACKEND") for entry in found] == [None, "tensorflow"]
    added = replace(ROWS["matched-pytorch"], name="matched-mine", module="mine.py")
    assert probes.probed([ROWS["matched-keras-jax"], ROWS["null"], ROWS["reference-numpy"], added]) == []


def test_a_probe_runs_with_the_interpreter_of_its_row() -> None:
    """As ``--python`` gave it."""
    (found,) = probes.probed([replace(ROWS["matched-keras"], python="/elsewhere/python")])
    assert found.python == "/elsewhere/python"


def test_answers_that_still_hold_are_kept(session: Session, tiny: Workload, scripted: list[str]) -> None:
    """Another network, another interpreter's versions, a failure and ``--fresh`` ask again; the same plan does not."""
    said: list[str] = []
    plan = plan_of(tiny, ROWS["matched-pytorch"], ROWS["matched-keras"])

    def ask(plan: Plan = plan, fresh: bool = False) -> list[str]:
        scripted.clear()
        ask_extras(plan, session, "mlp-128-64", fresh, said.append)
        return list(scripted)

    both = ["pytorch about tiny", "keras about tiny"]
    assert ask() == both and len(said) == 2 and "probing pytorch" in said[0]
    assert ask() == [] and [probe.framework for probe in archive.records(session.directory, Probe)] == [
        "keras",
        "pytorch",
    ]
    assert ask(fresh=True) == both
    assert ask(replace(plan, data="0ther")) == both
    assert len(ask()) == 2
    failed = replace(archive.records(session.directory, Probe)[1], status="failed", reason="out of memory")
    archive.save_record(session.directory, failed)
    assert ask() == ["pytorch about tiny"]


def test_the_documents_network_is_asked_about_where_it_is_trained(
    session: Session, tiny: Workload, scripted: list[str]
) -> None:
    """Wherever it stands in the plan."""
    plan = replace(plan_of(tiny, ROWS["matched-pytorch"]), workloads=[tiny, replace(tiny, name="mlp-128-64")])
    ask_extras(plan, session, "mlp-128-64", False, lambda text: None)
    assert scripted == ["pytorch about mlp-128-64"]


@pytest.mark.process
@pytest.mark.parametrize(
    ("module", "status", "reason"),
    [("impls.null", "failed", "MODES"), ("nowhere", "skipped", "nowhere is not installed")],
)
def test_a_probe_that_cannot_be_run_says_why(
    session: Session, tiny: Workload, monkeypatch: pytest.MonkeyPatch, module: str, status: str, reason: str
) -> None:
    """A framework that is missing is skipped, a probe that raises has failed; both are kept, and nothing is raised."""
    entry = replace(ROWS["matched-pytorch"], module=module, packages=("nowhere",))
    monkeypatch.setattr(probes, "probed", lambda entries: [entry])
    ask_extras(plan_of(tiny, entry), session, "mlp-128-64", False, lambda text: None)
    (found,) = archive.records(session.directory, Probe)
    assert (found.framework, found.status, found.modes) == ("pytorch", status, ())
    assert reason in found.reason


def test_a_probe_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """Bit for bit, and nothing else lies there."""
    archive.save_record(tmp_path, PROBE)
    assert archive.records(tmp_path, Probe) == [PROBE]
    assert [path.name for path in (tmp_path / "probes").iterdir()] == ["pytorch.json"]


@pytest.mark.parametrize("damage", [lambda text: text[:-20], lambda text: "{}", lambda text: text.replace("50", '"x"')])
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: Callable[[str], str]) -> None:
    """It names the file and says what to do."""
    archive.save_record(tmp_path, PROBE)
    path = tmp_path / "probes" / "pytorch.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(FcnBenchError, match=r"pytorch.json: .*move it away") as told:
        archive.records(tmp_path, Probe)
    assert "\n" not in str(told.value)


def test_a_full_disk_ends_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves the answer of before."""
    archive.save_record(tmp_path, PROBE)

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(FcnBenchError, match="No space left"):
        archive.save_record(tmp_path, replace(PROBE, reason="new"))
    assert json.loads((tmp_path / "probes" / "pytorch.json").read_text())["reason"] == ""
