"""The forest plot, drawn for sessions made by hand."""

import math
from pathlib import Path

import pytest
from synthetic import clear, result, save, session

from bench.report import build
from bench.report.chapters.comparison import charts
from bench.report.chapters.comparison.charts import Line
from bench.store.records.training import TrainingResult


def lines(tmp_path: Path, found: list[TrainingResult]) -> list[Line]:
    """The rows of the chart of the only group."""
    (group,) = build.read(save(tmp_path / "r", found)).groups
    return charts.lines(group)


def test_every_pair_and_the_control_have_a_row(tmp_path: Path) -> None:
    """Those of one tier first; the slower over the faster, so that every ratio of a pair is at least 1."""
    rows = lines(tmp_path, clear())
    assert len(rows) == 7
    assert [row.over for row in rows[:2]] == ["Keras on TensorFlow (matched)", "PyTorch (documented)"] or [
        row.over for row in rows[:2]
    ] == ["PyTorch (documented)", "Keras on TensorFlow (matched)"]
    assert rows[-1].over == "A/A control" and not rows[-1].decided
    assert all(row.estimate >= 1 for row in rows[:-1])


def test_the_chart_says_its_figures_in_words(tmp_path: Path) -> None:
    """Names and ratios stand in its description, for those who do not see it."""
    (group,) = build.read(save(tmp_path / "r", clear())).groups
    chart = charts.ratios(group)
    assert chart is not None
    assert "Keras on TensorFlow (matched) over PyTorch (matched) 2.9" in chart.text
    assert chart.svg.count("PyTorch (matched)") > 2


@pytest.mark.parametrize(
    "found",
    [
        session({"matched-pytorch": [1.0], "matched-keras": [2.0]}, [1.0]),
        session({"matched-pytorch": [1.0, 100.0], "matched-keras": [100.0, 1.0]}),
        session({"matched-pytorch": [1.0, 1.0, 1.0], "matched-keras": [1.0, 1.0, 1.0]}, [1.0, 1.0, 1.0]),
        session({"matched-pytorch": [1e-4, 1e-4], "matched-keras": [50.0, 60.0]}),
    ],
    ids=["one block", "no end", "all equal", "far apart"],
)
def test_any_session_can_be_drawn(tmp_path: Path, found: list[TrainingResult]) -> None:
    """Intervals without an end, of no width, and ratios of half a million."""
    (group,) = build.read(save(tmp_path / "r", found)).groups
    assert charts.ratios(group) is not None
    left, right = charts.ends(charts.lines(group), charts.band(group))
    assert 0 < left < 1 < right < math.inf


def test_nothing_to_compare_has_no_chart(tmp_path: Path) -> None:
    """One implementation and its control are no comparison."""
    assert lines(tmp_path, [result(block=1), result(block=2), result(block=1, role="control")]) == []
