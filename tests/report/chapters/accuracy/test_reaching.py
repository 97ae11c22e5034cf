"""Time to accuracy, from epochs made by hand."""

from dataclasses import replace

import pandas as pd
import pytest
from synthetic import result

from bench.report import pairs
from bench.report import runs as report_runs
from bench.report.chapters.accuracy import reaching
from bench.store.records.cell import Phases
from bench.store.records.training import Epoch, TrainingResult


def trained(
    accuracies: list[float], implementation: str = "matched-pytorch", block: int = 1, **changes: object
) -> TrainingResult:
    """A result with these accuracies; epochs take 1, 2, 3 ... seconds, the start takes 7."""
    rows = [Epoch(0, None, None, 0.2, None, 2.3, 0.1)]
    rows += [Epoch(i, float(i), 1.0, 0.2, 0.3, 0.3, accuracy) for i, accuracy in enumerate(accuracies, start=1)]
    phases = Phases(4.0, 1.0, 2.0, 60.0)
    made = result(implementation, block, epochs=len(accuracies), phases=phases, data="harder", **changes)
    return replace(made, epochs=tuple(rows))


def frame(results: list[TrainingResult]) -> pd.DataFrame:
    return reaching.time_to_accuracy(report_runs.runs_frame(results, []), report_runs.epochs_frame(results))


def test_the_first_epoch_that_reaches_it_counts() -> None:
    """Later ones may fall below again; times are those until its end, with and without the start."""
    (row,) = frame([trained([0.95, 0.97, 0.96])]).to_dict("records")
    assert (row["epoch"], row["train_s"], row["from_start_s"]) == (2, 3.0, 10.0)
    assert row["best_accuracy"] == 0.97


def test_a_process_that_never_reaches_it_is_kept_as_such() -> None:
    """Without figures, so that nobody takes the others for all."""
    rows = frame([trained([0.95, 0.96]), trained([0.97, 0.96], block=2)])
    assert len(rows) == 2
    assert pd.isna(rows.loc[0, ["epoch", "train_s", "from_start_s"]]).all()
    assert rows.loc[1, "epoch"] == 1


def test_what_failed_and_the_control_have_no_row() -> None:
    """Only what may be shown as an implementation's figure."""
    rows = frame([trained([0.98]), trained([0.98], role="control"), result(block=2, status="failed")])
    assert len(rows) == 1


def test_the_table_ranks_those_who_usually_reach_it() -> None:
    """By the median from the start; who reaches it in fewer than half of the processes comes last."""
    from bench.report import groups

    results = [
        trained([0.98], block=1), trained([0.98], block=2), trained([0.9], block=3),
        trained([0.98], "matched-keras", 1), trained([0.9], "matched-keras", 2), trained([0.9], "matched-keras", 3),
        trained([0.9, 0.98], "documented-keras", 1),
    ]  # fmt: skip
    runs = report_runs.runs_frame(results, [])
    frames = {"runs": runs, "summary": pairs.summary_frame(runs), "control": pairs.control(runs),
              "comparison": pairs.comparison(runs)}  # fmt: skip
    (group,) = groups.groups(frames, {"mlp-128-64": 5}, "mlp-128-64")
    sheet = reaching.sheet(frame(results), group)
    assert [row[:2] for row in sheet.rows] == [
        ("PyTorch (matched)", "2 of 3 processes"),
        ("Keras on TensorFlow (documented)", "1 of 1 process"),
        ("Keras on TensorFlow (matched)", "1 of 3 processes"),
    ]
    assert sheet.rows[0][2:] == ("1", "1.00 s", "8.00 s", "98.00 %")
    assert sheet.columns[1] == "reached 97 %"


@pytest.mark.parametrize("goal", [0.5, 0.999])
def test_the_goal_can_be_another(goal: float) -> None:
    """And stands in every row."""
    results = [trained([0.6, 0.98])]
    (row,) = reaching.time_to_accuracy(
        report_runs.runs_frame(results, []), report_runs.epochs_frame(results), goal
    ).to_dict("records")
    assert row["goal"] == goal and (row["epoch"] == 1 if goal == 0.5 else pd.isna(row["epoch"]))
