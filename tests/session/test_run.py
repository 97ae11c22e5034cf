"""The order of a run's stages, with a session that measures nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from synthetic import WORKLOAD, result

from bench import statistics
from bench.session.choice import Options
from bench.session.plan import Plan
from bench.session.run import measure
from bench.store import archive
from bench.store.records.cell import Cell
from bench.store.records.training import TrainingResult
from impls import registry


class Scripted:
    """A session whose cells all take a second and whose Keras fails; it remembers what it was asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.measured: list[Cell] = []
        self.repeats: list[int] = []

    def run(
        self, cells: Sequence[Cell], kept: Mapping[str, TrainingResult], say: Any, repeats: int
    ) -> dict[str, TrainingResult]:
        """Measure what is not kept."""
        self.repeats.append(repeats)
        new = [cell for cell in cells if cell.key not in kept]
        self.measured += new
        made = {}
        for cell in new:
            bad = cell.implementation == "documented-keras"
            one = result(cell.implementation, epoch_s=1 + 0.01 * (cell.block % 3), status="failed" if bad else "ok")
            made[cell.key] = replace(one, cell=cell)
        return dict(kept) | made


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """A session in an empty directory, in which everything has been verified."""
    monkeypatch.setattr("bench.session.run.verify", lambda *_: None)
    with archive.opened(tmp_path):
        return Scripted(tmp_path)


def plan(blocks: int) -> Plan:
    """Three implementations, one of which fails."""
    names = ("matched-pytorch", "matched-keras", "documented-keras")
    entries = [entry for entry in registry.BUILT_IN if entry.name in names]
    return Plan([WORKLOAD], entries, ["cpu"], [2], blocks, 3, 1, "data")


def test_without_a_target_the_blocks_are_those_of_the_plan(scripted: Scripted) -> None:
    """One stage; one block in five may be repeated unless another number is given."""
    done = measure(plan(10), scripted, {}, Options(), lambda *_, **__: None)  # type: ignore[arg-type]
    assert done.blocks == 10 and len(scripted.measured) == 40
    assert scripted.repeats == [2] and archive.size(scripted.directory) is None
    measure(plan(10), scripted, {}, Options(repeats=7), lambda *_, **__: None)  # type: ignore[arg-type]
    assert scripted.repeats[-1] == 7


def test_a_pilot_comes_first_and_fixes_the_number(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured twice, not even what failed; the number is kept, and announced between the stages."""
    monkeypatch.setattr(statistics, "blocks_needed", lambda differences, half_width: 12)
    lines: list[str] = []
    done = measure(plan(5), scripted, {}, Options(precision=0.02), lambda line, **_: lines.append(line))  # type: ignore[arg-type]
    assert done.blocks == 12 and len(scripted.measured) == 48 == len({cell.key for cell in scripted.measured})
    assert [cell.block for cell in scripted.measured] == sorted(cell.block for cell in scripted.measured)
    size = archive.size(scripted.directory)
    assert size is not None and (size.pilot, size.blocks) == (5, 12)
    assert any("asks for 12 in all, 7 blocks more" in line for line in lines)


def test_of_a_precision_and_a_time_the_smaller_counts(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time bounds what a precision asks for, and the other way round."""
    monkeypatch.setattr(statistics, "blocks_needed", lambda differences, half_width: 1000)
    done = measure(plan(2), scripted, {}, Options(precision=0.02, budget_s=200.0), lambda *_, **__: None)  # type: ignore[arg-type]
    assert 2 <= done.blocks < 100
    again = measure(plan(2), scripted, {}, Options(precision=0.02, budget_s=1e9), lambda *_, **__: None)  # type: ignore[arg-type]
    assert again.blocks == 1000
