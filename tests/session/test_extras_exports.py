"""What becomes of a run's networks in the frameworks' formats, from exports made by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import MACHINE, WORKLOAD, clear, result, save

from bench.report import build
from bench.session.extras import exports
from bench.session.extras.questions import ask_all
from bench.session.session import Session
from bench.store import archive
from bench.store.models import Model
from bench.store.records.export import Export, StoredExport
from bench.store.records.training import TrainingResult
from impls import portable, registry
from impls.oracle.training import initial_weights

GOOD = Export("onnx", "pytorch", "ok", "", 440_000, 10_000, 9_999, 1e-6, 3e-5, 2e-5, {"onnx": "1.20"})
WEIGHTS = initial_weights(WORKLOAD, np.random.default_rng(1))


def model(implementation: str, workload: str = WORKLOAD.name) -> Model:
    return Model(f"{implementation}.aa", replace(WORKLOAD, name=workload), WEIGHTS, implementation, "pytorch")


def test_each_framework_writes_its_own_network_of_the_headline_and_the_matched_tier() -> None:
    """Not a plugin's and not another backend's; without the headline, what there is."""
    found = [model("matched-pytorch", "other"), model("documented-pytorch"), model("matched-pytorch"),
             model("matched-keras-jax"), model("matched-mine")]  # fmt: skip
    chosen = {(made.implementation, made.workload.name, row.by) for made, row in exports.pairs(found, WORKLOAD.name)}
    assert chosen == {("matched-pytorch", WORKLOAD.name, "pytorch")}
    assert {made.workload.name for made, _ in exports.pairs(found[:1], WORKLOAD.name)} == {"other"}
    assert [row.format for _, row in exports.pairs([model("matched-jax")], WORKLOAD.name)] == ["jax"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which formats were asked for; each answer is good, and no framework is started."""
    said: list[str] = []

    def ask(bare: StoredExport, model: Model, exporter: Any, session: Session) -> StoredExport:
        said.append(exporter.format)
        return replace(bare, export=replace(GOOD, format=exporter.format, by=exporter.by))

    monkeypatch.setattr(exports, "ask", ask)
    return said


def ask_exports(results: list[TrainingResult], session: Session, fresh: bool = False) -> None:
    """Ask what is not stored."""
    ask_all(exports.questions(results, session, WORKLOAD.name), session.directory, fresh, lambda line: None)


def run(directory: Path) -> tuple[list[TrainingResult], Session]:
    """A directory with one cell that left its network."""
    cell = result()
    with archive.opened(directory):
        origin = {"implementation": "matched-pytorch", "framework": "pytorch", "versions": {}}
        digest = portable.save(archive.unfinished_model(directory, cell.cell), WORKLOAD, WEIGHTS, origin)
        archive.save(directory, replace(cell, model=digest))
    entries = {entry.name: entry for entry in registry.BUILT_IN}
    return archive.results(directory), Session(directory, entries, directory, MACHINE, 60.0)


def test_what_still_holds_is_not_made_again(tmp_path: Path, asked: list[str]) -> None:
    """Unless it failed, or everything is to be fresh."""
    results, session = run(tmp_path)
    ask_exports(results, session)
    first = list(asked)
    ask_exports(results, session)
    assert asked == first == ["onnx", "torch", "native"]
    (kept,) = [kept for kept in archive.records(tmp_path, StoredExport) if kept.export.format == "torch"]
    archive.save_record(tmp_path, replace(kept, export=replace(kept.export, status="failed")))
    ask_exports(results, session)
    assert asked == [*first, "torch"]
    ask_exports(results, session, fresh=True)
    assert len(asked) == 7


def test_a_network_that_was_trained_anew_is_exported_anew(tmp_path: Path, asked: list[str]) -> None:
    """What is kept says of which network it was."""
    results, session = run(tmp_path)
    ask_exports(results, session)
    before = len(asked)
    with archive.opened(tmp_path):
        origin = {"implementation": "matched-pytorch", "framework": "pytorch", "versions": {"torch": "9"}}
        digest = portable.save(archive.unfinished_model(tmp_path, results[0].cell), WORKLOAD, WEIGHTS, origin)
        archive.save(tmp_path, replace(results[0], model=digest))
    ask_exports(archive.results(tmp_path), session)
    assert len(asked) == 2 * before


def test_a_report_tells_what_was_exported(tmp_path: Path) -> None:
    """In Table 1 with the size of the file, and in a CSV whose columns are explained."""
    directory = save(tmp_path, clear())
    for made in (GOOD, replace(GOOD, format="torch", status="failed", reason="it broke")):
        archive.save_record(directory, StoredExport(WORKLOAD.name, "matched-pytorch", "d", made))
    page = build.build(directory).html.read_text()
    assert "9,999 of 10,000 test images alike" in page and "it broke" in page
    assert "440000" in (directory / "tables" / "exports.csv").read_text()
    assert "agree" in (directory / "columns.md").read_text()
