"""What the test images were taken for: tables, charts and the kept test set, from predictions made by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import result, save

from bench.data import mnist
from bench.report import build, groups, pairs
from bench.report import runs as report_runs
from bench.report.chapters import digits
from bench.report.chapters.digits import charts as digits_charts
from bench.report.chapters.digits import frames as digits_frames
from bench.store import archive, predictions
from bench.store.predictions import TestSet
from bench.store.records.training import TrainingResult

LABELS = np.array([7, 2, 1, 0, 4, 7, 7], np.uint8)
IMAGES = {number: np.full((28, 28), 30 * number, np.uint8) for number in range(7)}
TEST = TestSet(LABELS, IMAGES)


def said(predicted: str, implementation: str = "matched-pytorch", block: int = 1, **changes: Any) -> TrainingResult:
    """A result with these predictions."""
    return result(implementation, block, predicted=predicted, data="d1", **changes)


RESULTS = [
    said("7210477"), said("7210471", block=2), said("7214477", "matched-keras"), said("1214477", "matched-keras", 2),
    said("0000000", role="control"), said("7210477", "documented-keras"),
]  # fmt: skip


def test_each_digit_is_counted_over_processes() -> None:
    """Sevens: three in one process of PyTorch, two in the other."""
    frame = digits_frames.by_digit(RESULTS, TEST).set_index(["implementation", "digit"])
    seven = frame.loc[("matched-pytorch", 7)]
    assert (seven["images"], seven["correct"], seven["processes"]) == (3, 2.5, 2)
    assert seven["accuracy"] == pytest.approx(2.5 / 3)
    assert frame.loc[("matched-pytorch", 9), "images"] == 0 and np.isnan(frame.loc[("matched-pytorch", 9), "accuracy"])
    assert frame.loc[("matched-keras", 0), "correct"] == 0.0


def test_what_a_digit_was_taken_for_is_counted() -> None:
    """Means over processes; the control's predictions are nobody's."""
    frame = digits_frames.confusion(RESULTS, TEST).set_index(["implementation", "digit", "taken_for"])["images"]
    assert frame[("matched-keras", 7, 1)] == 0.5 and frame[("matched-keras", 0, 4)] == 1.0
    assert ("matched-pytorch", 7, 0) not in frame.index
    assert frame[("matched-pytorch", 7, 7)] == 2.5


def test_disagreements_are_counted_block_by_block_within_a_tier() -> None:
    """And who was right."""
    frame = digits_frames.disagreements(RESULTS, TEST)
    assert frame[["a", "b", "block", "images", "only_a", "only_b", "neither"]].values.tolist() == [
        ["matched-pytorch", "matched-keras", 1, 1, 1, 0, 0],
        ["matched-pytorch", "matched-keras", 2, 3, 2, 1, 0],
    ]


def test_predictions_of_another_test_set_are_left_out() -> None:
    """As many predictions as labels, or none."""
    assert digits_frames.by_digit([said("721"), result()], TEST).empty
    assert digits_frames.by_digit(RESULTS, predictions.NO_TEST_SET).empty


def test_the_test_set_is_kept_with_the_images_that_were_mistaken(tmp_path: Path) -> None:
    """The labels of all, the first images, and those that anybody took for something else."""
    random = np.random.default_rng(3)
    images, labels = random.integers(0, 255, (40, 28, 28), dtype=np.uint8), np.arange(40, dtype=np.uint8) % 10
    mnist.write(tmp_path / "data", images, labels, images, labels)
    right = "".join(map(str, labels))
    wrong = right[:33] + "9" + right[34:]
    results = [said(right), said(wrong, "matched-keras"), said(right[:-1] + "0", role="control")]
    with archive.opened(tmp_path / "out"):
        predictions.keep(tmp_path / "out", tmp_path / "data", results, "d1")
    kept = predictions.read(tmp_path / "out", results)
    assert kept.labels.tolist() == labels.tolist() and sorted(kept.images) == [*range(10), 33]
    assert (kept.images[33] == images[33]).all()
    other = replace(results[0], cell=replace(results[0].cell, data="d2"))
    assert predictions.read(tmp_path / "out", [other]) is predictions.NO_TEST_SET
    assert predictions.read(tmp_path / "out", [*results, other]) is predictions.NO_TEST_SET


def test_charts_show_images_with_what_was_said_of_them() -> None:
    """The first four, each implementation's mistakes, and where two of a tier disagree."""
    found = digits_frames.by_implementation(RESULTS, TEST)
    charts = [chart for chart in digits_charts.of_group("tiny, CPU", "tiny.cpu.2t", found, TEST) if chart]
    by_name = {chart.name: chart for chart in charts}
    assert set(by_name) == {
        "first.tiny.cpu.2t", "mistaken.tiny.cpu.2t.matched-keras", "apart.tiny.cpu.2t.matched-pytorch.matched-keras"
    }  # fmt: skip
    assert "The first 4 test images are 7, 2, 1, 0" in by_name["first.tiny.cpu.2t"].text
    assert "number 3 0, not 4" in by_name["mistaken.tiny.cpu.2t.matched-keras"].text
    assert "number 3 is 0, 0 / 4" in by_name["apart.tiny.cpu.2t.matched-pytorch.matched-keras"].text
    assert all("<svg" in chart.svg for chart in charts)


def test_the_report_has_tables_and_charts_of_digits(tmp_path: Path) -> None:
    """From the cells and the kept test set alone; without one it goes without."""
    random = np.random.default_rng(3)
    images = random.integers(0, 255, (7, 28, 28), dtype=np.uint8)
    mnist.write(tmp_path / "data", images, LABELS, images, LABELS)
    directory = save(tmp_path / "out", RESULTS)
    assert "Digit by digit" not in build.build(directory).html.read_text()
    predictions.keep(directory, tmp_path / "data", RESULTS, "d1")
    page = build.build(directory).html.read_text()
    assert "Digit by digit: mlp-128-64" in page and "Mistaken by Keras on TensorFlow (matched)" in page
    assert (directory / "tables" / "digits.csv").exists() and (directory / "tables" / "disagreements.csv").exists()
    assert len(list((directory / "charts").glob("mistaken.*.svg"))) == 1
    assert "no finite numbers" not in page


def test_logits_that_were_no_numbers_are_told_in_one_line(tmp_path: Path) -> None:
    """With how many processes there were; results of before predictions were kept have a loss, and no line."""
    images = np.zeros((7, 28, 28), np.uint8)
    mnist.write(tmp_path / "data", images, LABELS, images, LABELS)
    lost = said("", block=2)
    lost = replace(lost, epochs=(*lost.epochs[:-1], replace(lost.epochs[-1], test_loss=None)))
    results = [said("7210477"), lost, said("", "matched-keras")]
    directory = save(tmp_path / "out", results)
    predictions.keep(directory, tmp_path / "data", results, "d1")
    page = build.build(directory).html.read_text()
    assert "The last logits are no finite numbers, so there are no digits: PyTorch (matched) (1 process)." in page


def test_tables_for_people_have_a_column_for_each_implementation() -> None:
    """Share and number; a dot where nothing happened."""
    runs = report_runs.runs_frame(RESULTS, [])
    frames = {"runs": runs, "summary": pairs.summary_frame(runs)}
    frames |= {
        "control": pairs.control(runs),
        "comparison": pairs.comparison(runs),
    }
    (group,) = groups.groups(frames, {"mlp-128-64": 5}, "mlp-128-64")
    sheet = digits.by_digit(digits_frames.by_digit(RESULTS, TEST), group)
    assert sheet.columns[2:] == (
        "PyTorch (matched)",
        "Keras on TensorFlow (matched)",
        "Keras on TensorFlow (documented)",
    )
    assert ("7", "3", "83.33 %\n2.5 correct", "83.33 %\n2.5 correct", "100.00 %\n3.0 correct") in sheet.rows
    counts = digits.confusion(digits_frames.confusion(RESULTS, TEST), group)[1]
    assert counts.rows[7] == ("7", "·", "0.5", "·", "·", "·", "·", "·", "2.5", "·", "·")
    apart = digits.disagreements(digits_frames.disagreements(RESULTS, TEST), group)
    assert apart.rows == (("PyTorch (matched)", "Keras on TensorFlow (matched)", "2.0\n1–3", "1.5", "0.5", "0.0"),)
