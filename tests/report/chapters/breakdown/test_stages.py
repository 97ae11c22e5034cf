"""Where an epoch's time goes, from passes made by hand: shares, the table, sentences, the chart, the report."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats
from synthetic import MACHINE, UNDRAWN, clear, save

from bench.report import build, page
from bench.report.chapters.breakdown import charts, stages
from bench.report.groups import Group
from bench.store import archive
from bench.store.records.breakdown import PASSES, Breakdown

ROUNDS = (9.0, 1.0, 1.1, 0.9)
"""What is multiplied with the seconds of each pass: the first round, in which everything is slow, then three."""


def broken_down(framework: str, *seconds: float) -> Breakdown:
    """A program whose passes over 10,000 images take so many seconds, of 60,000 in an epoch."""
    passes = {name: tuple(factor * one for factor in ROUNDS) for name, one in zip(PASSES, seconds, strict=True)}
    return Breakdown(
        f"documented-{framework}", "documented", framework, "mlp-128-64", "cpu", 2, "d1935700",
        "2026-01-01T00:00:00.000+00:00", MACHINE.machine, "ok", "", {"numpy": "2.4.6"}, 10_000, 60_000, passes,
    )  # fmt: skip


PYTORCH = broken_down("pytorch", 0.01, 1.21, 1.31, 1.41, 1.55, 1.60)
KERAS = broken_down("keras", 0.10, 0.20, 0.25, 0.30, 0.36, 0.40)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Timed cells of both tiers: documented PyTorch 9.87 s for an epoch, Keras 2.31 s."""
    return save(tmp_path / "out", clear())


def shown(directory: Path, *found: Breakdown) -> tuple[pd.DataFrame, Group]:
    """The table of these breakdowns beside the cells, and the group that they belong to."""
    for one in found:
        archive.save_record(directory, one)
    session = build.read(directory)
    return session.frames["breakdown"], session.groups[0]


def test_a_stage_is_what_it_adds_to_the_pass_before(directory: Path) -> None:
    """Per image and as a share, by medians over the rounds after the first; all stages together are the epoch."""
    frame, _ = shown(directory, PYTORCH)
    found = frame.set_index("stage")
    expected = {"data feeding": 120.0, "forward": 10.0, "backward": 10.0, "optimiser": 14.0, "rest": 6.0}
    assert found["image_s"].to_dict() == pytest.approx({stage: value / 1e6 for stage, value in expected.items()})
    assert found["share"].to_dict() == pytest.approx({stage: value / 160 for stage, value in expected.items()})
    assert found["share"].sum() == pytest.approx(1)
    assert found.loc["data feeding", ["image_s_low", "image_s_high"]].tolist() == pytest.approx([108e-6, 132e-6])
    assert found.loc["data feeding", "stage_epoch_s"] == pytest.approx(7.2)
    assert set(found["rounds"]) == {3} and set(found["images"]) == {10_000}


def test_the_timed_epoch_stands_beside_the_whole(directory: Path) -> None:
    """Of the same program, network, device and threads; empty where that was not timed, never 0."""
    frame, _ = shown(directory, PYTORCH, replace(KERAS, threads=1))
    found = frame.drop_duplicates("implementation").set_index("implementation")
    assert found.loc["documented-pytorch", "whole_image_s"] == pytest.approx(160e-6)
    assert found.loc["documented-pytorch", "timed_image_s"] == pytest.approx(stats.gmean([9.7, 9.9, 10.0]) / 60_000)
    assert pd.isna(found.loc["documented-keras", "timed_image_s"])


def test_sentences_are_computed_from_the_values(directory: Path) -> None:
    """Shares of feeding, what is left without, both programs with and without, and the document's own figures."""
    frame, group = shown(directory, PYTORCH, KERAS)
    feeding, ratio, document = stages.sentences(frame, group)
    assert "75 % of an epoch of PyTorch and 25 % of an epoch of Keras on TensorFlow" in feeding
    assert "40.0 µs per image are left of PyTorch and 30.0 µs per image are left of Keras on TensorFlow" in feeding
    assert "4.00 times as long as Keras on TensorFlow with its data feeding, and 1.33 times without" in ratio
    assert "about 45 s for PyTorch and about 50 s for Keras on TensorFlow" in document
    assert "33.7 s of PyTorch’s and 12.5 s of Keras on TensorFlow’s would have been data feeding" in document


def test_a_program_without_timed_cells_is_shown(directory: Path) -> None:
    """Its cells may have been measured again without it."""
    frame, group = shown(directory, replace(PYTORCH, implementation="documented-other"))
    assert stages.sheet(frame, group).rows[0][0] == "other (documented)"
    assert charts.chart(frame, group) and stages.sentences(frame, group)


def test_one_program_alone_is_compared_with_nothing(directory: Path) -> None:
    """Its own share and the document's figure for it are told."""
    frame, group = shown(directory, KERAS)
    told = " ".join(stages.sentences(frame, group))
    assert "25 % of an epoch of Keras on TensorFlow;" in told and "about 50 s" in told
    assert "PyTorch" not in told and "without either" not in told


def test_a_stage_below_zero_is_said_and_not_drawn(directory: Path) -> None:
    """An epoch that took less than the pass before it: the rest is negative in the table, and the note says why."""
    frame, group = shown(directory, broken_down("pytorch", 0.01, 1.21, 1.31, 1.41, 1.55, 1.50))
    assert frame.set_index("stage").loc["rest", "image_s"] == pytest.approx(-4e-6)
    sheet = stages.sheet(frame, group)
    assert "Rest came out below 0: smaller than the noise of this run, and not drawn." in sheet.note
    assert any(row[1] == "rest" and row[2].startswith("-4.0 µs") for row in sheet.rows)
    chart = charts.chart(frame, group)
    assert chart is not None
    assert "rest -4.0 µs" in chart.text


def test_a_disturbed_run_is_no_answer(directory: Path) -> None:
    """Its share is not told where a stage is far below 0, or its epoch another one than the timed."""
    frame, group = shown(directory, broken_down("pytorch", 0.01, 1.21, 1.31, 1.41, 1.55, 1.30), KERAS)
    told = stages.sentences(frame, group)
    assert "25 % of an epoch of Keras on TensorFlow;" in told[0] and "of PyTorch" not in told[0]
    assert told[-1].startswith("The run apart of PyTorch was disturbed: some of its stages came out far below 0.")
    frame, group = shown(directory, broken_down("pytorch", 0.1, 12.1, 13.1, 14.1, 15.5, 16.0))
    assert "its epoch took 9.73 times as long as the timed one" in stages.sentences(frame, group)[-1]


def test_a_program_that_was_lost_says_why(directory: Path) -> None:
    """No figures, no bar; the other one is shown."""
    lost = replace(KERAS, status="skipped", reason="tensorflow is not installed", images=None, passes={})
    frame, group = shown(directory, PYTORCH, lost)
    row = frame[frame["implementation"] == "documented-keras"].iloc[0]
    assert pd.isna(row["stage"]) and pd.isna(row["image_s"]) and row["status"] == "skipped"
    assert (
        "Keras on TensorFlow (documented) was not broken down: tensorflow is not installed."
        in stages.sheet(frame, group).note
    )
    chart = charts.chart(frame, group)
    assert chart is not None
    assert "Keras" not in chart.text
    only, group = shown(directory, replace(PYTORCH, status="failed", reason="no", passes={}))
    assert charts.chart(only, group) is None and stages.sheet(only, group).rows == ()


def test_a_process_that_was_ended_between_two_rounds_is_lost_as_a_whole(directory: Path) -> None:
    """Whatever it had told before."""
    cut = replace(PYTORCH, passes=PYTORCH.passes | {"epoch": (1.0,)})
    frame, _ = shown(directory, cut)
    assert frame[["status", "reason"]].to_numpy().tolist() == [["failed", "it did not come to its end"]]


def test_the_table_ends_each_program_with_whole_and_timed(directory: Path) -> None:
    """So that a reader sees whether the run apart was the same program."""
    frame, group = shown(directory, PYTORCH, KERAS)
    rows = [row for row in stages.sheet(frame, group).rows if row[0] == "PyTorch (documented)"]
    assert [row[1] for row in rows][-2:] == ["all stages: the epoch of this run", "the timed epoch"]
    assert rows[0][1:] == ("data feeding", "120.0 µs\n108.0 to 132.0", "75 %", "7.20 s")
    assert rows[-2][2:] == ("160.0 µs", "100 %", "9.60 s") and rows[-1][2:] == ("164.4 µs", "103 %", "9.87 s")


def test_the_chart_is_read_without_colours(directory: Path) -> None:
    """Every stage that has room carries its figures, and each has them in the picture's description."""
    frame, group = shown(directory, PYTORCH, KERAS)
    chart = charts.chart(frame, group)
    assert chart is not None
    assert chart.name == "breakdown.mlp-128-64.cpu.2t"
    assert "PyTorch (documented): data feeding 120.0 µs (75 %), forward 10.0 µs (6 %)" in chart.text
    assert "75 %" in chart.svg and "timed 164.4 µs" in chart.svg and "60,000 images" in chart.svg


def test_the_report_has_the_section_where_there_are_breakdowns(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the claims, with table, chart and sentences; a directory of before keeps its report as it was."""
    monkeypatch.setattr(page, "CHAPTERS", UNDRAWN)
    before = build.build(directory).html.read_text()
    assert "Where the time goes" not in before and not (directory / "tables" / "breakdown.csv").exists()
    shown(directory, PYTORCH, KERAS)
    html = build.build(directory).html.read_text()
    assert html.index('id="claims"') < html.index('id="breakdown"') < html.index('id="comparison"')
    assert "would have been data feeding" in html and "tables/breakdown.csv" in html
    assert "Where the time goes" in (directory / "report.md").read_text()
    stored = pd.read_csv(directory / "tables" / "breakdown.csv")
    assert len(stored) == 10 and "## tables/breakdown.csv" in (directory / "columns.md").read_text()
