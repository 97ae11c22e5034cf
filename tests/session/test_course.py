"""The order of a run's stages, with a session that measures nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from synthetic import MACHINE, WORKLOAD, result

from bench import statistics
from bench.session import course
from bench.session.blocks.forecast import Forecast
from bench.session.choice import Options
from bench.session.course import Course
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import archive
from bench.store.records.cell import Cell
from bench.store.records.training import TrainingResult
from impls import registry


class Scripted:
    """Cells that all take a second, and a Keras that fails; it remembers what was measured, and what was done when."""

    def __init__(self, directory: Path) -> None:
        self.session = Session(directory, {}, directory, MACHINE, 60.0)
        self.cells: list[Cell] = []
        self.repeats: list[int] = []
        self.events: list[str] = []
        self.lines: list[str] = []

    def measure(
        self,
        session: Session,
        cells: Sequence[Cell],
        kept: Mapping[str, TrainingResult],
        say: Any,
        repeats: int,
        *_: object,
    ) -> dict[str, TrainingResult]:
        """Measure what is not kept."""
        self.repeats.append(repeats)
        new = [cell for cell in cells if cell.key not in kept]
        self.events += dict.fromkeys(f"measure {cell.tier}" for cell in new)
        self.cells += new
        made = {}
        for cell in new:
            bad = cell.implementation == "documented-keras"
            one = result(cell.implementation, epoch_s=1 + 0.01 * (cell.block % 3), status="failed" if bad else "ok")
            made[cell.key] = replace(one, cell=cell)
        return dict(kept) | made

    def verify(self, session: Session, plan: Plan, *_: object, **__: object) -> None:
        """All is well."""
        self.events += dict.fromkeys(f"verify {entry.tier}" for entry in plan.entries)

    def run(self, blocks: int, **options: Any) -> Plan:
        """A whole course; the plan that was carried out in the end."""
        first = plan(blocks)
        made = Course(
            first, self.session, Options(**options), lambda line, **_: self.lines.append(line),
            lambda: self.events.append("answer"), Forecast(first.cells(), (), 0.0),
        )  # fmt: skip
        return made.run({})


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """A session in an empty directory."""
    made = Scripted(tmp_path)
    monkeypatch.setattr(course, "verify", made.verify)
    monkeypatch.setattr(course, "measure_blocks", made.measure)
    with archive.opened(tmp_path):
        return made


def plan(blocks: int) -> Plan:
    """Three implementations, one of which fails."""
    names = ("matched-pytorch", "matched-keras", "documented-keras")
    entries = [entry for entry in registry.BUILT_IN if entry.name in names]
    return Plan([WORKLOAD], entries, ["cpu"], [2], blocks, 3, 1, "data")


def test_each_stage_is_verified_measured_and_answered_before_the_next(scripted: Scripted) -> None:
    """What isolates the framework comes first; after the last stage the report says it all."""
    scripted.run(2)
    assert scripted.events == [
        "verify matched", "measure matched", "answer", "verify documented", "measure documented",
    ]  # fmt: skip


def test_without_a_target_the_blocks_are_those_of_the_plan(scripted: Scripted) -> None:
    """One block in five may be repeated unless another number is given."""
    assert scripted.run(10).blocks == 10 and len(scripted.cells) == 40
    assert scripted.repeats == [2, 2] and archive.size(scripted.session.directory) is None
    scripted.run(10, repeats=7)
    assert scripted.repeats[-1] == 7


def test_a_pilot_comes_first_and_fixes_the_number(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured twice, not even what failed; the number is kept, and announced between the stages."""
    monkeypatch.setattr(statistics, "blocks_needed", lambda differences, half_width: 12)
    done = scripted.run(5, precision=0.02)
    assert done.blocks == 12 and len(scripted.cells) == 48 == len({cell.key for cell in scripted.cells})
    assert {cell.block for cell in scripted.cells[:20]} == {1, 2, 3, 4, 5}
    assert scripted.events == [
        "verify matched", "measure matched", "verify documented", "measure documented",
        "measure matched", "answer", "measure documented",
    ]  # fmt: skip
    size = archive.size(scripted.session.directory)
    assert size is not None and (size.pilot, size.blocks) == (5, 12)
    assert any("asks for 12 in all, 7 blocks more" in line for line in scripted.lines)


def test_of_a_precision_and_a_time_the_smaller_counts(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time bounds what a precision asks for, and the other way round."""
    monkeypatch.setattr(statistics, "blocks_needed", lambda differences, half_width: 1000)
    assert 2 <= scripted.run(2, precision=0.02, budget_s=200.0).blocks < 100
    assert scripted.run(2, precision=0.02, budget_s=1e9).blocks == 1000
