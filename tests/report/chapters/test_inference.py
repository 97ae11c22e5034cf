"""Inference by itself, from records made by hand: the table, the sheet, and what is missing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats
from synthetic import WORKLOAD, result, save

from bench.display.tables import Sheet
from bench.report import build
from bench.report.chapters import inference as chapters_inference
from bench.store import archive
from bench.store.records.training import Inference, TrainingResult
from bench.store.records.verification import Verification

PYTORCH, KERAS = "matched-pytorch", "matched-keras"


def timed(implementation: str, block: int, image_s: float, **changes: Any) -> TrainingResult:
    """A process that predicts an image in ``image_s``, a batch of 1,000 in ten times and a test set in 50 times that.

    The first call takes a hundred times as long; a fifth of the calls takes long and does not move the median.
    """
    image, batch = ([seconds] * 4 + [9.0] for seconds in (image_s, 10 * image_s))
    made = result(implementation, block, **changes)
    epochs = [replace(epoch, predict_s=50 * image_s) for epoch in made.epochs]
    inference = (Inference(1, 100 * image_s, tuple(image), "model(x)"), Inference(1000, 8.0, tuple(batch)))
    return replace(made, epochs=tuple(epochs), predicted="7" * 10_000, inference=inference)


def both(**changes: Any) -> list[TrainingResult]:
    """Two implementations, three blocks; one takes four times the other's time in each block."""
    times = (0.001, 0.003, 0.002)
    return [timed(PYTORCH, i, seconds, **changes) for i, seconds in enumerate(times, 1)] + [
        timed(KERAS, i, 4 * seconds, **changes) for i, seconds in enumerate(times, 1)
    ]


def row(results: Sequence[TrainingResult], implementation: str, predicted: str = "image") -> dict[str, Any]:
    """The one row for it."""
    frame = chapters_inference.inference(results)
    (found,) = frame[(frame["implementation"] == implementation) & (frame["predicted"] == predicted)].to_dict("records")
    return found


def test_a_row_has_the_geometric_mean_over_processes_of_their_medians_and_the_range() -> None:
    """Of the calls after the first, which has a column of its own; images per second are by that mean."""
    found = row(both(), PYTORCH)
    assert (found["images"], found["processes"], found["tier"]) == (1, 3, "matched")
    mean_s = stats.gmean([0.001, 0.003, 0.002])
    assert (found["call_s_low"], found["call_s_high"]) == (0.001, 0.003) and found["call_s"] == pytest.approx(mean_s)
    assert found["first_s"] == pytest.approx(100 * mean_s)
    assert found["images_per_second"] == pytest.approx(1 / mean_s)
    batch, whole = (row(both(), PYTORCH, kind) for kind in ("batch", "test set"))
    assert (batch["images"], batch["call_s"], batch["first_s"]) == (1000, pytest.approx(10 * mean_s), 8.0)
    assert (whole["images"], whole["call_s"]) == (10_000, pytest.approx(50 * mean_s))
    assert whole["images_per_second"] == pytest.approx(10_000 / (50 * mean_s))


def test_the_ratio_is_to_the_fastest_at_the_same_by_block() -> None:
    """Blocks that differ among themselves do not widen it; the fastest is 1 and has no interval."""
    slow, fast = row(both(), KERAS), row(both(), PYTORCH)
    assert [slow[name] for name in ("estimate", "low", "high")] == pytest.approx([4, 4, 4]) and slow["blocks"] == 3
    assert fast["estimate"] == 1 and pd.isna(fast["low"]) and pd.isna(fast["high"])


def test_a_yardstick_is_not_what_others_are_measured_by() -> None:
    """A program that does nothing is faster than all; by itself it is the fastest that there is."""
    nothing = [timed("null", block, 1e-6) for block in (1, 2, 3)]
    assert row([*both(), *nothing], PYTORCH)["estimate"] == 1
    assert row([*both(), *nothing], "null")["estimate"] < 0.01
    assert row(nothing, "null")["estimate"] == 1


def test_without_a_common_block_there_is_no_ratio() -> None:
    """And with one there is no interval."""
    assert pd.isna(row([timed(PYTORCH, 1, 0.001), timed(KERAS, 2, 0.004)], KERAS)["estimate"])
    found = row([timed(PYTORCH, 1, 0.001), timed(KERAS, 1, 0.004)], KERAS)
    assert (found["estimate"], found["low"], found["blocks"]) == (pytest.approx(4), 0, 1)


def test_what_was_not_timed_has_no_row() -> None:
    """Results of before have the whole test set alone; where images are held out its time is that of more images."""
    old = replace(timed(PYTORCH, 1, 0.001), inference=())
    assert list(chapters_inference.inference([old])["predicted"]) == ["test set"]
    held_out = [timed(PYTORCH, 1, 0.001, workload=replace(WORKLOAD, validation=0.1))]
    assert list(chapters_inference.inference(held_out)["predicted"]) == ["image", "batch"]
    assert (
        chapters_inference.inference([result()]).empty
        and list(chapters_inference.inference([])) == chapters_inference.INFERENCE.names
    )


def test_a_time_that_the_clock_cannot_tell_is_missing() -> None:
    """A 0 has no ratio and no rate; nor have calls that are not there."""
    for seconds in ((0.0, 0.0), ()):
        assert chapters_inference.inference([replace(result(), inference=(Inference(1, 0.0, seconds),))]).empty


def sheet(directory: Path, results: Sequence[TrainingResult]) -> Sheet:
    """The sheet of the only group."""
    session = build.read(save(directory, results))
    (group,) = session.groups
    return chapters_inference.sheet(session.frames["inference"], group)


def test_the_sheet_has_a_row_for_each_implementation_the_fastest_first(tmp_path: Path) -> None:
    """Times in ms with their ranges, beneath them how many times the fastest's; images per second of the largest."""
    found = sheet(tmp_path, [*both(), timed(PYTORCH, 1, 1.0, role="control")])
    assert found.columns == ("implementation", "one image by", "one image, first call", "one image",
                             "one batch of 1,000", "all 10,000 test images", "images per second")  # fmt: skip
    assert found.rows[0] == ("PyTorch\nmatched", "model(x)", "0.182 s", "1.82 ms (1.00–3.00)\nthe fastest",
                             "18.2 ms (10.0–30.0)\nthe fastest", "90.9 ms (50.0–150.0)\nthe fastest", "110,000")  # fmt: skip
    assert found.rows[1][3] == "7.27 ms (4.00–12.00)\n4.00 times (4.00–4.00)"


def test_each_row_says_by_which_call_one_image_is_answered(tmp_path: Path) -> None:
    """As the program said; results that do not know it are not given one, and the page says what they are."""
    old = replace(timed(KERAS, 1, 0.004), inference=(Inference(1, 0.1, (0.08,) * 10),))
    told = sheet(tmp_path / "old", [timed(PYTORCH, 1, 0.001), old])
    assert [line[1] for line in told.rows] == ["model(x)", "not recorded"]
    assert chapters_inference.OLDER in told.note and chapters_inference.GUIDES not in told.note
    new = sheet(tmp_path / "new", both())
    assert chapters_inference.GUIDES in new.note and chapters_inference.OLDER not in new.note
    said = replace(timed(PYTORCH, 1, 0.001), switches={"predict": "model.predict(x)"})
    assert row([said], PYTORCH)["call"] == "model(x)" and row([said], PYTORCH, "test set")["call"] == "model.predict(x)"
    other = replace(old, cell=replace(old.cell, block=2), inference=(Inference(1, 0.1, (0.08,) * 10, "net(x)"),))
    assert row([old, other], KERAS)["call"] == "not recorded and net(x)"


def test_the_sheet_shows_what_there_is_and_says_why_there_is_no_more(tmp_path: Path) -> None:
    """A dash for what is missing, the reason beneath; no column that nobody has a value for."""
    broken = replace(timed(KERAS, 1, 0.004), inference=(), no_inference="RuntimeError: once is enough")
    found = sheet(tmp_path / "broken", [timed(PYTORCH, 1, 0.001), broken])
    assert found.rows[1][:5] == ("Keras on TensorFlow\nmatched", "–", "–", "–", "–")
    assert found.note.endswith("Keras on TensorFlow (matched) could not be timed: RuntimeError: once is enough.")
    old = [replace(one, inference=()) for one in both()]
    assert sheet(tmp_path / "old", old).columns == ("implementation", "all 10,000 test images", "images per second")
    assert sheet(tmp_path / "none", [result()]).rows == ()


def test_the_report_shows_it_and_keeps_the_table(tmp_path: Path) -> None:
    """On both pages and as CSV, explained column by column; who fails the gate is in neither."""
    for name, gates in (
        ("good", []),
        ("refused", [Verification(KERAS, "mlp-128-64", "cpu", "d", "failed", "logits: off")]),
    ):
        directory = save(tmp_path / name, both())
        for gate in gates:
            archive.save_record(directory, gate)
        build.build(directory)
        pages = [(directory / f"report.{kind}").read_text() for kind in ("html", "md")]
        assert all("one batch of 1,000" in page and "1.82 ms" in page for page in pages)
        assert all(("7.27 ms" in page) is (not gates) for page in pages)
        table = pd.read_csv(directory / "tables" / "inference.csv")
        assert list(table) == chapters_inference.INFERENCE.names and len(table) == (3 if gates else 6)
        assert "## tables/inference.csv" in (directory / "columns.md").read_text()
